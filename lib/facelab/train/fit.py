"""The training loop. It counts, watches, records and saves; what a step does is the caller's affair."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facelab.errors import BadConfig, NotFinite
from facelab.train.engine import Engine
from facelab.train.history import History
from facelab.train.prefetch import batches
from facelab.train.progress import reporting
from facelab.train.state import State, rng_state, set_rng_state


@dataclass(frozen=True)
class Outcome:
    """How a call of :func:`fit` ended.

    Args:
        stopped: ``"done"``, ``"budget"`` (time is up) or ``"interrupted"`` (Ctrl-C or SIGTERM).
        step: steps completed in the whole run.
        seconds: wall time of this call.
        logs: numbers of the last step, validation included.
    """

    stopped: str
    step: int
    seconds: float
    logs: dict[str, float]


@dataclass(frozen=True)
class _Hooks:
    save: Callable[[bool], None]
    validate: Callable[[int], Mapping[str, float]] | None
    picture: Callable[[int], None] | None
    curve: Callable[[History], None] | None
    on_bad_batch: Callable[[Any], Path] | None
    history: History
    engine: Engine
    every: int
    save_every: int
    log_every: int
    best: str | None
    higher: bool


def fit(
    step: Callable[[Any], Mapping[str, float]],
    loader: Callable[[int], Any],
    steps: int,
    *,
    state: State,
    save: Callable[[bool], None] | None = None,
    validate: Callable[[int], Mapping[str, float]] | None = None,
    picture: Callable[[int], None] | None = None,
    every: int = 500,
    save_every: int | None = None,
    log_every: int = 1,
    best: str | None = None,
    higher: bool = True,
    history: History | None = None,
    curve: Callable[[History], None] | None = None,
    progress: bool = True,
    seconds: float | None = None,
    engine: Engine | None = None,
    on_bad_batch: Callable[[Any], Path] | None = None,
    prefetch: bool = True,
    on_interrupt: str = "raise",
) -> Outcome:
    """Train from ``state.step`` to ``steps``.

    Args:
        step: batch → named losses (floats). ``state.step`` is the number of steps completed before it.
        loader: step number → batch, the same for the same number, drawing from no global generator: a resumed run then
            sees the batches it would have seen. With an ``engine`` it gives the global batch on the CPU; each process
            takes its slice and moves it to the device.
        steps: number of steps to reach, at most ``state.total_steps`` (which is set from it where it is 0).
        state: the run's state; ``step``, ``best`` and ``best_step`` are written.
        save: called with False for a checkpoint, with True for a new best; see :meth:`facelab.train.run.Run.save`.
        validate: steps done → named metrics, recorded as ``val_<name>``. Global generators are put back afterwards.
        picture: steps done → nothing; draws the validation grid.
        every: steps between validations; the last step validates too.
        save_every: steps between checkpoints; ``every`` by default.
        log_every: steps between rows of the history.
        best: name of the validation metric that decides about the best checkpoint.
        higher: True when more of it is better.
        history: rows are appended to it.
        curve: called with the history after each row; throttles itself.
        progress: show a bar or lines.
        seconds: stop cleanly once this much wall time has passed.
        engine: single CPU process by default, batches then stay as the loader gives them.
        on_bad_batch: batch → file it was kept in, when a loss is not finite.
        prefetch: prepare the next batch in a thread.
        on_interrupt: after Ctrl-C the step is finished and saved, then ``"raise"`` KeyboardInterrupt or ``"return"``.

    Returns:
        how it ended.

    Raises:
        NotFinite: a loss is NaN or infinite; nothing is saved over the last checkpoint.
        BadConfig: impossible ``steps``, ``every`` or ``on_interrupt``.
        KeyboardInterrupt: see ``on_interrupt``.
    """
    _check(steps, state, every, save_every, log_every, on_interrupt)
    begun, row, stopped = time.monotonic(), {}, "done"
    crew = engine or Engine()
    record = history if history is not None else History()
    hooks = _Hooks(save or (lambda best: None), validate, picture, curve, on_bad_batch, record, crew, every,
                   save_every or every, log_every, best, higher)  # fmt: skip
    load = loader if engine is None else lambda number: engine.to_device(engine.shard(loader(number)))
    shown = reporting(state.step, steps, progress and crew.is_main)
    with interrupts() as pressed, shown as report, batches(load, state.step, steps, prefetch) as draw:
        while state.step < steps and stopped == "done":
            row = _advance(step, draw, steps, state, hooks)
            report(state.step, {name: row[name] for name in row if name not in ("step", "seconds", "wait")})
            if state.step < steps:
                stopped = _why_stop(pressed, begun, seconds, crew)
        if stopped != "done" and state.step % hooks.save_every:
            hooks.save(False)
    if stopped == "interrupted" and on_interrupt == "raise":
        raise KeyboardInterrupt(f"stopped at step {state.step} of {steps}; resume to go on")
    return Outcome(stopped, state.step, time.monotonic() - begun, row)


def _check(steps: int, state: State, every: int, save_every: int | None, log_every: int, on_interrupt: str) -> None:
    state.total_steps = state.total_steps or steps
    if not 0 < steps <= state.total_steps:
        raise BadConfig("steps", steps, f"1 to {state.total_steps}, the planned length")
    for name, value in (("every", every), ("save_every", save_every or every), ("log_every", log_every)):
        if value < 1:
            raise BadConfig(name, value, "at least 1")
    if on_interrupt not in ("raise", "return"):
        raise BadConfig("on_interrupt", on_interrupt, "raise or return")


def _advance(step: Callable, draw: Callable, steps: int, state: State, hooks: _Hooks) -> dict[str, float]:
    batch, wait = draw()
    begun = time.perf_counter()
    logs = {name: float(value) for name, value in step(batch).items()}
    _guard(logs, batch, state, hooks)
    state.step += 1
    row: dict[str, Any] = {"step": state.step, **logs, "seconds": time.perf_counter() - begun, "wait": wait}
    last = state.step == steps
    if last or state.step % hooks.every == 0:
        row |= _look(state, hooks)
    if last or state.step % hooks.log_every == 0 or state.step % hooks.every == 0:
        hooks.history.append(**row)
        if hooks.curve and hooks.engine.is_main:
            hooks.curve(hooks.history)
    if last or state.step % hooks.save_every == 0:
        hooks.save(False)
    return row


def _guard(logs: Mapping[str, float], batch: Any, state: State, hooks: _Hooks) -> None:
    bad = [name for name, value in logs.items() if not math.isfinite(value)]
    if hooks.engine.any(bool(bad)):
        saved = hooks.on_bad_batch(batch) if hooks.on_bad_batch else ""
        raise NotFinite(bad[0] if bad else "a loss of another process", state.step, saved)


def _look(state: State, hooks: _Hooks) -> dict[str, float]:
    before = rng_state()
    found = dict(hooks.validate(state.step)) if hooks.validate else {}
    if hooks.picture and hooks.engine.is_main:
        hooks.picture(state.step)
    set_rng_state(before)
    if hooks.best and hooks.validate:
        if hooks.best not in found:
            raise BadConfig("best", hooks.best, "one of " + ", ".join(found))
        value = float(found[hooks.best])
        if math.isfinite(value) and (state.best is None or (value - state.best) * (1 if hooks.higher else -1) > 0):
            state.best, state.best_step = value, state.step
            hooks.save(True)
    return {f"val_{name}": float(value) for name, value in found.items()}


def _why_stop(pressed: list[int], begun: float, seconds: float | None, engine: Engine) -> str:
    if engine.any(bool(pressed)):
        return "interrupted"
    over = seconds is not None and time.monotonic() - begun >= seconds
    return "budget" if engine.any(over) else "done"


@contextlib.contextmanager
def interrupts() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list instead of dying; the same signal once more raises at once.

    Launchers of several processes pass Ctrl-C on as SIGTERM; ``timeout`` and cluster schedulers send it too. Only the
    main thread can listen.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def note(number: int, frame: object) -> None:
        if number in pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
