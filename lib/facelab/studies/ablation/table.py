"""An ablation's files, and what they say: means, spreads, and differences to the parent with their intervals.

Taught in: lesson 05.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import files
from facelab.metrics.intervals import bootstrap_runs
from facelab.seeding import generator
from facelab.studies.ablation.variants import VARIANTS, Variant

METRICS = ("psnr_hole", "identity", "iou", "sharpness")  # of every system; a subject may add to them
STRANGERS = ("real",)  # metrics of other pictures than the trial's: photographs, each of somebody else
LOWER_IS_BETTER = ("identity",)
LEAST = 3  # seeds of a verdict


@dataclass(frozen=True)
class Line:
    """One variant, one metric.

    Args:
        variant, parent: see :class:`facelab.studies.ablation.variants.Variant`.
        metric: its name.
        seeds: value of each run, by seed: the mean over all pictures.
        mean: over runs.
        std: between runs, n − 1 in the denominator; NaN for one run.
        difference: mean of the per-picture difference to the parent, on the seeds that both have; NaN for the base.
        apart: the same for each of those seeds.
        low, high: its 95 % interval over people and seeds.
        failed: seeds whose run broke down.
        seconds: of training, mean over runs.
    """

    variant: str
    parent: str
    metric: str
    seeds: dict[int, float]
    mean: float
    std: float
    difference: float
    low: float
    high: float
    apart: dict[int, float]
    failed: tuple[int, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """What may be said: ``"better"`` or ``"worse"`` than the parent, ``"open"``, or ``"breaks"`` where a run did.

        Better or worse needs :data:`LEAST` seeds that all agree in sign, and an interval without zero. Of sharpness
        neither more nor less is better: ``"sharper"`` or ``"softer"``.
        """
        if self.failed:
            return "breaks"
        signs = {value > 0 for value in self.apart.values()}
        if len(self.apart) < LEAST or len(signs) > 1 or not (self.low > 0 or self.high < 0):
            return "open" if self.parent else ""
        kind = self.metric.partition(", ")[0]  # "identity" of "identity, 45°", which is that of one trial
        if kind == "sharpness":
            return "sharper" if self.difference > 0 else "softer"
        return "better" if (self.difference > 0) != (kind in LOWER_IS_BETTER) else "worse"


def lines(
    content: Mapping[str, Any], variants: Sequence[Variant] = VARIANTS, metric: str = "psnr_hole", to: str = ""
) -> list[Line]:
    """One metric of every variant that was run, in the table's order; NaN where all its runs broke down.

    Args:
        content: of :func:`read`.
        variants: the table.
        metric: one of :data:`METRICS`, or one that the system's subject adds.
        to: the variant everybody is held against; each against its own parent where empty.
    """
    found = values(content["rows"], metric)
    people = content["header"]["people"]
    if metric in STRANGERS or any(len(v) != len(people) for runs in found.values() for v in runs.values()):
        people = _strangers(found)  # who they are is not recorded
    out = []
    for variant in held_against(to, variants) if to else variants:
        rows = [row for row in content["rows"] if row["variant"] == variant.name]
        failed = tuple(sorted(row["seed"] for row in rows if row["ended"] != "done"))
        mine, parents = found.get(variant.name, {}), found.get(variant.parent, {})
        if not mine and not failed:
            continue
        runs = {seed: value.nanmean().item() for seed, value in mine.items()}
        each = torch.tensor(list(runs.values()), dtype=torch.double)
        spread = each.std().item() if len(each) > 1 else math.nan
        change = difference(mine, parents, people, metric)  # the same draws for all: equal runs, equal bars
        apart = {seed: (value - parents[seed]).nanmean().item() for seed, value in mine.items() if seed in parents}
        spent = sum(row["seconds"] for row in rows) / len(rows)
        out.append(Line(variant.name, variant.parent, metric, runs, each.mean().item(), spread, *change,
                        apart, failed, spent))  # fmt: skip
    return out


def _strangers(found: Mapping[str, Mapping[int, Tensor]]) -> list[str]:
    most = max((len(value) for runs in found.values() for value in runs.values()), default=0)
    return [str(place) for place in range(most)]


def measured(content: Mapping[str, Any]) -> list[str]:
    """Metrics that its rows hold, :data:`METRICS` first."""
    return list(dict.fromkeys([*METRICS, *(name for row in content["rows"] for name in row.get("pictures", ()))]))


def held_against(name: str, variants: Sequence[Variant] = VARIANTS) -> list[Variant]:
    """The same table with one variant for everybody's parent: not what a change does, but who is best."""
    return [dataclasses.replace(v, parent="" if v.name == name else name) for v in variants]


def values(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, dict[int, Tensor]]:
    """Variant → seed → (N,), one value a picture; NaN where a picture has none. Runs that failed are left out."""
    out: dict[str, dict[int, Tensor]] = {}
    for row in sorted(rows, key=lambda row: row["seed"]):
        if metric in row.get("pictures", {}):
            numbers = [math.nan if value is None else value for value in row["pictures"][metric]]
            out.setdefault(row["variant"], {})[row["seed"]] = torch.tensor(numbers, dtype=torch.double)
    return out


def difference(
    mine: Mapping[int, Tensor], parents: Mapping[int, Tensor], people: Sequence[str], *names: object
) -> tuple[float, float, float]:
    """Mean of a variant's per-picture difference to its parent and its 95 % interval over people and seeds.

    Args:
        mine, parents: values (N,) by seed; only seeds that both have count, each against its own.
        people: who the N pictures show.
        *names: what the interval's draws are for.

    Returns:
        (mean, low, high); NaNs without a common seed.
    """
    common = sorted(mine.keys() & parents.keys())
    if not common:
        return (float("nan"),) * 3
    apart = torch.stack([mine[seed] - parents[seed] for seed in common])
    return apart.nanmean().item(), *bootstrap_runs(apart, generator(0, "ablation", *names), people)


def read(folder: str | Path) -> dict[str, Any]:
    """The results of a folder or of a ``results.jsonl``: ``header`` and ``rows``, both empty where there are none."""
    path = Path(folder)
    path = path / "results.jsonl" if path.suffix != ".jsonl" else path
    if not path.is_file():
        return {"header": {}, "rows": []}
    header, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {"header": header, "rows": rows}


def read_course(folder: str | Path) -> list[dict[str, Any]]:
    """What was seen while training: a row a look, with ``variant``, ``seed`` and ``step``."""
    path = Path(folder)
    path = path / "course.jsonl" if path.suffix != ".jsonl" else path
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def write(out: Path, header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], variants: Sequence[Variant]) -> None:
    """Write ``results.jsonl``, ``course.jsonl`` and ``table.csv``; rows in the table's order, whenever they ended.

    Rows read from a results file have no course of their own: theirs stays in ``course.jsonl``.
    """
    place = {variant.name: number for number, variant in enumerate(variants)}
    order = lambda row: (place.get(row["variant"], len(place)), row["variant"], row["seed"])  # noqa: E731
    rows = sorted(rows, key=order)
    fresh = {(row["variant"], row["seed"]) for row in rows if "course" in row}
    seen = [look for look in read_course(out) if (look["variant"], look["seed"]) not in fresh]
    seen += [{"variant": row["variant"], "seed": row["seed"], **look} for row in rows for look in row.get("course", ())]
    seen.sort(key=lambda look: (*order(look), look["step"]))
    kept = [{name: value for name, value in row.items() if name != "course"} for row in rows]
    files.write_text(out / "course.jsonl", _jsonl(seen))  # first: a row in the results counts as done, course and all
    files.write_text(out / "results.jsonl", _jsonl([dict(header), *kept]))
    files.write_text(out / "table.csv", as_csv({"header": dict(header), "rows": kept}, variants))


def _jsonl(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def as_csv(content: Mapping[str, Any], variants: Sequence[Variant] = VARIANTS) -> str:
    """All metrics of all variants as CSV, one line each; every seed's own value in ``seeds``."""
    out = io.StringIO()
    columns = ["variant", "parent", "metric", "mean", "std", "seeds", "difference", "low", "high", "verdict", "failed",
               "seconds"]  # fmt: skip
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for metric in measured(content):
        for line in lines(content, variants, metric):
            each = " ".join(f"{seed}:{value:.4f}" for seed, value in line.seeds.items())
            numbers = [f"{value:.4f}" for value in (line.difference, line.low, line.high)]
            writer.writerow([line.variant, line.parent, metric, f"{line.mean:.4f}", f"{line.std:.4f}", each, *numbers,
                             line.verdict, " ".join(map(str, line.failed)), f"{line.seconds:.1f}"])  # fmt: skip
    return out.getvalue()


def as_text(
    content: Mapping[str, Any], variants: Sequence[Variant] = VARIANTS, metric: str = "psnr_hole", to: str = ""
) -> str:
    """One metric as a Markdown table for people; arguments as of :func:`lines`."""
    out = [f"| variant | parent | {metric} | each seed | difference [95 %] | verdict | s a run |", "|---" * 7 + "|"]
    for line in lines(content, variants, metric, to):
        apart = f"{line.difference:+.3f} [{line.low:+.3f}, {line.high:+.3f}]" if line.parent else ""
        each = " ".join(f"{value:.3f}" for value in line.seeds.values())
        mean = f"{line.mean:.3f}" + (f" ± {line.std:.3f}" if len(line.seeds) > 1 else "")
        cells = (line.variant, line.parent, mean, each, apart, line.verdict, f"{line.seconds:.0f}")
        out.append(f"| {' | '.join(cells)} |")
    return "\n".join(out)
