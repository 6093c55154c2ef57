"""What an ablation found, in a table short enough for a README.

Taught in: lesson 05.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from facelab.studies.ablation import table
from facelab.studies.ablation.table import Line
from facelab.studies.ablation.variants import by_name

SHOWN = (
    "eyes, enlarged", "no critic", "R1", "DRAGAN", "SN", "SN + GP", "DRAGAN + IN", "fourfold", "loud", "loud, DRAGAN",
    "loud, DRAGAN + IN", "loud, SN", "loud, SN + GP", "loud, slope 0.1",
)  # fmt: skip
"""The source project's runs at both weights, the winners, and the test of the cause."""
METRICS = (("psnr_hole", "PSNR", 2), ("identity", "identity", 3))


def summary(records: Mapping[str, Mapping[str, Any]], names: Sequence[str] = SHOWN) -> str:
    """Settings, the differences of some variants to the base, and what the runs cost.

    Args:
        records: dataset → what :func:`facelab.studies.ablation.table.read` read.
        names: of variants, in the order of the rows; those that a record lacks leave a gap there.

    Returns:
        Markdown.
    """
    columns = [
        (f"{words}, `{data}`", {line.variant: line for line in table.lines(content, metric=metric, to="base")}, digits)
        for data, content in records.items()
        for metric, words, digits in METRICS
    ]
    out = [
        "| variant | seeds | " + " | ".join(title for title, _, _ in columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name in names:
        seeds = "/".join(str(len(lines[name].seeds)) for _, lines, _ in columns[:: len(METRICS)] if name in lines)
        cells = [_cell(lines.get(name), digits) for _, lines, digits in columns]
        out.append(f"| {name} | {seeds} | {' | '.join(cells)} |")
    return "\n\n".join(["\n".join(settings(data, content) for data, content in records.items()), "\n".join(out)])


def settings(data: str, content: Mapping[str, Any]) -> str:
    """One sentence about a record: how many runs of how many variants, on what, judged by whom, at what cost."""
    header, rows = content["header"], content["rows"]
    names = list(dict.fromkeys(row["variant"] for row in rows))
    confounded = sum(by_name()[name].confounded for name in names)
    but = f" ({confounded} of them changed in several settings at once)" if confounded else ""
    spent = [row["seconds"] for row in rows]
    return (
        f"`{data}`: {len(rows)} runs, {len(names) - 1} variants and the base they descend from{but}; "
        f"{header['base']['size']} px, {header['steps']:,} steps a run, {header['count']} pictures of "
        f"{len(set(header['people']))} people never seen; {statistics.median(spent):.0f} s a run on one core (median; "
        f"{min(spent):.0f} to {max(spent):.0f}), {sum(spent) / 3600:.1f} core-hours together."
    )


def _cell(line: Line | None, digits: int) -> str:
    if line is None:
        return ""
    if line.failed:
        return "breaks"
    text = f"{line.difference:+.{digits}f} [{line.low:+.{digits}f}, {line.high:+.{digits}f}]"
    return f"**{text}**" if line.verdict in ("better", "worse") else text
