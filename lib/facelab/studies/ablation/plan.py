"""What a sweep is to do, and whether a folder was made for the same.

Taught in: lesson 05.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facelab import files
from facelab.errors import BadConfig
from facelab.studies.ablation.cell import Cell
from facelab.studies.ablation.subjects import subject
from facelab.studies.ablation.variants import VARIANTS, Variant, by_name, configuration, slug
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.train.state import plain_config


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
        base: settings of the base, see :func:`~facelab.studies.ablation.variants.configuration`; None: the system's.
        device: see :func:`facelab.train.engine.make_engine`.
        table: the table the variants are from.
        system: whose variants they are.
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
    system: str = "oagan"

    def possible(self) -> tuple[Plan, dict[str, str]]:
        """The same without variants whose settings exclude each other here, such as at this size; and why, by name."""
        why: dict[str, str] = {}
        for variant in self.variants:
            try:
                self.configuration(variant.name)
            except BadConfig as error:
                why[variant.name] = str(error)
        return dataclasses.replace(self, variants=[v for v in self.variants if v.name not in why]), why

    def first(self) -> Any:
        """Every setting of the table's base, whichever variants are run."""
        return self.configuration(next(iter(by_name(self.table))))

    def configuration(self, name: str) -> Any:
        """Every setting of one of its variants."""
        base = subject(self.system).base if self.base is None else self.base
        return configuration(name, self.data, self.steps, self.table, base, system(self.system).Config)

    def cells(self) -> list[Cell]:
        """Every cell, seed by seed, so that an unfinished sweep compares all variants on the seeds it has."""
        made, out = {v.name: self.configuration(v.name) for v in self.variants}, self.out
        first = self.first()
        alone = {name: subject(self.system).drawn_alone(cfg, first) for name, cfg in made.items()}
        return [
            Cell(v.name, made[v.name], self.data, seed, out / "cells" / f"{slug(v.name)}-seed{seed}",
                 out / "shared" / "-".join(filter(None, (alone[v.name], f"seed{seed}"))), out / "shared" / "trials.pt",
                 self.device, self.system)
            for seed in range(self.seeds) for v in self.variants
        ]  # fmt: skip

    def shared(self) -> dict[str, Any]:
        """What all cells have in common; one folder holds cells of one such set."""
        return {"data": self.data, "count": self.count, "base": plain_config(self.first())}


def header(plan: Plan, known: Mapping[str, Any], missing: Mapping[str, str]) -> dict[str, Any]:
    """What rows share, and what each variant changes against the base; of earlier calls, too."""
    shared, people = plan.shared(), task(plan.system).people(plan.data, plan.count)
    base = shared["base"]
    full = {v.name: plain_config(plan.configuration(v.name)) for v in plan.variants}
    changes = {name: {field: v for field, v in mine.items() if base[field] != v} for name, mine in full.items()}
    told = {name: why.partition(" in ")[0] for name, why in missing.items()}  # a record names no folder of ours
    earlier = {n: why for n, why in known.get("not run", {}).items() if n not in changes}
    same = {"baselines": known["baselines"]} if "baselines" in known else {}
    return same | {
        "system": plan.system, "data": plan.data, "count": len(people), "steps": plan.steps, "people": people,
        "base": base, "changes": known.get("changes", {}) | changes, "not run": earlier | told,
    }  # fmt: skip


def refuse_other(plan: Plan, found: Mapping[str, Any]) -> None:
    """Compare a plan with what a folder was made for, settings that both know.

    Args:
        plan: see :class:`Plan`.
        found: what :func:`facelab.studies.ablation.table.read` read; empty for a new folder.

    Raises:
        BadConfig: they differ; new rows would be compared with rows of something else.
    """
    described, now = plan.out / "plan.json", plan.shared()
    known = json.loads(described.read_text("utf-8")) if described.is_file() else {}
    if header := found["header"]:
        full = {name: header["base"] | changes for name, changes in header["changes"].items()}
        mine = {v.name: plain_config(plan.configuration(v.name)) for v in plan.variants}
        for name in full.keys() & mine.keys() & {row["variant"] for row in found["rows"]}:
            _compare(plan.out, full[name], mine[name], name)
        known = {"data": header["data"], "base": header["base"]} | known
        if len(header["people"]) != len(task(plan.system).people(plan.data, plan.count)):
            raise BadConfig("--count", plan.count, f"{len(header['people'])}, as in {plan.out}")
    _compare(plan.out, known, {name: value for name, value in now.items() if name != "base"}, "the sweep")
    _compare(plan.out, known.get("base", {}), now["base"], "the base")
    files.write_text(described, json.dumps(now, indent=1) + "\n")


def _compare(out: Path, known: Mapping[str, Any], now: Mapping[str, Any], whose: str) -> None:
    for field in sorted(known.keys() & now.keys()):
        if known[field] != now[field]:
            what = f"another folder, or the same settings: {field} of {whose} was {known[field]}, and is {now[field]}"
            raise BadConfig("--out", str(out), what)
