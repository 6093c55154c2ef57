"""What an ablation found, in a table short enough for a README.

Taught in: lessons 05 to 09.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from facelab.metrics.intervals import bootstrap
from facelab.seeding import generator
from facelab.studies.ablation import table
from facelab.studies.ablation.subjects import SUBJECTS
from facelab.studies.ablation.table import Line
from facelab.studies.ablation.variants import Variant, by_name

Metric = tuple[str, str, int]  # its name, its heading, its digits

SHOWN: dict[str, tuple[tuple[str, ...], tuple[Metric, ...]]] = {
    "oagan": (
        ("eyes, enlarged", "no critic", "R1", "DRAGAN", "SN", "SN + GP", "DRAGAN + IN", "fourfold", "loud",
         "loud, DRAGAN", "loud, DRAGAN + IN", "loud, SN", "loud, SN + GP", "loud, slope 0.1"),
        (("psnr_hole", "PSNR", 2), ("identity", "identity", 3)),
    ),
    "mask_removal": (
        ("no region critic", "no whole critic", "no perceptual", "L1 alone", "never told", "always told", "attention",
         "published networks", "upright", "unpaired"),
        (("psnr_hole", "PSNR", 2), ("psnr_told", "PSNR, hole given", 2), ("sharpness", "sharpness", 2),
         ("real", "photographs", 3)),
    ),
    "frontalize": (
        ("painted", "not asked", "not told", "no mirror", "no warp", "no critic", "critic sees side", "no identity",
         "no features", "no symmetry", "own eyes", "AE", "AE, own eyes", "pix2pix", "DCGAN", "DCGAN, no L1", "CVAE",
         "CVAE, 64"),
        (("rank1, 45°", "rank-1, 45°", 2), ("rank1, 75°", "rank-1, 75°", 2), ("identity, 45°", "identity, 45°", 3),
         ("psnr, 45°", "PSNR, 45°", 2)),
    ),
    "vis2nir": (
        ("A", "B", "C", "C, loud", "A, perceptual", "pix2pix", "told", "batch norm", "bare critics", "pixel critic",
         "patches of 70", "whole-picture critic", "fractional strides", "painted anew", "grain",
         "cycle of 10", "cycle of 1", "luminance back", "structure back", "structure, batch norm", "in range", "ours",
         "identity mapping", "no pool", "no cycle"),
        (("psnr_hole", "PSNR", 2), ("identity", "identity", 3), ("sharpness", "sharpness", 2)),
    ),
    "hog_inpaint": (
        ("guide", "oracle", "coarse guide", "coarse oracle", "joint", "Canny", "Canny oracle", "HOG loss", "gated",
         "partial", "context encoder", "L1 alone", "L1 alone, guide"),
        (("psnr, holes of 0 to 10 %", "0–10 %", 2), ("psnr, holes of 20 to 30 %", "20–30 %", 2),
         ("psnr, holes of 50 to 60 %", "50–60 %", 2), ("sharpness", "sharpness", 2), ("identity", "identity", 3)),
    ),
}  # fmt: skip
"""Rows and columns. Of OA-GAN: the source project's runs at both weights, the winners, and the test of the cause."""


def summary(records: Mapping[str, Mapping[str, Any]], system: str = "oagan") -> str:
    """Settings, the differences of some variants to the base, and what the runs cost.

    Args:
        records: dataset → what :func:`facelab.studies.ablation.table.read` read.
        system: whose records; those of :data:`SHOWN` that a record lacks leave a gap there, and one that all lack is
            no row.

    Returns:
        Markdown.
    """
    names, metrics = SHOWN[system]
    variants = SUBJECTS[system].variants
    found = [(f"{words}, `{data}`", table.lines(content, variants, metric, "base"), digits)
             for data, content in records.items() for metric, words, digits in metrics]  # fmt: skip
    columns = [(title, {line.variant: line for line in lines}, digits) for title, lines, digits in found if lines]
    runs = [{line.variant: line for line in table.lines(content, variants)} for content in records.values()]
    rows = {}
    for name in (name for name in names if any(name in lines for lines in runs)):
        seeds = "/".join(str(len(lines[name].seeds)) for lines in runs if name in lines)
        rows[name] = [seeds, *(_cell(lines.get(name), digits) for _, lines, digits in columns)]
    written = grid("variant", ["seeds", *(title for title, _, _ in columns)], rows)
    whole = [f"{title} on `{data}`, by trial:\n\n{by_trial(content, metric, variants, digits, intervals=True)}"
             for data, content in records.items() if "baselines" in content["header"]
             for metric, title, digits in (("rank1", "Rank-1", 2), ("identity", "Identity distance", 3))]  # fmt: skip
    return "\n\n".join(["\n".join(settings(data, content) for data, content in records.items()), written, *whole])


def grid(corner: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A table in Markdown.

    Args:
        corner: what stands above the rows' names.
        columns: their headings.
        rows: name → one cell a column.
    """
    lines = [f"{f'| {corner}'.rstrip()} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    return "\n".join(lines + [f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()])


def settings(data: str, content: Mapping[str, Any]) -> str:
    """One sentence about a record: how many runs of how many variants, on what, judged by whom, at what cost."""
    header, rows = content["header"], content["rows"]
    names = list(dict.fromkeys(row["variant"] for row in rows))
    variants = by_name(SUBJECTS[header.get("system", "oagan")].variants)
    confounded = sum(variants[name].confounded for name in names)
    but = f" ({confounded} of them changed in several settings at once)" if confounded else ""
    spent = [row["seconds"] for row in rows]
    return (
        f"`{data}`: {len(rows)} runs, {len(names) - 1} variants and the base they descend from{but}; "
        f"{header['base']['size']} px, {header['steps']:,} steps a run, {header['count']} pictures of "
        f"{len(set(header['people']))} people never seen; {statistics.median(spent):.0f} s a run on one core (median; "
        f"{min(spent):.0f} to {max(spent):.0f}), {sum(spent) / 3600:.1f} core-hours together."
    )


def by_trial(
    content: Mapping[str, Any], metric: str, variants: Sequence[Variant], digits: int = 2, intervals: bool = False
) -> str:
    """One metric on every trial: a row a variant, a column a trial in the order of its label, means over seeds.

    Baselines of the record stand above the variants.

    Args:
        content: what :func:`facelab.studies.ablation.table.read` read, of a system whose subject keeps every trial.
        metric: one that the runs were measured by, such as ``psnr`` or ``frechet``.
        variants: the table, for the order.
        digits: behind the point.
        intervals: also the 95 % interval over people; of several seeds, of each picture's mean over them.

    Returns:
        Markdown, with the number of seeds behind each name; a gap where a variant was not measured.
    """
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for row in (row for row in content["rows"] if "trials" in row):
        runs.setdefault(row["variant"], []).append(row)
    labels = sorted({label for found in runs.values() for row in found for label in row["trials"]})
    named = {name: [row] for name, row in content["header"].get("baselines", {}).items()}
    named |= {f"{v.name} ({len(runs[v.name])})": runs[v.name] for v in variants if v.name in runs}
    people = content["header"]["people"] if intervals else ()
    return grid(metric, labels, {
        name: [_over_seeds(found, metric, label, digits, people) for label in labels] for name, found in named.items()
    })  # fmt: skip


def _over_seeds(rows: Sequence[Mapping[str, Any]], metric: str, label: str, digits: int, people: Sequence[str]) -> str:
    mean = _mean([row["trials"].get(label, {}).get(metric) for row in rows])
    if mean is None:
        return ""
    key, text = f"{metric}, {label}", f"{mean:.{digits}f}"
    if not people or any(key not in row["pictures"] for row in rows):
        return text
    if any(len(row["pictures"][key]) != len(people) for row in rows):
        return text  # other people than the first trial's: whom to draw is not recorded
    each = torch.tensor([[math.nan if v is None else v for v in row["pictures"][key]] for row in rows]).double()
    low, high = bootstrap(each.mean(0), generator(0, "by trial", key), people)
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return statistics.mean(found) if found else None


def _cell(line: Line | None, digits: int) -> str:
    if line is None:
        return ""
    if line.failed:
        return "breaks"
    text = f"{line.difference:+.{digits}f} [{line.low:+.{digits}f}, {line.high:+.{digits}f}]"
    return f"**{text}**" if line.verdict not in ("open", "") else text
