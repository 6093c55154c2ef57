"""Progress of a long run: a bar where somebody watches, plain lines where a file listens."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Mapping

Report = Callable[[int, Mapping[str, float]], None]
LINE_EVERY = 20.0  # seconds between plain lines


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
    elif in_notebook() or sys.stderr.isatty():
        yield from _bar(start, stop)
    else:
        yield _lines(start, stop)


def _bar(start: int, stop: int) -> Iterator[Report]:
    if in_notebook() and importlib.util.find_spec("ipywidgets"):
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm

    with tqdm(total=stop, initial=start, unit="step", smoothing=0.05, leave=True) as bar:

        def report(step: int, logs: Mapping[str, float]) -> None:
            bar.set_postfix_str(short(logs), refresh=False)
            bar.update(step - bar.n)

        yield report


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
