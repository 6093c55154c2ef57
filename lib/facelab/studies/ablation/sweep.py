"""The sweep: every cell in processes of its own, finished ones never done again, results in one file.

``OUT/results.jsonl`` (a header, then a row a cell) · ``course.jsonl`` (what was seen while training) · ``table.csv`` ·
``cells/VARIANT-seedN/`` (run folder of each) · ``shared/`` (batches and trials, until the sweep is complete)
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

from facelab import files
from facelab.errors import BadConfig
from facelab.nets.features import why_missing
from facelab.studies.ablation import stock, table
from facelab.studies.ablation.cell import Cell, run
from facelab.studies.ablation.variants import BASE, VARIANTS, Variant, chosen, configuration, with_labels
from facelab.studies.batches import training_loader
from facelab.studies.parts import faces
from facelab.systems.oagan import Config
from facelab.train.state import plain_config

STEPS = 500  # two minutes on one core


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a sweep does.

    Args:
        variants: rows; parents before children.
        data: a dataset of the catalogue.
        seeds: 0, 1, … so many.
        steps: training steps of every cell.
        out: the folder.
        jobs: processes at a time. Each computes on one thread, so that the number of cores changes no digit.
        count: pictures of each test trial.
        base: settings of the base, see :func:`facelab.studies.ablation.variants.configuration`.
        device: see :func:`facelab.train.engine.make_engine`.
        table: the table the variants are from.
    """

    variants: Sequence[Variant]
    data: str
    seeds: int
    steps: int
    out: Path
    jobs: int = 1
    count: int = 256
    base: Mapping[str, Any] | None = None
    device: str = "auto"
    table: Sequence[Variant] = VARIANTS

    def cells(self) -> list[Cell]:
        """Every cell, seed by seed, so that an unfinished sweep compares all variants on the seeds it has."""
        made = {v.name: configuration(v.name, self.data, self.steps, self.table, self.base) for v in self.variants}
        return [
            Cell(v.name, made[v.name], self.data, seed, self.out / "cells" / f"{slug(v.name)}-seed{seed}",
                 self.out / "shared" / f"seed{seed}", self.out / "shared" / "trials.pt", self.device)
            for seed in range(self.seeds) for v in self.variants
        ]  # fmt: skip


def slug(name: str) -> str:
    """A name as a folder may have it: ``"SN + GP"`` to ``"sn-gp"``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def sweep(plan: Plan, note: Callable[[str], None] = lambda line: print(line, file=sys.stderr)) -> dict[str, Any]:
    """Do every cell that is not done yet and write the results.

    Args:
        plan: what to do. Rows already in ``results.jsonl`` count as done, so a committed file can be gone on with.
        note: told a line about each finished cell.

    Returns:
        What :func:`facelab.studies.ablation.table.read` reads from the folder.

    Raises:
        BadConfig: another sweep works in the folder, or its results are of other settings.
    """
    plan = dataclasses.replace(plan, out=files.usable_folder(plan.out))
    with _alone(plan.out):
        header, rows = _header(plan), _rows_so_far(plan)
        missing = {v.name: why for v in plan.variants if (why := _why_not(plan, v.name))}
        told = {name: why.partition(" in ")[0] for name, why in missing.items()}  # a record names no folder of ours
        for name, why in missing.items():
            note(f"{name}: not run ({why})")
        todo = [c for c in plan.cells() if (c.variant, c.seed) not in rows and c.variant not in missing]
        keep = lambda: table.write(plan.out, header | {"not run": told}, list(rows.values()), plan.table)  # noqa: E731
        keep()
        with contextlib.closing(_results(plan, todo)) as results:
            begun = time.monotonic()
            for done, (cell, row) in enumerate(results, 1):
                rows[cell.variant, cell.seed] = row
                keep()
                left = (time.monotonic() - begun) / done * (len(todo) - done) / 60
                note(f"{cell.variant}, seed {cell.seed}: {_said(row)}; {done} of {len(todo)}, {left:.0f} min left")
        shutil.rmtree(plan.out / "shared", ignore_errors=True)
    return table.read(plan.out)


def _said(row: Mapping[str, Any]) -> str:
    if row["ended"] != "done":
        return str(row["ended"])
    return f"{row['means']['psnr_hole']:.2f} dB in the hole after {row['seconds']:.0f} s"


def _results(plan: Plan, todo: Sequence[Cell]) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Cells with their rows as they end, from ``plan.jobs`` processes."""
    if not todo:
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(plan.jobs, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
    try:
        size, channels = todo[0].cfg.size, todo[0].cfg.channels
        shared = [pool.submit(stock.fill_trials, todo[0].trials, plan.data, size, channels, plan.count)]
        shared += [pool.submit(_draw, plan, cell) for cell in {c.seed: c for c in todo}.values()]
        for made in shared:
            made.result()
        running: dict[Future, Cell] = {pool.submit(run, cell): cell for cell in todo}
        for ended in as_completed(running):
            yield running[ended], ended.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw(plan: Plan, cell: Cell) -> None:
    base = configuration(plan.variants[0].name, plan.data, plan.steps, plan.table, plan.base)
    cfg = dataclasses.replace(with_labels(base, plan.data), adversarial_from=0.0)
    stock.fill(training_loader(plan.data, cfg, cell.seed), plan.steps, cell.batches)


def _begin(parent: int) -> None:
    """One thread a process, and no life without the parent: an orphan would write where the next sweep works."""
    torch.set_num_threads(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _header(plan: Plan) -> dict[str, Any]:
    part = faces(plan.data, "test", 64, None)
    count = min(plan.count, len(part))
    people = [part.identity(int(i * len(part) / count)) for i in range(count)]
    base = configuration(plan.variants[0].name, plan.data, plan.steps, plan.table, plan.base)
    known = table.read(plan.out)["header"].get("settings", {})
    return {
        "system": "oagan", "data": plan.data, "steps": plan.steps, "count": count, "people": people,
        "base": plain_config(base), "settings": known | {v.name: _digest(plan, v.name) for v in plan.variants},
        "torch": torch.__version__,
    }  # fmt: skip


def _digest(plan: Plan, name: str) -> str:
    """Of everything a row depends on; of settings only those that are not the default, so that new ones may come."""
    made = plain_config(configuration(name, plan.data, plan.steps, plan.table, plan.base))
    settings = {field: value for field, value in made.items() if value != plain_config(Config())[field]}
    return hashlib.sha256(json.dumps([settings, plan.data, plan.count], sort_keys=True).encode()).hexdigest()[:12]


def _rows_so_far(plan: Plan) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows of the results file; those of cells a killed sweep had finished are found again when the cell is asked for.

    Raises:
        BadConfig: a row was made with other settings than this plan's.
    """
    found = table.read(plan.out)
    for name, digest in found["header"].get("settings", {}).items():
        known = name in {v.name for v in plan.variants}
        if known and digest != _digest(plan, name) and any(row["variant"] == name for row in found["rows"]):
            raise BadConfig("--out", str(plan.out), f"a folder whose {name!r} was made with the same settings")
    return {(row["variant"], row["seed"]): row for row in found["rows"]}


def _why_not(plan: Plan, name: str) -> str:
    cfg = configuration(name, plan.data, plan.steps, plan.table, plan.base)
    return why_missing(cfg.feature_net) or (why_missing(cfg.encoder) if cfg.model == "unet" else "")


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it also when this process is killed."""
    with open(out / ".lock", "w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # no such locks here
            pass
        except OSError:
            raise BadConfig("--out", str(out), "a folder in which no other sweep is working") from None
        yield


def sweep_named(names: Sequence[str], size: int = 64, **settings: Any) -> dict[str, Any]:
    """:func:`sweep` of variants by name, their ancestors included; see :class:`Plan` for the settings."""
    return sweep(Plan(chosen(names), base={**BASE, "size": size}, **settings))
