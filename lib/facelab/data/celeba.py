"""CelebA: pictures beside text files that say who is who, who wears glasses, and which part is official."""

from __future__ import annotations

import os
from pathlib import Path

from facelab.data.dataset import Box, FaceDataset, Item, centre_square
from facelab.errors import LayoutError

CELEBA_PHOTOS = 202_599
HINT = "See data_scripts/celeba.py for where each file is published and how to place it."


def celeba_frame(width: int, height: int) -> Box:
    """A 144 px square of an aligned 178×218 file, eyes at 43 % of its height, so framed like LFW's centre crop."""
    return (17, 49, 161, 193) if (width, height) == (178, 218) else centre_square(width, height)


def open_celeba(root: Path) -> FaceDataset:
    """``celeba/img_align_celeba/000001.jpg`` … with its attribute, identity and partition files.

    The groups are ``glasses`` and ``no_glasses`` (attribute ``Eyeglasses``) and the publisher's ``official_train``,
    ``official_val`` and ``official_test``. Our own splits are by identity.

    Raises:
        LayoutError: a file is missing or malformed.
    """
    folder = root / "celeba"
    pictures = folder / "img_align_celeba"
    if not pictures.is_dir():
        raise LayoutError(folder, "celeba/img_align_celeba/", "no such folder", HINT)
    people = {name: values[0] for name, values in _rows(folder / "identity_CelebA.txt", 1)}
    partition = {name: values[0] for name, values in _rows(folder / "list_eval_partition.txt", 1)}
    if odd := set(partition.values()) - {"0", "1", "2"}:
        raise LayoutError(folder / "list_eval_partition.txt", "0, 1 or 2 after each name", f"also {min(odd)!r}", HINT)
    glasses = _glasses(folder / "list_attr_celeba.txt")
    present = sorted(e.name for e in os.scandir(pictures) if e.name.endswith(".jpg") and not e.name.startswith("."))
    names = [name for name in present if name in people]
    if not names:
        raise LayoutError(pictures, "000001.jpg …, listed in identity_CelebA.txt", f"{len(present)} others", HINT)
    dataset = FaceDataset("celeba", folder, [Item(pictures / n, people[n]) for n in names], frame=celeba_frame)
    dataset.groups = _groups(names, glasses, partition)
    if len(names) < CELEBA_PHOTOS:
        dataset.notes.append(f"partial: {len(names):,} of {CELEBA_PHOTOS:,} photos")
    if len(names) < len(present):
        dataset.notes.append(f"{len(present) - len(names)} photos are not in identity_CelebA.txt and are left out")
    return dataset


def _groups(names: list[str], glasses: dict[str, bool], partition: dict[str, str]) -> dict[str, list[int]]:
    official = {"0": "official_train", "1": "official_val", "2": "official_test"}
    groups: dict[str, list[int]] = {"glasses": [], "no_glasses": [], **{name: [] for name in official.values()}}
    for index, name in enumerate(names):
        if name in glasses:
            groups["glasses" if glasses[name] else "no_glasses"].append(index)
        if name in partition:
            groups[official[partition[name]]].append(index)
    return groups


def _rows(path: Path, columns: int, skip: int = 0) -> list[tuple[str, list[str]]]:
    """``name value …`` lines, every one with exactly ``columns`` values."""
    if not path.is_file():
        raise LayoutError(path, "a text file of the set", "nothing", HINT)
    rows = []
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if number <= skip or not words:
            continue
        if len(words) != columns + 1:
            raise LayoutError(path, f"a name and {columns} values a line", f"{len(words)} words, line {number}", HINT)
        rows.append((words[0], words[1:]))
    return rows


def _glasses(path: Path) -> dict[str, bool]:
    if not path.is_file():
        raise LayoutError(path, "the attribute file", "nothing", HINT)
    with open(path, encoding="utf-8", errors="replace") as lines:
        next(lines, "")  # the count; a subset's file keeps the original one, so it is not compared
        header = next(lines, "").split()
    if "Eyeglasses" not in header:
        raise LayoutError(path, "attribute names on line 2, Eyeglasses among them", " ".join(header[:4]), HINT)
    column = header.index("Eyeglasses")
    return {name: values[column] == "1" for name, values in _rows(path, len(header), skip=2)}
