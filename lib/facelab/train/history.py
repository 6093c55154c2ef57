"""The record of a run: one JSON object a line, readable while the run goes on."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facelab.files import write_text


@dataclass
class History:
    """Rows of numbers by step, in memory and, where a path is given, in a ``.jsonl`` file.

    Args:
        path: the file to append to; rows already in it are read. None keeps the rows in memory only.
        rows: one dict a step, ``step`` being the number of steps completed.
    """

    path: Path | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self):
        if self.path is not None:
            self.path = Path(self.path)
            self.rows = read(self.path) + self.rows

    def append(self, step: int, **values: Any) -> dict[str, Any]:
        """Add a row and write it at once. Numbers that are not finite are kept as null."""
        row = {"step": step, **{name: _finite(value) for name, value in values.items()}}
        self.rows.append(row)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
        return row

    def truncate(self, step: int) -> None:
        """Drop rows after ``step``: a resumed run writes them again."""
        self.rows = [row for row in self.rows if row["step"] <= step]
        if self.path is not None:
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))

    def column(self, name: str) -> tuple[list[int], list[float]]:
        """Steps and values of one number, where it was recorded."""
        pairs = [(row["step"], row[name]) for row in self.rows if row.get(name) is not None]
        return [step for step, _ in pairs], [value for _, value in pairs]


def read(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a history file; a line cut short by a killed process is left out."""
    path = Path(path)
    if not path.is_file():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
