"""The lists of CASIA NIR-VIS 2.0: what a protocol trains on, what its gallery holds, and what it asks for.

They lie in ``protocols/`` and write ``s1\\VIS\\00001\\001.jpg``, whatever the picture's ending is on disk.
Taught in: lesson 08.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from facelab.data.casia_names import ending, photo_of, photos
from facelab.data.dataset import FaceDataset
from facelab.errors import BadConfig, LayoutError

LISTS = ("protocols", "protocol")
LINE = r"s1\VIS\00001\001.jpg"
HINT = "Run data_scripts/casia.py: it says who may have the set and how to place it."
_LIST = re.compile(r"(?:vis|nir)_(?:train|gallery|probe)_\w+", re.IGNORECASE)


def protocol(dataset: FaceDataset, name: str, partial: bool = False) -> list[int]:
    """The pictures of one of the publisher's lists.

    A line may have either separator and the other ending: a list that says jpg where bmp lies here is followed, and
    ``dataset.notes`` says so. Whole photographs and crops have the same lists.

    Args:
        dataset: a set from :func:`facelab.data.casia.open_casia`.
        name: ``vis_train_1``, ``nir_train_1``, ``vis_gallery_1``, ``nir_probe_1`` (to ``_10``, or ``_dev``).
        partial: True leaves out lines whose picture is not here and says in ``dataset.notes`` how many.

    Returns:
        Dataset indices in the list's order.

    Raises:
        BadConfig: no list of the set is called so.
        LayoutError: the list is not there, or lines of it have no picture here.

    Taught in: 08.
    """
    file = _list(dataset.root, name.removesuffix(".txt"))
    seen = {photo.key: index for index, photo in enumerate(photos(dataset)) if photo}
    lines = entries(file)
    indices = [_find(seen, line) for line in lines]
    missing = [line for line, index in zip(lines, indices, strict=True) if index is None]
    says = f"{len(missing):,} of {len(lines):,} lines without a picture here"
    says += f", for example {missing[0]}" if missing else ""
    if len(missing) == len(lines) or (missing and not partial):
        hint = f"Place the missing sessions, or read it with partial=True. {HINT}"
        raise LayoutError(file, f"lines such as {LINE}, each a picture", says if lines else "an empty file", hint)
    kept = [(line, index) for line, index in zip(lines, indices, strict=True) if index is not None]
    other = [(line, dataset.relative(i)) for line, i in kept if ending(line) != ending(dataset.items[i].file)]
    told = [f"{file.name}: {says}"] if missing else []
    if other:
        told.append(f"{file.name}: {len(other):,} lines have another ending here, {other[0][0]} is {other[0][1]}")
    dataset.notes += [note for note in told if note not in dataset.notes]
    return [index for _, index in kept]


def _find(seen: dict[tuple, int], line: str) -> int | None:
    """The index of the picture that a line names; of crops in no session's folder the session is not asked for."""
    photo = photo_of(line)
    if photo is None:
        return None
    subject, modality, _, number = photo.key
    return seen.get(photo.key, seen.get((subject, modality, 0, number)))


def _list(place: Path, name: str) -> Path:
    if not _LIST.fullmatch(name):
        raise BadConfig("protocol", name, "vis_train_1, nir_train_1, vis_gallery_1, nir_probe_1 (to _10, or _dev)")
    here = lists(place)
    if name.lower() in here:
        return here[name.lower()]
    found = f"only {', '.join(sorted(here)[:8])}" if here else "no list"
    hint = f"Put the publisher's lists into {LISTS[0]}/ beside s1/; they may have to be fetched apart. {HINT}"
    raise LayoutError(place / LISTS[0] / f"{name}.txt", "a list of the set", found, hint)


def lists(place: Path) -> dict[str, Path]:
    """Every list by its name in lower case; they lie in the set's folder or beside it."""
    folders = [found for base in (place, place.parent) for name in LISTS if (found := inside(base, name))]
    files = (file for folder in folders[:1] for file in sorted(folder.iterdir()) if file.suffix.lower() == ".txt")
    return {file.stem.lower(): file for file in files if _LIST.fullmatch(file.stem)}


def named(place: Path) -> dict[tuple, str]:
    """The ending that the lists give each picture they name."""
    lines = (line for file in lists(place).values() for line in entries(file))
    return {photo.key: ending(line) for line in lines if (photo := photo_of(line))}


def entries(file: Path) -> list[str]:
    """The lines of a list that are not empty, the first word of each: a path with backslashes."""
    lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def children(folder: Path) -> dict[str, Path]:
    """The visible folders in ``folder`` by their names in lower case; none where it is no folder."""
    try:
        found = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return {}
    return {name.lower(): folder / name for name in found}


def inside(folder: Path, *names: str) -> Path | None:
    """The folder of these names in ``folder``, in whatever case; None where there is none."""
    for name in names:
        if (folder := children(folder).get(name.lower())) is None:
            return None
    return folder
