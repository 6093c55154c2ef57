"""The sweep: every cell in processes of its own, finished ones never done again, results in one file.

``OUT/results.jsonl`` (a header, then a row a cell) · ``course.jsonl`` (what was seen while training) · ``table.csv`` ·
``plan.json`` (what all cells share) · ``cells/VARIANT-seedN/`` (run folder of each) · ``shared/`` (batches and trials,
until the sweep is complete)
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

from facelab import files
from facelab.errors import BadConfig, FacelabError
from facelab.nets.features import why_missing
from facelab.nets.frontal_eyes import why_no_eyes
from facelab.studies.ablation import stock, table
from facelab.studies.ablation.baselines import baselines
from facelab.studies.ablation.cell import Cell, run
from facelab.studies.ablation.plan import Plan, header, refuse_other
from facelab.studies.ablation.subjects import subject
from facelab.studies.ablation.variants import chosen
from facelab.studies.tasks import task
from facelab.train.engine import make_engine

WITH_EYES = ("flow", "unet", "ae", "pix2pix")  # models of any system that may have a frozen encoder
_STOP: list[Any] = []  # in a worker: the event that says that the sweep is being ended


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def sweep(plan: Plan, note: Callable[[str], None] = _to_stderr) -> dict[str, Any]:
    """Do every cell that is not done yet and write the results.

    Args:
        plan: what to do. Rows already in ``results.jsonl`` count as done, so a committed file can be gone on with.
        note: told a line about each finished cell.

    Returns:
        What :func:`facelab.studies.ablation.table.read` reads from the folder.

    Raises:
        BadConfig: another sweep works in the folder, or its results are of other settings.
        FacelabError: a cell failed; all others have been done first.
    """
    plan.shared()  # data that is not here, or is not what the system needs, is refused before anything is written
    task(plan.system).people(plan.data, plan.count)
    plan, missing = dataclasses.replace(plan, out=files.usable_folder(plan.out)).possible()
    with _alone(plan.out):
        found = table.read(plan.out)
        refuse_other(plan, found)
        rows = {(row["variant"], row["seed"]): row for row in found["rows"]}
        missing |= {v.name: why for v in plan.variants if (why := _why_not(plan, v.name))}
        for name, why in missing.items():
            note(f"{name}: not run ({why})")
        top = header(plan, found["header"], missing)
        todo = [c for c in plan.cells() if (c.variant, c.seed) not in rows and c.variant not in missing]
        keep = lambda: table.write(plan.out, top, list(rows.values()), plan.table)  # noqa: E731
        keep()
        with contextlib.closing(_results(plan, todo)) as results:
            begun = time.monotonic()
            for done, (cell, row) in enumerate(results, 1):
                rows[cell.variant, cell.seed] = row
                keep()
                left = (time.monotonic() - begun) / done * (len(todo) - done) / 60
                note(f"{cell.variant}, seed {cell.seed}: {_said(row)}; {done} of {len(todo)}, {left:.0f} min left")
        if rows and task(plan.system).whole and "baselines" not in top:
            top["baselines"] = _baselines(plan)
            keep()
        shutil.rmtree(plan.out / "shared", ignore_errors=True)
    return table.read(plan.out)


def _baselines(plan: Plan) -> dict[str, Any]:
    cfg = plan.first()
    trials = stock.fill_trials(plan.out / "shared" / "trials.pt", plan.system, plan.data, cfg, plan.count)
    return baselines(trials, plan.system, plan.data, cfg)


def _said(row: Mapping[str, Any]) -> str:
    if row["ended"] != "done":
        return str(row["ended"])
    if "psnr" not in row["means"]:  # the truth is another picture
        return f"sharpness {row['means']['sharpness']:.2f} after {row['seconds']:.0f} s"
    where = "" if row["means"]["psnr_hole"] == row["means"]["psnr"] else " in the hole"  # all of a whole picture
    return f"{row['means']['psnr_hole']:.2f} dB{where} after {row['seconds']:.0f} s"


def _results(plan: Plan, todo: Sequence[Cell]) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Cells with their rows as they end, from ``plan.jobs`` processes; the first failure is raised when all ended."""
    if not todo:
        return
    context, failed = multiprocessing.get_context("spawn"), []
    stop = context.Event()
    pool = ProcessPoolExecutor(plan.jobs, mp_context=context, initializer=_begin, initargs=(os.getpid(), stop))
    try:
        first = todo[0]
        shared = [pool.submit(stock.fill_trials, first.trials, plan.system, plan.data, first.cfg, plan.count)]
        shared += [pool.submit(_draw, plan, cell) for cell in {c.batches: c for c in todo}.values()]
        shared.append(pool.submit(_hand, plan.system, plan.data, [cell.cfg for cell in todo], plan.device))
        for made in shared:
            made.result()
        running: dict[Future, Cell] = {pool.submit(_run, cell): cell for cell in todo}
        for ended in as_completed(running):
            try:
                row = ended.result()
            except FacelabError as error:
                failed.append(error)
            else:
                yield running[ended], row
    except BaseException:  # Ctrl-C: what is at work saves its step and ends, what waits never begins
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if failed:
        raise failed[0]


def _draw(plan: Plan, cell: Cell) -> None:
    about = subject(plan.system)
    own = {name: getattr(cell.cfg, name) for name in about.own_batches}
    stock.fill(about.loader(plan.data, dataclasses.replace(plan.first(), **own), cell.seed), plan.steps, cell.batches)


def _hand(system: str, data: str, cfgs: Sequence[Any], device: str) -> None:
    """Have the networks made that cells are handed, before two of them begin to at once."""
    for cfg in cfgs:
        task(system).nets(data, cfg, make_engine(device))


def _run(cell: Cell) -> dict[str, Any]:
    if _STOP and _STOP[0].is_set():
        raise KeyboardInterrupt("not begun")
    return run(cell)


def _begin(parent: int, stop: Any) -> None:
    """One thread a process, and no life without the parent: an orphan would write where the next sweep works."""
    torch.set_num_threads(1)
    _STOP.append(stop)

    def watch() -> None:
        while os.getppid() == parent and not stop.is_set():
            time.sleep(0.2)
        if os.getppid() != parent:
            os._exit(1)
        os.kill(os.getpid(), signal.SIGTERM)  # a run at work finishes its step, saves it and ends

    threading.Thread(target=watch, daemon=True).start()


def _why_not(plan: Plan, name: str) -> str:
    """What a variant needs and does not find here; empty where nothing is missing."""
    cfg, about = plan.configuration(name), subject(plan.system)
    eyes = getattr(cfg, "encoder", "none") if cfg.model in WITH_EYES else "none"
    nets = (cfg.feature_net, *about.nets.values())
    return next(filter(None, [about.lacking(cfg, plan.data), why_no_eyes(eyes), *map(why_missing, nets)]), "")


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it also when this process is killed."""
    with open(out / ".lock", "w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadConfig("--out", str(out), "a folder in which no other sweep is working") from None
        except (ImportError, OSError):  # no such locks here
            pass
        yield


def sweep_named(
    names: Sequence[str], size: int = 64, ancestors: bool = True, note: Callable[[str], None] = _to_stderr,
    system: str = "oagan", **settings: Any,
) -> dict[str, Any]:  # fmt: skip
    """:func:`sweep` of variants by name, their ancestors included unless told not to; all of them for no names.

    See :class:`facelab.studies.ablation.plan.Plan` for the settings.
    """
    about = subject(system)
    rows = chosen(names, ancestors, about.variants)
    return sweep(Plan(rows, base={**about.base, "size": size}, table=about.variants, system=system, **settings), note)
