"""Arrays one after the other, as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Stacked:
    """Arrays one after the other, gathered from as if they were one; what is on disk stays there.

    Args:
        parts: each (rows, ...), all of one shape and type but for their length.
    """

    def __init__(self, parts: Sequence[np.ndarray]):
        self.parts, self.ends = list(parts), np.cumsum([len(part) for part in parts])
        self.shape, self.dtype = (int(self.ends[-1]), *parts[0].shape[1:]), parts[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        rows = np.asarray(rows, dtype=np.int64)
        rows = np.where(rows < 0, rows + len(self), rows)
        if ((rows < 0) | (rows >= len(self))).any():
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        which = np.searchsorted(self.ends, rows, side="right")
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for number, part in enumerate(self.parts):
            mine = which == number
            if mine.any():
                out[mine] = part[rows[mine] - (self.ends[number] - len(part))]
        return out
