"""Run one lesson headlessly, and believe it only when every one of its cells has really run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode

from facelab.errors import LessonFailed
from facelab.files import atomic_path, project_root
from facelab.lessons.notebook import USAGE, check_parameters, defaults, find_lesson, read_lesson

CELL_ERROR, TIMEOUT, DEAD_KERNEL = 1, 3, 4  # exit codes beside 0 (all cells ran) and 2 (usage)
SECONDS = {"smoke": 300, "laptop": 1800, "gpu": 3600}  # longest a lesson may take, by profile
LIBRARY = Path(__file__).resolve().parents[2]  # the folder facelab is imported from
# Without the first line jsonschema builds, for nearly a second, a grammar of web addresses that no notebook needs.
WORKER = """import sys; sys.modules["rfc3987_syntax"] = None
from facelab.lessons.worker import main; main()"""
MARK = "FACELAB_LESSON_RUN"  # every process a lesson starts inherits this, so that none is left behind


@dataclass(frozen=True)
class LessonResult:
    """How a lesson ended.

    Args:
        lesson: its name.
        output: the executed notebook (on failure the part that ran).
        seconds: wall time, kernel start included.
        metrics: what the lesson's record cell wrote in this run; empty where it wrote nothing.
        code: exit code; 0 is success.
        cell: index of the failed cell in the lesson, where one can be named.
        error: first line of what went wrong.
    """

    lesson: str
    output: Path
    seconds: float
    metrics: dict = field(default_factory=dict)
    code: int = 0
    cell: int | None = None
    error: str = ""

    @property
    def status(self) -> str:
        """``ok``, ``error``, ``usage``, ``timeout`` or ``dead``."""
        return {0: "ok", USAGE: "usage", TIMEOUT: "timeout", DEAD_KERNEL: "dead"}.get(self.code, "error")


def run_lesson(
    lesson: str | Path,
    out: str | Path | None = None,
    parameters: dict[str, object] | None = None,
    *,
    timeout: float | None = None,
    threads: int | None = None,
    stop: threading.Event | None = None,
) -> LessonResult:
    """Execute one lesson in a process of its own.

    The output appears whole or not at all; after a failure the part that ran lies in ``<out>.failed.ipynb`` and an
    earlier good output is untouched. The lesson works in its ``OUT_DIR`` (given here as an absolute path; by default
    a folder beside ``out`` with the lesson's name).

    Args:
        lesson: number, name or path.
        out: the executed notebook; by default ``build/lessons/NAME.ipynb`` in the project.
        parameters: values for names in the lesson's parameters cell, of the same types.
        timeout: seconds for the whole lesson; by default what the profile allows.
        threads: threads each numerical library may use; None leaves the environment as it is.
        stop: ends the lesson when set.

    Raises:
        LessonFailed: with ``code`` 1 (a cell), 2 (usage), 3 (timeout) or 4 (dead kernel).
    """
    path = find_lesson(lesson)
    name, notebook = path.stem, read_lesson(path)
    out = Path(out or project_root() / "build" / "lessons" / f"{name}.ipynb").resolve()
    if out == path:
        raise LessonFailed(name, None, "the output would replace the lesson itself", USAGE)
    values = check_parameters(name, notebook, parameters or {})
    folder = _place(defaults(name, notebook), values, out.with_suffix(""))
    timeout = timeout or SECONDS.get(str(values.get("PROFILE")), SECONDS["laptop"])
    began, clock = time.time(), time.monotonic()
    executed, ended = _execute(notebook, values, folder, timeout, threads, stop)
    fault, metrics = _fault(notebook, executed, ended), _metrics(folder, began)
    if fault is None and metrics is None:
        fault = (None, f"{folder / 'metrics.json'} is not JSON", CELL_ERROR)
    _write(executed, out, failed=fault is not None)
    if fault is not None:
        raise LessonFailed(name, *fault)
    return LessonResult(name, out, round(time.monotonic() - clock, 2), metrics)


def _place(known: dict[str, object], values: dict[str, object], folder: Path) -> Path:
    folder = Path(str(values.get("OUT_DIR", folder))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if "OUT_DIR" in known:
        values["OUT_DIR"] = str(folder)
    return folder


def _execute(
    notebook: NotebookNode,
    values: dict,
    folder: Path,
    timeout: float,
    threads: int | None,
    stop: threading.Event | None,
) -> tuple[NotebookNode, dict]:
    with tempfile.TemporaryDirectory(prefix="facelab-lesson-") as scratch:
        source, target, ended = (Path(scratch) / n for n in ("source.ipynb", "target.ipynb", "ended.json"))
        nbformat.write(notebook, source)
        job = {"source": str(source), "target": str(target), "ended": str(ended), "folder": str(folder)}
        (Path(scratch) / "job.json").write_text(json.dumps({**job, "parameters": values, "parent": os.getpid()}))
        late = _wait(Path(scratch), timeout, threads, stop)
        try:
            executed = nbformat.read(target, as_version=4)
        except (OSError, ValueError):  # ended before or within the first save
            executed = notebook
        if late:
            return executed, {"end": "timeout", "reason": late}
        try:
            return executed, json.loads(ended.read_text())
        except (OSError, ValueError):
            noise = (Path(scratch) / "noise.txt").read_text(errors="replace").strip().splitlines() or ["no message"]
            return executed, {"end": "dead", "reason": f"the process running the lesson died: {noise[-1]}"}


def _wait(scratch: Path, timeout: float, threads: int | None, stop: threading.Event | None) -> str:
    """Run the worker to its end; text where it had to be ended. Whatever it started is gone afterwards."""
    mark = uuid.uuid4().hex
    command = [sys.executable, "-c", WORKER, str(scratch / "job.json")]
    with open(scratch / "noise.txt", "wb") as noise:
        worker = subprocess.Popen(
            command, env=_environment(mark, threads), stdin=subprocess.DEVNULL, stdout=noise, stderr=noise, cwd=scratch
        )
        deadline = time.monotonic() + timeout
        try:
            while worker.poll() is None:
                if time.monotonic() > deadline:
                    return f"took longer than {timeout:g} s"
                if stop is not None and stop.is_set():
                    return "stopped"
                time.sleep(0.05)
        finally:
            _sweep(worker, mark)
    return ""


def _environment(mark: str, threads: int | None) -> dict[str, str]:
    def first(folder: Path, name: str) -> str:
        return os.pathsep.join(filter(None, [str(folder), os.environ.get(name, "")]))

    # the lesson meets the same interpreter and the same facelab as its caller
    more = {"PATH": first(Path(sys.executable).parent, "PATH"), "PYTHONPATH": first(LIBRARY, "PYTHONPATH")}
    more |= {MARK: mark, "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    more["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # figures belong in the notebook, whatever is set
    if threads:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        more |= dict.fromkeys(names, str(threads))
    return {**os.environ, **more}


def _sweep(worker: subprocess.Popen, mark: str) -> None:
    """Kill the worker, its kernel and everything else that carries the mark, also when no longer a child."""
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(worker.pid).children(recursive=True)
        worker.kill()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
    worker.wait()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real == os.getuid() and process.environ().get(MARK) == mark:
                process.kill()


def _fault(notebook: NotebookNode, executed: NotebookNode, ended: dict) -> tuple[int | None, str, int] | None:
    """(cell, reason, code) of the first thing wrong, or None where every cell has run and none failed."""
    places = {cell.id: index for index, cell in enumerate(notebook.cells)}
    begun = [c.id for c in executed.cells if c.metadata.get("papermill", {}).get("start_time")]
    last = places.get(begun[-1]) if begun else None
    if ended["end"] == "timeout":
        return last, ended["reason"], TIMEOUT
    for broken in executed.cells:
        for output in broken.get("outputs", []):
            if output.output_type == "error":
                reason = f"{output.ename}: {(output.evalue.strip().splitlines() or [''])[0]}"
                return places.get(broken.id), reason.removesuffix(": "), CELL_ERROR
    if ended["end"] == "dead":
        return last, f"the kernel died ({ended['reason']}); often it ran out of memory", DEAD_KERNEL
    unrun = next((c for c in executed.cells if not _ran(c)), None)
    if unrun is not None:
        failed = unrun.metadata.get("papermill", {}).get("status") == "failed"
        said = "failed, but its error was lost on the way here; run it again" if failed else "never ran (sys.exit?)"
        return places.get(unrun.id), f"this cell {said}", CELL_ERROR
    return None if ended["end"] == "done" else (None, ended["reason"], CELL_ERROR)


def _ran(cell: NotebookNode) -> bool:
    if cell.cell_type != "code" or not cell.source.strip():
        return True
    return cell.metadata.get("papermill", {}).get("status") == "completed" and cell.execution_count is not None


def _write(notebook: NotebookNode, out: Path, failed: bool) -> None:
    beside = out.with_suffix(".failed.ipynb")
    if not failed:
        nbformat.validate(notebook)
        beside.unlink(missing_ok=True)
    with atomic_path(beside if failed else out) as temporary:
        nbformat.write(notebook, temporary)


def _metrics(folder: Path, began: float) -> dict | None:
    """``metrics.json``, empty unless this run wrote it (an earlier run's says nothing), None where it is damaged."""
    path = folder / "metrics.json"
    if not path.is_file() or path.stat().st_mtime < began - 1:
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return None
