"""CASIA NIR-VIS 2.0: 725 people in colour and in near infrared, in four sessions.

``NIR-VIS-2.0/{s1,s2,s3,s4}/{VIS,NIR}/00001/001.jpg``; aligned crops in ``VIS_128x128/`` and ``NIR_128x128/``; lists in
``protocols/``. No picture of one kind shows exactly what one of the other shows: there are groups and no pairs.
Which subjects a study keeps is in :mod:`facelab.data.casia_subjects`. Taught in: lesson 08.
"""

from __future__ import annotations

from pathlib import Path

from facelab.data.casia_lists import HINT, LISTS, children, inside, lists, named, protocol
from facelab.data.casia_names import (
    ENDINGS,
    MODALITIES,
    SESSIONS,
    Photo,
    ending,
    in_front,
    lacks_session,
    photo_of,
    photos,
)
from facelab.data.dataset import FaceDataset, Item, pictures_under
from facelab.errors import LayoutError

PEOPLE = 725
FOLDERS = (("casia", "NIR-VIS-2.0"), ("casia",), ("NIR-VIS-2.0",))
SCHEME = "s1/VIS/00001/001.jpg … and s1/NIR/00001/001.jpg …, or VIS_128x128/ and NIR_128x128/"


def open_casia(root: Path, crops: bool = False) -> FaceDataset:
    """CASIA NIR-VIS 2.0 under the root of all datasets: ``casia/NIR-VIS-2.0/``, ``casia/`` or ``NIR-VIS-2.0/``.

    Whole photographs are read where there are any, else the publisher's crops; never both, for they show the same.
    ``groups`` are ``vis`` and ``nir``; the identity is the subject's number.

    Args:
        root: the folder that holds all datasets.
        crops: True reads the crops where there are any.

    Raises:
        LayoutError: it is not there, lies a folder too high or too low, or has pictures of one kind only.

    Source: Li, Yi, Lei, Liao 2013, *The CASIA NIR-VIS 2.0 Face Database* (CVPR Workshops).
    Taught in: 08.
    """
    place = _place(root)
    found, odd = _scan(place)
    if not found:
        raise _misplaced(place, odd)
    crop = _crops(found, crops)
    used = {photo: files for photo, files in found.items() if photo.crop == crop}
    if lacking := set(MODALITIES) - {photo.modality for photo in used}:
        lone = "nir" if "vis" in lacking else "vis"
        seen = f"{len(used):,} pictures in {lone.upper()} and none in {min(lacking).upper()}"
        raise LayoutError(place, SCHEME, seen, f"Unpack the folders of both kinds into the same sessions. {HINT}")
    chosen, notes = _one_each(place, used)
    items = [Item(file, photo.subject) for photo, file in chosen]
    groups = {kind: [i for i, (photo, _) in enumerate(chosen) if photo.modality == kind] for kind in MODALITIES}
    notes = _notes(place, used, len(found) - len(used), odd) + notes
    return FaceDataset("casia", place, items, groups=groups, notes=notes)


def _place(root: Path) -> Path:
    """The folder of the set; one of its names that holds something else where none holds the set."""
    places = [place for names in FOLDERS if (place := inside(root, *names))]
    for place in places:
        if _sessions(place):
            return place
    if places:
        return places[-1]
    expected = f"casia/ or NIR-VIS-2.0/ with {SCHEME}"
    if here := _sessions(root) or (set(MODALITIES) <= set(children(root)) and ["VIS"]):
        hint = f"Give the folder that holds casia/ or NIR-VIS-2.0/, not one inside it. {HINT}"
        raise LayoutError(root, expected, f"{here[0]}/ without it", hint)
    for child in children(root).values():
        if any((place := inside(child, *names)) and _sessions(place) for names in FOLDERS):
            raise LayoutError(root, expected, f"the set in {child.name}/", f"Give {child} instead. {HINT}")
    raise LayoutError(root, expected, "no such folder", HINT)


def _scan(place: Path) -> tuple[dict[Photo, list[Path]], list[str]]:
    """The files of each picture in order, and the pictures of other names, relative to ``place``."""
    found, odd = {}, []
    for file in pictures_under(place):
        name = file.relative_to(place).as_posix()
        if in_front(name) == "":
            found.setdefault(photo_of(name), []).append(file)
        else:
            odd.append(name)
    return dict(sorted(found.items())), odd


def _crops(found: dict[Photo, list[Path]], wanted: bool) -> bool:
    """Whether crops are read: as wanted, unless only the other sort is there, or is there in both kinds of light."""
    sorts = {(photo.crop, photo.modality) for photo in found}
    whole = [crop for crop in (wanted, not wanted) if {(crop, kind) for kind in MODALITIES} <= sorts]
    return (whole or [crop for crop in (wanted, not wanted) if any(crop == sort for sort, _ in sorts)])[0]


def _misplaced(place: Path, odd: list[str]) -> LayoutError:
    """What to say of a folder without one picture of the set: whether it is too high, too low, or another set's."""
    deep = next((name for name in odd if in_front(name)), None)
    if deep:
        inner = in_front(deep)
        return LayoutError(place, SCHEME, f"the set further down, in {inner}/", f"Move what is in it up here. {HINT}")
    bare = next((name for name in odd if lacks_session(name)), None)
    if bare:
        hint = f"Put VIS/ and NIR/ into s1/ … s4/, the folder of their session. {HINT}"
        return LayoutError(place, SCHEME, f"{bare}, in no session's folder", hint)
    seen = f"{len(odd):,} pictures, none named so, for example {odd[0]}" if odd else "no pictures"
    return LayoutError(place, SCHEME, seen, HINT)


def _one_each(place: Path, found: dict[Photo, list[Path]]) -> tuple[list[tuple[Photo, Path]], list[str]]:
    """One file a picture, and a note: of several the one that the lists name, else the first of ``ENDINGS``."""
    double = [photo for photo, files in found.items() if len(files) > 1]
    listed = named(place) if double else {}

    def rank(photo: Photo, file: Path) -> tuple[bool, int]:
        return ending(file) != listed.get(photo.key), ENDINGS.index(file.suffix[1:].lower())

    chosen = [(photo, min(files, key=lambda file: rank(photo, file))) for photo, files in found.items()]
    if not double:
        return chosen, []
    names = " and ".join(file.relative_to(place).as_posix() for file in found[double[0]])
    used = "the one that the lists name is used, else bmp before jpg"
    return chosen, [f"{len(double):,} pictures are here twice, for example {names}: {used}"]


def _notes(place: Path, used: dict[Photo, list[Path]], unread: int, odd: list[str]) -> list[str]:
    people, sessions = {photo.subject for photo in used}, sorted({photo.session for photo in used})
    notes = []
    if len(people) < PEOPLE:
        which = ", ".join(f"s{n}" if n else "no session's folder" for n in sessions)
        notes.append(f"partial: {len(people)} of {PEOPLE} people; from {which}")
    crop = next(iter(used)).crop
    notes.append("aligned crops are read" if crop else "whole photographs are read; their centre square is the picture")
    others = "whole photographs" if crop else "aligned crops"
    notes += [f"{unread:,} {others} are here too, and not read"] if unread else []
    notes += [f"{len(odd):,} pictures have other names, for example {odd[0]}, and are left out"] if odd else []
    notes += [] if lists(place) else [f"no {LISTS[0]}/: the publisher's lists cannot be used"]
    return notes


def _sessions(folder: Path) -> list[str]:
    """Names of the folders in ``folder`` that hold VIS or NIR, and of crops that lie in it without a session."""
    kinds = {f"{kind}{tail}" for kind in MODALITIES for tail in ("", "_128x128")}
    there = children(folder)
    own = [name for name in there if name.endswith("_128x128") and name in kinds]
    return own + [f"s{n}" for n in SESSIONS if kinds & set(children(there.get(f"s{n}", folder / f"s{n}")))]


__all__ = ["MODALITIES", "SESSIONS", "Photo", "open_casia", "photo_of", "photos", "protocol"]
