"""Decoded pictures on disk as bytes, so that a training step gathers rows instead of decoding files.

On two CPU cores decoding is a few per cent of a training step; the cache pays in evaluation, in sweeps and on a GPU.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facelab import files, images
from facelab.data import splits
from facelab.data.dataset import FaceDataset
from facelab.data.decode import decode, keep_first
from facelab.data.fingerprints import fingerprint, place_of
from facelab.data.stacked import Stacked
from facelab.data.waiting import Progress, said_in_lines
from facelab.errors import BadConfig, BadImage, LayoutError

KNOWN = 128  # pixels; the side for which a set is asked for landmarks that it knows


@dataclass(frozen=True)
class Cached:
    """A dataset at one size, decoded.

    Args:
        dataset: the set it was made from.
        size: side of the square images, pixels.
        channels: 1 or 3.
        pixels: uint8 (rows, C, size, size), a memory map.
        indices: dataset index of each row, int64 (rows,).
        rejected: (file below the set's root, reason) of every picture that could not be used.

    Taught in: 01.
    """

    dataset: FaceDataset
    size: int
    channels: int
    pixels: np.ndarray | Stacked
    indices: np.ndarray
    rejected: list[tuple[str, str]]

    def __len__(self) -> int:
        return len(self.indices)

    def batch(self, rows: Sequence[int]) -> Tensor:
        """Rows as images (N, C, size, size) in [-1, 1]."""
        return images.from_uint8(torch.from_numpy(self.pixels[np.asarray(rows, dtype=np.int64)]))

    def rows(self, split: splits.Split) -> list[int]:
        """Row numbers of one split, see :func:`facelab.data.splits.split`."""
        return self.rows_of(splits.split(self.dataset, split))

    def rows_of(self, indices: Sequence[int]) -> list[int]:
        """Row numbers of dataset indices; those of rejected pictures are left out."""
        return np.flatnonzero(np.isin(self.indices, np.asarray(indices, dtype=np.int64))).tolist()


def cached(
    dataset: FaceDataset,
    size: int,
    channels: int | None = None,
    root: str | Path | None = None,
    progress: Progress | None = None,
) -> Cached:
    """The dataset as a memory map of bytes; built when it is missing, stale or damaged.

    Args:
        dataset: any set of the catalogue.
        size: side of the square, pixels.
        channels: 1 or 3; None = the set's own.
        root: where caches live; :func:`facelab.files.cache_root` where None.
        progress: called with (done, all) while building; None = a line on stderr now and then.

    Raises:
        LayoutError: not one picture of the set can be used.
    """
    channels = dataset.channels if channels is None else channels
    if size < 1 or channels not in (1, 3):
        raise BadConfig("size, channels", (size, channels), "a positive size, and 1 or 3 channels")
    if dataset.parts:
        return _stacked(dataset, [cached(part, size, channels, root, progress) for part in dataset.parts])
    key = fingerprint(dataset)
    folder = place_of(dataset, f"{size}x{channels}", key, root)
    expected = {"fingerprint": key, "size": size, "channels": channels}
    usable = lambda: _open(dataset, folder, expected)  # noqa: E731
    if (found := usable()) is None:
        with _building(folder, usable) as temporary:
            _build(dataset, temporary, expected, progress or said_in_lines(f"decoding {dataset.name}"))
        found = usable()
    if found is None:
        raise LayoutError(folder, "the cache just written", "something else", "Is the disk full? Delete the folder.")
    return found


def _stacked(dataset: FaceDataset, caches: list[Cached]) -> Cached:
    """The caches of a joined set's parts as one."""
    starts = np.cumsum([0, *(len(part) for part in dataset.parts)])
    indices = np.concatenate([start + cache.indices for start, cache in zip(starts, caches, strict=False)])
    rejected = [(f"{cache.dataset.name}/{file}", why) for cache in caches for file, why in cache.rejected]
    pixels, first = Stacked([cache.pixels for cache in caches]), caches[0]
    return Cached(dataset, first.size, first.channels, pixels, indices, rejected)


def _open(dataset: FaceDataset, folder: Path, expected: dict) -> Cached | None:
    """The cache in ``folder``, or None where it is missing, of other files, or damaged."""
    try:
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        pixels = np.load(folder / "pixels.npy", mmap_mode="r", allow_pickle=False)
        indices = np.asarray(meta["indices"], dtype=np.int64)
        size, channels = expected["size"], expected["channels"]
        fits = pixels.dtype == np.uint8 and pixels.shape == (len(indices), channels, size, size)
        if not fits or any(meta[name] != value for name, value in expected.items()):
            return None
        return Cached(dataset, size, channels, pixels, indices, [tuple(pair) for pair in meta["rejected"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _building(folder: Path, usable: Callable[[], object | None]) -> Iterator[Path]:
    """A temporary folder that takes ``folder``'s name when the block ends well; older caches of the set go.

    Where another process has finished the same cache in the meantime, its copy stays: it may be reading it already.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
        _publish(temporary, folder, usable)
        stem = folder.name.rsplit("-", 1)[0]
        for old in {*folder.parent.glob(f"{stem}-????????????????")} - {folder}:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _publish(temporary: Path, folder: Path, usable: Callable[[], object | None]) -> None:
    for _ in range(2):
        with contextlib.suppress(OSError):  # something has the name already
            return os.rename(temporary, folder)
        if usable() is not None:
            return
        shutil.rmtree(folder, ignore_errors=True)


def _build(dataset: FaceDataset, folder: Path, expected: dict, progress: Progress) -> None:
    size, channels = expected["size"], expected["channels"]
    shape = (len(dataset), channels, size, size)
    raw = np.lib.format.open_memmap(folder / "all.npy", mode="w+", dtype=np.uint8, shape=shape)
    indices, rejected = decode(dataset, size, channels, raw, progress)
    if not indices:
        found = f"{len(rejected)} that do not: {rejected[:3]}"
        raise LayoutError(dataset.root, "pictures that decode", found, "Check the files; fetch the set again.")
    keep_first(raw, len(indices), folder / "all.npy", folder / "pixels.npy")
    meta = {**expected, "dataset": dataset.name, "indices": indices, "rejected": rejected}
    files.write_text(folder / "meta.json", json.dumps(meta))


def landmarks(
    dataset: FaceDataset, size: int, root: str | Path | None = None, progress: Progress | None = None
) -> tuple[Tensor, list[str]]:
    """The 68 landmarks of every picture, found once at the file's own scale, kept on disk, scaled to ``size``.

    Args:
        dataset: any set of the catalogue.
        size: side of the square the landmarks shall be for, pixels.
        root: where caches live; :func:`facelab.files.cache_root` where None.
        progress: called with (done, all) while building; None = a line on stderr now and then.

    Returns:
        Landmarks (N, 68, 2), pixel (x, y), N = ``len(dataset)``, NaN where no face was found; and the files, below
        the set's root, without a face or without a readable picture. For the rows of a cache: ``[cached.indices]``.
    """
    path = place_of(dataset, "landmarks", fingerprint(dataset), root).with_suffix(".npz")
    points, sides, done = _stored(path, len(dataset))
    if done < len(dataset):
        _find(dataset, path, points, sides, done, progress or said_in_lines(f"finding faces in {dataset.name}"))
    scale = torch.from_numpy(size / sides)[:, None, None]
    scaled = (torch.from_numpy(points) + 0.5) * scale - 0.5  # pixel centres, as the resize sees them
    lost = np.flatnonzero(np.isnan(points[:, 0, 0]))
    return scaled.float(), [dataset.relative(int(index)) for index in lost]


def _stored(path: Path, count: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Landmarks, sides of the pictures and how many are done; empty where nothing usable is on disk."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            points, sides, done = stored["points"], stored["sides"], int(stored["done"])
        if points.shape == (count, 68, 2) and sides.shape == (count,):
            return points, sides, done
    except Exception:  # missing or damaged in any way: they are found again
        pass
    return np.full((count, 68, 2), np.nan), np.ones(count), 0


def _look(dataset: FaceDataset, index: int) -> tuple[Tensor | None, int]:
    """Landmarks of one picture, and the side they are for; a set that knows them is asked, dlib only looks."""
    if (known := dataset.known_landmarks(index, KNOWN)) is not None:
        return known, KNOWN
    from facelab.faces.landmarks import find_landmarks  # dlib only when it must be

    image = dataset[index]
    return find_landmarks(image), image.shape[-1]


def _find(dataset: FaceDataset, path: Path, points: np.ndarray, sides: np.ndarray, done: int, tell: Progress) -> None:
    """Fill in landmarks from picture ``done`` on; what is found is kept every 250 pictures, for it takes minutes."""
    for index in range(done, len(dataset)):
        with contextlib.suppress(BadImage):
            found, sides[index] = _look(dataset, index)
            if found is not None:
                points[index] = found.numpy()
        if (index + 1) % 250 == 0 or index + 1 == len(dataset):
            with files.atomic_path(path) as temporary:
                np.savez(temporary, points=points, sides=sides, done=index + 1)
        tell(index + 1, len(dataset))
    for old in {*path.parent.glob(f"{path.stem.rsplit('-', 1)[0]}-*.npz")} - {path}:
        old.unlink(missing_ok=True)
