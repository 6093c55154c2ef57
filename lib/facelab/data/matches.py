"""Where each place of a frontal picture is seen in its turned one, for a whole set, kept on disk.

Taught in: lesson 07.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facelab import files
from facelab.data.dataset import FaceDataset
from facelab.data.decode import CHUNK, in_order
from facelab.data.fingerprints import fingerprint, place_of
from facelab.data.stacked import Stacked
from facelab.data.waiting import Progress, said_in_lines
from facelab.synth.match import SIZE, VERSION


def matches(
    dataset: FaceDataset, root: str | Path | None = None, progress: Progress | None = None
) -> np.ndarray | Stacked | None:
    """The maps of all turned pictures of a set's pairs, computed once.

    Args:
        dataset: a set with pairs.
        root: where caches live; :func:`facelab.files.cache_root` where None.
        progress: called with (done, all) while computing; None = a line on stderr now and then.

    Returns:
        (pairs, 3, 32, 32) float16, a memory map, see :func:`facelab.synth.match.match`; None where the set does not
        know them.
    """
    if dataset.parts:
        return _stacked(dataset, root, progress)
    sides = [side for side, _ in dataset.pairs]
    if not sides or dataset.known_match(sides[0], SIZE) is None:
        return None
    path = place_of(dataset, f"matches{VERSION}_{SIZE}", fingerprint(dataset), root).with_suffix(".npy")
    if not _usable(path, len(sides)):
        _build(path, dataset, sides, progress or said_in_lines(f"matching {dataset.name}"))
    return np.load(path, mmap_mode="r")


def _stacked(dataset: FaceDataset, root: str | Path | None, progress: Progress | None) -> Stacked | None:
    """The maps of a joined set's parts one after the other, of a part that does not know zeros; None where none does."""
    found = [matches(part, root, progress) for part in dataset.parts]
    if all(maps is None for maps in found):
        return None
    empty = [np.zeros((len(part.pairs), 3, SIZE, SIZE), np.float16) for part in dataset.parts]
    return Stacked([zero if maps is None else maps for maps, zero in zip(found, empty, strict=True)])


def _usable(path: Path, count: int) -> bool:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False).shape == (count, 3, SIZE, SIZE)
    except (OSError, ValueError):
        return False


def _build(path: Path, dataset: FaceDataset, sides: Sequence[int], tell: Progress) -> None:
    chunks = [sides[start : start + CHUNK] for start in range(0, len(sides), CHUNK)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_path(path) as temporary:
        shape = (len(sides), 3, SIZE, SIZE)
        rows = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        for place, found in enumerate(in_order(_chunk, dataset, chunks)):
            rows[place] = found
            tell(place + 1, len(sides))
        rows.flush()


def _chunk(dataset: FaceDataset, sides: Sequence[int]) -> list[np.ndarray]:
    zero = np.zeros((3, SIZE, SIZE), np.float16)
    found = (dataset.known_match(index, SIZE) for index in sides)
    return [zero if one is None else one.astype(np.float16) for one in found]
