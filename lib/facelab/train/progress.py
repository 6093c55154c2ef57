"""Progress of a long run: a bar where somebody watches, plain lines where a file listens."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping

Report = Callable[[int, Mapping[str, float]], None]
LINE_EVERY = 20.0  # seconds between plain lines
CELL_EVERY = 0.25  # seconds between changes of the line under a cell


def in_notebook() -> bool:
    """True inside a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextlib.contextmanager
def reporting(start: int, stop: int, show: bool = True) -> Iterator[Report]:
    """Give a function to call after each step with the number of steps done and the numbers of the last one.

    Args:
        start: steps done before.
        stop: steps to reach.
        show: False reports nothing.
    """
    if not show:
        yield lambda step, logs: None
    elif in_notebook():
        yield from _cell(start, stop)
    elif sys.stderr.isatty():
        yield from _bar(start, stop)
    else:
        yield _lines(start, stop)


def _bar(start: int, stop: int) -> Iterator[Report]:
    from tqdm import tqdm

    with tqdm(total=stop, initial=start, unit="step", smoothing=0.05) as bar:

        def report(step: int, logs: Mapping[str, float]) -> None:
            bar.set_postfix_str(short(logs), refresh=False)
            bar.update(step - bar.n)

        yield report


def _cell(start: int, stop: int) -> Iterator[Report]:
    """One line of text under the cell, rewritten in place: unlike a widget, its last state stays in a saved copy."""
    from IPython.display import display
    from tqdm import tqdm

    begun = time.monotonic()
    line = {"step": start, "logs": {}, "shown": begun}

    def text() -> dict[str, str]:
        taken = time.monotonic() - begun
        bar = tqdm.format_meter(line["step"], stop, taken, unit="step", initial=start, postfix=short(line["logs"]))
        return {"text/plain": bar}

    handle = display(text(), raw=True, display_id=True)

    def report(step: int, logs: Mapping[str, float]) -> None:
        line.update(step=step, logs=logs)
        if time.monotonic() - line["shown"] > CELL_EVERY:
            line["shown"] = time.monotonic()
            handle.update(text(), raw=True)

    try:
        yield report
    finally:
        handle.update(text(), raw=True)


def _lines(start: int, stop: int) -> Report:
    begun = time.monotonic()
    last = [begun]

    def report(step: int, logs: Mapping[str, float]) -> None:
        now = time.monotonic()
        if step < stop and now - last[0] < LINE_EVERY:
            return
        last[0] = now
        pace = (now - begun) / max(1, step - start)
        left = pace * (stop - step) / 60
        print(f"step {step}/{stop}  {short(logs)}  {pace * 1000:.0f} ms/step  {left:.1f} min left", flush=True)

    return report


def short(logs: Mapping[str, float], most: int = 6) -> str:
    """The first numbers of a row on one line."""
    return "  ".join(f"{name} {value:.4g}" for name, value in list(logs.items())[:most])
