"""Fill a memory map with the pictures of a set; computed ones by several processes."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facelab import images
from facelab.data.dataset import FaceDataset
from facelab.data.waiting import Progress
from facelab.errors import BadImage
from facelab.machine import usable_cores

CHUNK, MANY, HELPERS = 32, 400, 8
"""Pictures a helper works on at a time; from how many on there are helpers; and how many of these at most."""
Row = tuple[int, np.ndarray | str]
Chunk = tuple[range, int, int]


def decode(
    dataset: FaceDataset, size: int, channels: int, rows: np.ndarray, progress: Progress
) -> tuple[list[int], list[tuple[str, str]]]:
    """Write every usable picture into ``rows``, in the order of the set.

    Args:
        dataset: any set.
        size: side, pixels. channels: 1 or 3.
        rows: uint8 (len(dataset), channels, size, size), filled from the front.
        progress: called with (done, all).

    Returns:
        Dataset index of each row written; and (file, reason) of each picture that could not be used.
    """
    indices, rejected = [], []
    with contextlib.closing(_pictures(dataset, size, channels)) as pictures:
        for done, (index, found) in enumerate(pictures, 1):
            if isinstance(found, str):
                rejected.append((dataset.relative(index), found))
            else:
                rows[len(indices)] = found
                indices.append(index)
            progress(done, len(dataset))
    return indices, rejected


def keep_first(rows: np.memmap, count: int, source: Path, target: Path) -> None:
    """Give the first ``count`` of the rows in the file ``source`` another file name; the rest go."""
    rows.flush()
    if count == len(rows):
        os.rename(source, target)
        return
    np.save(target, rows[:count])
    source.unlink()


def _pictures(dataset: FaceDataset, size: int, channels: int) -> Iterator[Row]:
    """Every picture as bytes (C, S, S), or why there is none, in order."""
    chunks = [(range(a, min(a + CHUNK, len(dataset))), size, channels) for a in range(0, len(dataset), CHUNK)]
    return in_order(_worked, dataset, chunks)


def in_order(work: Callable[[FaceDataset, Any], list], dataset: FaceDataset, chunks: Sequence[Any]) -> Iterator:
    """What ``work(dataset, chunk)`` lists, chunk by chunk; by several processes where pictures are computed.

    Args:
        work: a function of a module, so that another process can import it.
        dataset: any set. chunks: of about :data:`CHUNK` pictures each.
    """
    several = min(usable_cores(), HELPERS) if dataset.made and len(chunks) * CHUNK >= MANY else 0
    helpers = [_helper() for _ in range(several)] if several > 1 else []
    try:
        for place, helper in enumerate(helpers):
            _tell(helper, work, dataset, chunks[place::several])
        for number, chunk in enumerate(chunks):
            done = _answer(helpers[number % several]) if helpers else None
            yield from work(dataset, chunk) if done is None else done
    finally:
        for helper in helpers:
            helper.kill()
            helper.communicate()


def _helper() -> subprocess.Popen:
    """A process that will work on chunks.

    It is started afresh and told everything: a fork would copy locks that this process's threads hold, and
    multiprocessing would run a caller's script a second time.
    """
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "facelab.data.decode"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **paths})


def _tell(helper: subprocess.Popen, work: Callable, dataset: FaceDataset, chunks: Sequence[Any]) -> None:
    """Send a helper what it shall work on, one chunk after the other."""
    for do, *what in ((helper.stdin.write, pickle.dumps((work, dataset, chunks))), (helper.stdin.close,)):
        with contextlib.suppress(BrokenPipeError):  # it died at once: its answers will be missing
            do(*what)
    helper.stdin = None


def _answer(helper: subprocess.Popen) -> list | None:
    """The next chunk a helper has done; None where it has died."""
    try:
        return pickle.load(helper.stdout)
    except (EOFError, pickle.UnpicklingError):
        return None


def _worked(dataset: FaceDataset, chunk: Chunk) -> list[Row]:
    """The pictures of one chunk."""
    places, size, channels = chunk
    out: list[Row] = []
    for index in places:
        try:
            out.append((index, images.to_uint8(dataset.at(index, size, channels)).numpy()))
        except BadImage as error:
            out.append((index, error.reason))
    return out


def _help() -> None:
    """What a helper does; answers leave by a channel of their own, so that nothing that is printed gets among them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # and without that one it ends
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work, dataset, chunks = pickle.load(sys.stdin.buffer)
    for chunk in chunks:
        pickle.dump(work(dataset, chunk), answers)
        answers.flush()


if __name__ == "__main__":
    _help()
