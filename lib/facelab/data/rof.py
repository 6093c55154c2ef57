"""Real World Occluded Faces: fetch the listed photographs and cut the listed faces out of them.

The set is published as addresses. Its own downloader goes on with the previous photograph after a failed request,
files every face of a group photograph under one name, and swallows every error; this one does none of that.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from facelab import files, images
from facelab.data.fetch import download
from facelab.data.layouts import ROF_GROUPS
from facelab.data.safe_pickle import Photo, load_rof_list
from facelab.errors import FacelabError, LayoutError

MAX_PHOTO_BYTES = 40 * 10**6
FAILURES = "failures.csv"
Fetch = Callable[[str, Path], object]


@dataclass(frozen=True)
class Fetched:
    """What one run did: faces written, faces that were there already, photographs that failed."""

    written: int
    kept: int
    failed: int


def fetch_photo(url: str, path: Path) -> Path:
    """One photograph: three tries, 40 MB at most."""
    return download(url, path, attempts=3, max_bytes=MAX_PHOTO_BYTES, timeout=20)


def rof_lists(folder: str | Path) -> list[tuple[str, Path]]:
    """Every (group, list file) of ``{masked,sunglasses,neutral}/NAME.pkl``.

    Raises:
        LayoutError: none is there.
    """
    folder = Path(folder)
    folder = folder / "ROF" if (folder / "ROF").is_dir() else folder  # a clone of the publisher's repository
    found = [(group, file) for group in ROF_GROUPS for file in sorted((folder / group).glob("*.pkl"))]
    if not found:
        hint = "Clone the publisher's repository (github.com/ekremerakin/RealWorldOccludedFaces) to that folder."
        raise LayoutError(folder, "{masked,sunglasses,neutral}/NAME.pkl", "no such file", hint)
    return found


def fetch_rof(
    lists: str | Path, out: str | Path, fetch: Fetch = fetch_photo, progress: Callable[[str], None] | None = None
) -> Fetched:
    """Fetch every listed photograph and write its faces; run again, it goes on where it stopped.

    A photograph with one listed face gives ``images/GROUP/NAME/000001.jpg`` (its place in the list). Where several
    faces are listed nobody knows which is the named person: they go to ``NAME__unclear/000001_1.jpg`` and so on, which
    :func:`facelab.data.layouts.open_rof` leaves out. Every failure is a line of ``failures.csv``.

    Args:
        lists: the folder of the publisher's lists.
        out: the set's folder; ``images/`` and ``failures.csv`` are made in it.
        fetch: (address, path) → the file, or an exception.
        progress: called with a line for people after each list.

    Raises:
        LayoutError: there are no lists.
    """
    out, counts, failures = Path(out), {"written": 0, "kept": 0}, []
    for group, file in rof_lists(lists):
        for place, photo, error in _each(file):
            try:
                if error is not None:
                    raise error
                for key, number in _one(photo, out / "images" / group, file.stem, place, fetch).items():
                    counts[key] += number
            except (FacelabError, OSError, ValueError) as problem:
                address = photo.url if photo else ""
                failures.append((group, file.stem, place, address, type(problem).__name__, str(problem)))
        _write_failures(out / FAILURES, failures)
        if progress is not None:
            progress(f"{group}/{file.stem}: {counts['written']} written, {len(failures)} failed so far")
    return Fetched(counts["written"], counts["kept"], len(failures))


def _each(file: Path) -> Iterator[tuple[int, Photo | None, Exception | None]]:
    """(place in the list, photograph, None), or the error of a list that cannot be read."""
    try:
        photos = load_rof_list(file)
    except FacelabError as error:
        yield 0, None, error
        return
    for place, photo in enumerate(photos, 1):
        yield place, photo, None


def _targets(photo: Photo, folder: Path, person: str, place: int) -> list[Path]:
    if len(photo.boxes) == 1:
        return [folder / person / f"{place:06d}.jpg"]
    return [folder / f"{person}__unclear" / f"{place:06d}_{face}.jpg" for face in range(1, len(photo.boxes) + 1)]


def _one(photo: Photo, folder: Path, person: str, place: int, fetch: Fetch) -> dict[str, int]:
    """Fetch one photograph into a folder of its own, so that no other photograph's bytes can be taken for it."""
    targets = _targets(photo, folder, person, place)
    if all(target.is_file() for target in targets):
        return {"kept": len(targets)}
    with tempfile.TemporaryDirectory() as own:
        path = Path(own) / "photo"
        fetch(photo.url, path)
        picture = images.open_picture(path)
    for target, box in zip(targets, photo.boxes, strict=True):
        face = cut(picture, box)
        with files.atomic_path(target) as temporary:
            face.convert("RGB").save(temporary, quality=95)
    return {"written": len(targets)}


def cut(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """The part of ``box`` (left, top, width, height; px) inside the picture.

    Raises:
        ValueError: less than 16×16 pixels of it are inside.
    """
    left, top, width, height = box
    inside = (
        max(0, round(left)),
        max(0, round(top)),
        min(picture.width, round(left + width)),
        min(picture.height, round(top + height)),
    )
    if inside[2] - inside[0] < 16 or inside[3] - inside[1] < 16:
        raise ValueError(f"face box {tuple(map(round, box))} is not inside the {picture.width}×{picture.height} photo")
    return picture.crop(inside)


def _write_failures(path: Path, failures: list[tuple]) -> None:
    with files.atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("group", "list", "place", "url", "kind", "error"))
        writer.writerows(failures)
