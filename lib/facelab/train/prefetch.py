"""Batches one step ahead of training."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

Draw = Callable[[], tuple[Any, float]]


@contextlib.contextmanager
def batches(loader: Callable[[int], Any], start: int, stop: int, ahead: bool = True) -> Iterator[Draw]:
    """Give a function whose calls return ``loader(start)``, ``loader(start + 1)``, … and the seconds waited for it.

    With ``ahead``, one thread prepares the next batch while the current step computes. The result is the same bits,
    because the loader depends on the step number alone; it must not draw from global generators. The thread computes on
    one core: with as many as the training has, both wait for each other at every operation.

    Args:
        loader: step number → batch.
        start: first step number.
        stop: no batch from here on is asked for.
        ahead: use the thread.
    """
    numbers = iter(range(start, stop))

    def load(number: int) -> Any:
        with torch.no_grad():
            return loader(number)

    def timed(take: Callable[[], Any]) -> tuple[Any, float]:
        begun = time.perf_counter()
        return take(), time.perf_counter() - begun

    if not ahead:
        yield lambda: timed(lambda: load(next(numbers)))
        return
    cores = torch.get_num_threads()
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        thread.submit(_one_core).result()
        torch.set_num_threads(cores)  # that call also changed what threads started later would get
        waiting = [thread.submit(load, number) for number in [next(numbers, None)] if number is not None]

        def take() -> Any:
            batch = waiting.pop().result()
            following = next(numbers, None)
            if following is not None:
                waiting.append(thread.submit(load, following))
            return batch

        yield lambda: timed(take)


def _one_core() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread keeps the number it finds at its first question
