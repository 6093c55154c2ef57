"""Curves that grow while a net trains."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from facelab.show.canvas import png
from facelab.show.charts import curves
from facelab.train.history import History
from facelab.train.progress import in_notebook


@dataclass
class LiveCurve:
    """Draws a run's history under the training cell; give it to ``fit`` as ``curve``.

    The picture is an ordinary PNG that is replaced in place, so the last one stays in saved, headless and printed
    copies. Outside a notebook nothing is drawn.

    Args:
        names: which numbers of the history; by default all.
        every: least seconds between two pictures. Drawing takes about a tenth of a second.
        share: at most this share of the time is spent drawing.
        steps: the run's last step, whose picture is always drawn; 0 where unknown, then call :meth:`finish`.

    Taught in: 04.
    """

    names: Sequence[str] | None = None
    every: float = 2.0
    share: float = 0.02
    steps: int = 0
    drawn: int = 0
    _handle: Any = field(default=None, repr=False)
    _next: float = field(default=0.0, repr=False)
    _last: History | None = field(default=None, repr=False)

    def __call__(self, history: History) -> None:
        """Show the history as it is now, unless the last picture is too young."""
        self._last = history
        last = bool(self.steps and history.rows and history.rows[-1]["step"] >= self.steps)
        if in_notebook() and (last or time.monotonic() >= self._next):
            self._show(history)

    def finish(self) -> None:
        """Show the last history given, whatever its age."""
        if self._last is not None and in_notebook():
            self._show(self._last)

    def _show(self, history: History) -> None:
        from IPython.display import Image, display

        began = time.monotonic()
        figure = curves(history, self.names)
        width = round(figure.get_size_inches()[0] * 96)
        picture = Image(png(figure), format="png", width=width)
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)
        self.drawn += 1
        now = time.monotonic()
        self._next = now + max(self.every, (now - began) * (1 / self.share - 1))
