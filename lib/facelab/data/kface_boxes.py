"""Where the face is, told by somebody: a user's table of boxes, and the text files that come with K-FACE.

Taught in: lesson 07.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from facelab.errors import LayoutError

BOXES = "faces.csv"
COLUMNS = ("path", "left", "top", "right", "bottom")
Rectangle = tuple[float, float, float, float]


def open_table(path: Path, mode: str) -> TextIO:
    """A CSV file, opened so that any file name the disk can hold survives."""
    encoding = "utf-8-sig" if mode == "r" else "utf-8"  # spreadsheets write a mark in front
    return open(path, mode, newline="", encoding=encoding, errors="surrogateescape")


def table_rows(path: Path) -> list[list[str]]:
    """Rows of a table that may end in the middle of a line, empty ones left out; none where there is no table."""
    if not path.is_file():
        return []
    with open_table(path, "r") as stream:
        return [row for row in csv.reader(stream) if row]


def read_boxes(path: str | Path) -> dict[str, Rectangle]:
    """A table ``path,left,top,right,bottom`` of faces: path below the set's root, pixels.

    Raises:
        LayoutError: it has no such heading, or a line that is not a path and four numbers.
    """
    try:
        rows = table_rows(Path(path))
    except csv.Error:
        rows = []
    wanted, hint = ",".join(COLUMNS), "Correct the table, or take it away to let the detector look for every face."
    if not rows or tuple(name.strip() for name in rows[0]) != COLUMNS:
        raise LayoutError(path, f"the heading {wanted}", ",".join(rows[0]) if rows else "no table", hint)
    found = {}
    for row in rows[1:]:
        try:
            name, left, top, right, bottom = row
            found[name.strip().replace("\\", "/")] = (float(left), float(top), float(right), float(bottom))
        except ValueError:
            raise LayoutError(path, f"{wanted} in every line", ",".join(row), hint) from None
    return found


def annotated_box(file: Path, width: int, height: int) -> Rectangle | None:
    """The face in the publisher's text file beside a picture: the eighth line of ``C1.txt``, left, top, width, height.

    Public loaders of K-FACE read it so, and find it with the plain faces in the brightest light; a box that is not
    wholly inside the picture, or smaller than 16 pixels, is not believed.

    Args:
        file: the picture.
        width: of the picture, pixels.
        height: of the picture, pixels.

    Returns:
        (left, top, right, bottom), pixels; None where there is none to believe.
    """
    try:
        line = file.with_suffix(".txt").read_text("utf-8", errors="replace").splitlines()[7]
        left, top, wide, high = (int(word) for word in line.split())
    except (OSError, IndexError, ValueError):
        return None
    inside = left >= 0 and top >= 0 and left + wide <= width and top + high <= height
    return (left, top, left + wide - 1, top + high - 1) if inside and min(wide, high) >= 16 else None
