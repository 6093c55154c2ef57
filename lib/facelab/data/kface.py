"""K-FACE: 400 people before 20 cameras, under 30 lights; what its names mean, and how a copy of it is opened.

``{High|Middle|Low}_Resolution/19062421/S001/L1/E01/C7.jpg`` is a person, an accessory, a light, an expression and a
camera. Whoever writes pictures by the same scheme, as our own rendered set does, opens them by :func:`open_shots`.
Taught in: lesson 07.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from facelab.data.dataset import PICTURES, FaceDataset, Item
from facelab.data.kface_names import (
    ACCESSORIES,
    CAMERAS,
    EXPRESSIONS,
    FRONTAL_CAMERA,
    INPUTS,
    LIGHTS,
    RESOLUTIONS,
    ROW,
    TARGETS,
    Camera,
    Light,
    Shot,
    angle_index,
    shot_of,
)
from facelab.data.layouts import first_folder
from facelab.errors import LayoutError

FOLDERS = ("kface", "KFACE", "K-FACE")
CROPPED, RECORD = "kface-cropped", "cut.json"
PEOPLE, PICTURES_EACH = 400, 10_800
SCHEME = "Middle_Resolution/19062421/S001/L1/E01/C7.jpg …, or X/ and Y/ with 001-001-01-01-02.jpg …"
HINT = "Run data_scripts/kface.py: it says who may have the set and how to place it."


def shots(dataset: FaceDataset) -> list[Shot]:
    """What each picture of a set from :func:`open_shots` shows, parallel to its items."""
    return [shot_of(item.file) for item in dataset.items]


def open_kface(root: Path, cropped: bool = True) -> FaceDataset:
    """K-FACE under the root of all datasets: ``kface-cropped/`` where there is one, else ``kface/``.

    Args:
        root: the folder that holds all datasets.
        cropped: False passes the cropped copy over.

    Raises:
        LayoutError: it is not there, no picture is named so, or nobody's canonical frontal is there.

    Source: Choi et al. 2021, *K-FACE: A Large-Scale KIST Face Database* (arXiv 2103.02211).
    Taught in: 07.
    """
    begun = cropped and _folders(root / CROPPED)  # not only the tables that cutting begins with
    places = [root / name for name in ((CROPPED,) if begun else ()) + FOLDERS]
    folder = first_folder(places, f"kface/ with {SCHEME}", HINT)
    dataset = open_shots(folder, "kface", HINT)
    whole, people = PEOPLE * PICTURES_EACH, len(dataset.identities)
    if folder.name == CROPPED:
        dataset.notes.append("faces cut out of the photographs; those without one are listed in dropped.csv")
        dataset.notes += ["not all of them: run data_scripts/kface.py --cut again"] if _unfinished(folder) else []
    elif TARGETS not in dataset.groups:
        dataset.notes.append("whole photographs: data_scripts/kface.py --cut cuts the faces out")
        if len(dataset) < whole:
            dataset.notes.append(f"partial: {len(dataset):,} of {whole:,} pictures, {people:,} of {PEOPLE} people")
    return dataset


def _unfinished(folder: Path) -> bool:
    """Whether the record of a cropped copy, where there is one, says that cutting was interrupted."""
    try:
        return not json.loads((folder / RECORD).read_text("utf-8")).get("finished", True)
    except (OSError, ValueError, AttributeError):
        return False


def open_shots(folder: Path, name: str, hint: str = "Name the pictures by K-FACE's scheme.") -> FaceDataset:
    """Pictures named by K-FACE's scheme, or pair folders ``X/`` and ``Y/``; only names are looked at.

    ``groups`` are ``C1`` … ``C20``, and ``Y`` in pair folders. ``pairs`` leads from every other picture, those of
    camera 7 under another light or with another expression included, to the canonical frontal of the same person and
    accessory; in pair folders from ``X`` to the picture of the same name in ``Y``, never by order.

    Args:
        folder: holds the tree or the pair folders, or one folder that does.
        name: the catalogue's name.
        hint: what an error tells the user to do.

    Raises:
        LayoutError: no picture is named so, or no picture has its canonical frontal.

    Taught in: 07.
    """
    place, parts, notes = _where(folder)
    found, odd = _scan(place, parts)
    if not found:
        seen = f"{len(odd):,} pictures, none named so, for example {odd[0]}" if odd else "no pictures"
        raise LayoutError(folder, SCHEME, seen, hint)
    items = [Item(file, shot.person) for shot, file in found]
    pairs, alone = _pairs(found, flat=parts[0] == INPUTS)
    if not pairs and alone:
        wanted = "Y/ with the names of X/" if parts[0] == INPUTS else "frontals, S001/L1/E01/C7.jpg of somebody"
        raise LayoutError(place, wanted, f"{len(items):,} pictures, for none of them", hint)
    groups = {f"C{camera}": [] for camera in CAMERAS} | {TARGETS: []}
    for index, (shot, file) in enumerate(found):
        groups[TARGETS if parts[0] == INPUTS and file.parent.name == TARGETS else f"C{shot.camera}"].append(index)
    notes += [f"{alone:,} pictures have no canonical frontal, and are in no pair"] if alone else []
    notes += [f"{len(odd):,} pictures have other names, for example {odd[0]}, and are left out"] if odd else []
    used = {group: members for group, members in groups.items() if members}
    return FaceDataset(name, place, items, groups=used, pairs=pairs, notes=notes)


def _where(folder: Path) -> tuple[Path, tuple[str, ...], list[str]]:
    """The folder that holds the set (itself, or the first one in it), the parts of it to read, and a note on that."""
    for place in (folder, *(folder / name for name in _folders(folder))):
        names = _folders(place)
        sizes = [f"{size}_Resolution" for size in RESOLUTIONS if _folders(place / f"{size}_Resolution")]
        if sizes:
            return place, (sizes[0],), [f"{sizes[0]} is read" + "".join(f"; {size} is not" for size in sizes[1:])]
        if INPUTS in names:
            return place, (INPUTS, TARGETS), [f"pair folders {INPUTS}/ and {TARGETS}/, paired by name"]
        if any(re.fullmatch(r"\d{8}", name) for name in names):
            return place, ("",), []
    return folder, ("",), []


def _folders(folder: Path) -> list[str]:
    """Names of the visible folders in ``folder``, in order; none where it is no folder."""
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


def _scan(place: Path, parts: tuple[str, ...]) -> tuple[list[tuple[Shot, Path]], list[str]]:
    """Every picture with what it shows, in order; and those of other names, relative to ``place``."""
    found, odd = [], []
    for file in (file for part in parts for file in _pictures(place / part)):
        shot = shot_of(file)
        if shot:
            found.append((shot, file))
        else:
            odd.append(file.relative_to(place).as_posix())
    found.sort(key=lambda pair: (*vars(pair[0]).values(), str(pair[1])))
    return found, sorted(odd)


def _pictures(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(at, n) for n in names if n[0] != "." and os.path.splitext(n)[1].lower() in PICTURES)


def _pairs(found: list[tuple[Shot, Path]], flat: bool) -> tuple[list[tuple[int, int]], int]:
    """(index, index of its target) of every picture that has one, and how many have none."""
    if flat:
        keys = [(file.stem, file.parent.name == TARGETS) for _, file in found]
    else:
        keys = [((shot.person, shot.accessory), shot.is_target) for shot, _ in found]
    targets: dict = {}
    for index, (key, is_target) in enumerate(keys):
        if is_target:
            targets.setdefault(key, index)
    inputs = [(index, key) for index, (key, is_target) in enumerate(keys) if not is_target]
    pairs = [(index, targets[key]) for index, key in inputs if key in targets]
    return pairs, len(inputs) - len(pairs)


__all__ = [
    "ACCESSORIES",
    "CAMERAS",
    "EXPRESSIONS",
    "FRONTAL_CAMERA",
    "LIGHTS",
    "ROW",
    "Camera",
    "Light",
    "Shot",
    "angle_index",
    "open_kface",
    "open_shots",
    "shot_of",
    "shots",
]
