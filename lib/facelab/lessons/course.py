"""Run many lessons, some at a time; all run whatever happens to one, and a summary says how each ended."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from facelab.errors import LessonFailed
from facelab.files import usable_folder, write_text
from facelab.lessons.notebook import USAGE, defaults, find_lesson, parse_setting, read_lesson
from facelab.lessons.runner import LessonResult, run_lesson
from facelab.machine import usable_cores


def run_lessons(
    names: list[str],
    profile: str,
    out: str | Path,
    *,
    jobs: int = 1,
    settings: list[str] | None = None,
    timeout: float | None = None,
) -> list[LessonResult]:
    """Execute lessons, each in its own process, and write ``OUT/summary.json``.

    Executed notebooks are ``OUT/NAME.ipynb``; what a lesson writes lies in ``OUT/NAME/``. One line a lesson is printed
    as it ends.

    Args:
        names: numbers, names or paths.
        profile: ``smoke``, ``laptop`` or ``gpu``.
        out: folder.
        jobs: lessons at a time; the cores this process may use are shared out between them.
        settings: ``NAME=VALUE`` for every lesson.
        timeout: seconds a lesson; by default what the profile allows.

    Returns:
        One result a lesson, in the order of ``names``.

    Raises:
        LessonFailed: two lessons would write the same files (code 2); nothing is run then.
        BadConfig: ``out`` is no folder that files can be written to.
    """
    stop, began = threading.Event(), time.monotonic()
    _refuse_clashes(names, settings or [])
    out = usable_folder(out)
    threads = max(1, usable_cores() // jobs) if jobs > 1 else None

    def one(name: str) -> LessonResult:
        result = _attempt(name, profile, out, settings or [], timeout, threads, stop)
        print(_line(result), flush=True)
        return result

    pool = ThreadPoolExecutor(max_workers=max(1, jobs))
    try:
        results = list(pool.map(one, names))
    except BaseException:  # Ctrl-C: end what runs, start nothing more
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
    write_text(out / "summary.json", json.dumps(_summary(results, profile, jobs, time.monotonic() - began), indent=2))
    return results


def _refuse_clashes(names: list[str], settings: list[str]) -> None:
    seen = set()
    for name in names:
        try:
            stem = find_lesson(name).stem
        except LessonFailed:
            continue  # told of later, as that lesson's result
        if stem in seen:
            raise LessonFailed(stem, None, "named twice; both would write the same files", USAGE)
        seen.add(stem)
    if len(names) > 1 and any(setting.startswith("OUT_DIR=") for setting in settings):
        raise LessonFailed(names[0], None, "OUT_DIR cannot be one folder for several lessons; use --out", USAGE)


def exit_code(results: list[LessonResult]) -> int:
    """0 where all ended well; the failures' code where they share one; else 1."""
    codes = {result.code for result in results} - {0}
    return 0 if not codes else codes.pop() if len(codes) == 1 else 1


def _attempt(name: str, profile: str, out: Path, settings: list[str], timeout, threads, stop) -> LessonResult:
    began, lesson, target = time.monotonic(), name, out / "unknown.ipynb"
    try:
        path = find_lesson(name)
        lesson, target = path.stem, out / f"{path.stem}.ipynb"
        notebook = read_lesson(path)
        values = {"PROFILE": profile} if "PROFILE" in defaults(lesson, notebook) else {}
        values |= dict(parse_setting(lesson, notebook, setting) for setting in settings)
        return run_lesson(path, target, values, timeout=timeout, threads=threads, stop=stop)
    except LessonFailed as error:
        seconds = round(time.monotonic() - began, 2)
        partial = target.with_suffix(".failed.ipynb")
        return LessonResult(lesson, partial, seconds, code=error.code, cell=error.cell, error=error.reason)
    except Exception as error:  # a fault of the runner must not keep the other lessons from running
        reason = f"{type(error).__name__}: {error}"
        return LessonResult(lesson, target, round(time.monotonic() - began, 2), code=1, error=reason)


def _line(result: LessonResult) -> str:
    where = f"cell {result.cell}: " if result.cell is not None else ""
    return f"{result.status:<8}{result.seconds:7.1f} s  {result.lesson}  {where}{result.error}".rstrip()


def _summary(results: list[LessonResult], profile: str, jobs: int, seconds: float) -> dict:
    lessons = {
        result.lesson: {
            "status": result.status,
            "seconds": result.seconds,
            "metrics": result.metrics,
            "cell": result.cell,
            "error": result.error,
        }
        for result in results
    }
    ended_well = all(result.code == 0 for result in results)
    return {"ok": ended_well, "profile": profile, "jobs": jobs, "seconds": round(seconds, 1), "lessons": lessons}
