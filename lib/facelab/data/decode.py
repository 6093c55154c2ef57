"""Fill a memory map with the pictures of a set; computed ones by several processes."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from facelab import images
from facelab.data.dataset import FaceDataset
from facelab.data.waiting import Progress
from facelab.errors import BadImage
from facelab.machine import usable_cores

_CHUNK, _MANY = 32, 400
Row = tuple[int, np.ndarray | str]


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
    for done, (index, found) in enumerate(_pictures(dataset, size, channels), 1):
        if isinstance(found, str):
            rejected.append((dataset.relative(index), found))
        else:
            rows[len(indices)] = found
            indices.append(index)
        progress(done, len(dataset))
    return indices, rejected


def _pictures(dataset: FaceDataset, size: int, channels: int) -> Iterator[Row]:
    """Every picture as bytes (C, S, S), or why there is none, in order."""
    tasks = [(range(a, min(a + _CHUNK, len(dataset))), size, channels) for a in range(0, len(dataset), _CHUNK)]
    several = min(usable_cores(), 8) if dataset.made and len(dataset) >= _MANY else 1
    helpers = [_helper(dataset, tasks[k::several]) for k in range(several)] if several > 1 else []
    try:
        for number, task in enumerate(tasks):
            yield from _answer(helpers[number % several]) or _chunk(dataset, *task) if helpers else _chunk(dataset, *task)
    finally:
        for helper in helpers:
            helper.kill()
            helper.communicate()


def _helper(dataset: FaceDataset, tasks: list[tuple[range, int, int]]) -> subprocess.Popen:
    """A process that works on some chunks, one after the other.

    It is started afresh and told everything: a fork would copy locks that this process's threads hold, and
    multiprocessing would run a caller's script a second time.
    """
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "facelab.data.decode"]
    helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **paths})
    with contextlib.suppress(BrokenPipeError):  # it died at once: its answers are missing, too
        pickle.dump((dataset, tasks), helper.stdin)
        helper.stdin.close()
    helper.stdin = None
    return helper


def _answer(helper: subprocess.Popen) -> list[Row] | None:
    """The next chunk a helper has done; None where it has died."""
    try:
        return pickle.load(helper.stdout)
    except (EOFError, pickle.UnpicklingError):
        return None


def _chunk(dataset: FaceDataset, places: range, size: int, channels: int) -> list[Row]:
    out: list[Row] = []
    for index in places:
        try:
            out.append((index, images.to_uint8(dataset.at(index, size, channels)).numpy()))
        except BadImage as error:
            out.append((index, error.reason))
    return out


if __name__ == "__main__":
    wanted, chunks = pickle.load(sys.stdin.buffer)
    for chunk in chunks:
        pickle.dump(_chunk(wanted, *chunk), sys.stdout.buffer)
        sys.stdout.buffer.flush()
