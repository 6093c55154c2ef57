"""Cut the faces out of K-FACE's photographs, in the published way; what has no face is listed, never guessed.

The published crop is a square round dlib's 68 landmarks. Its detector is made for frontal faces and misses most
profiles, so a table of boxes of your own comes first, and the boxes that come with some of the pictures come last.
Taught in: lesson 07.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from facelab import files, images
from facelab.data.dataset import FaceDataset
from facelab.data.kface import CROPPED, RECORD, open_kface, shots
from facelab.data.kface_boxes import BOXES, Rectangle, annotated_box, open_table, read_boxes, table_rows
from facelab.data.kface_names import TARGETS
from facelab.data.waiting import Progress, said_in_lines
from facelab.errors import BadConfig, BadImage
from facelab.faces.align import box_square, landmark_square

DROPPED = "dropped.csv"
NO_FACE = "no face found"
KEPT, GIVEN, FOUND, CAME, LOST = "there already", BOXES, "detector", "annotation", "dropped"
LARGEST = 4.0  # side of the square, in longer sides of the picture: more is a mistake in a table
Square = tuple[float, float, float]


@dataclass(frozen=True)
class Cut:
    """What :func:`cut_faces` did.

    Args:
        ways: pictures by how their face was placed: ``faces.csv``, ``detector``, ``annotation``; ``there already`` from
            an earlier run; ``dropped``, see ``dropped.csv``.
        cameras: camera → (faces there now, pictures dropped).
        unused: boxes of pictures that are not in the set.
    """

    ways: dict[str, int]
    cameras: dict[int, tuple[int, int]]
    unused: int = 0

    def lines(self) -> list[str]:
        """For people: a line a camera, then the sum."""
        rows = [f"C{camera}: {cut:,} faces, {lost:,} dropped" for camera, (cut, lost) in self.cameras.items()]
        rows.append(", ".join(f"{way}: {count:,}" for way, count in self.ways.items()))
        return rows + ([f"{self.unused:,} boxes are of pictures that are not here"] if self.unused else [])


def cut_faces(
    dataset: FaceDataset,
    out: str | Path,
    size: int = 128,
    boxes: Mapping[str, Rectangle] | None = None,
    progress: Progress | None = None,
) -> Cut:
    """Write the face of every picture to ``out``, under the same path; run again, it goes on where it stopped.

    A face is placed by, in this order: ``boxes``; dlib's detector and landmarks; the box in the text file beside the
    picture (:func:`annotated_box`), whose framing is its annotator's. A picture without any is a line of
    ``dropped.csv``; so is a damaged one. To cut a face anew, delete its file first.

    Args:
        dataset: from :func:`facelab.data.kface.open_shots`.
        out: outside of the dataset's own folder.
        size: side of the faces, pixels.
        boxes: path below the set's root → (left, top, right, bottom) of a face, brows to chin and ear to ear as far as
            seen, pixels; None reads ``faces.csv`` at the set's root, where there is one.
        progress: called with (done, all); None = a line on stderr now and then.

    Raises:
        BadConfig: ``out`` lies inside the set, or holds faces of another size.
        LayoutError: ``faces.csv`` is malformed.
        MissingPart: dlib is not here, and a face must be looked for.

    Source: the published K-FACE frontalization project; differs in the boxes, and in that losses are listed.
    Taught in: 07.
    """
    out, table = Path(out), dataset.root / BOXES
    if boxes is None:
        boxes = read_boxes(table) if table.is_file() else {}
    lost = _begin(dataset, out, size, boxes)
    tell, counts = progress or said_in_lines("cutting faces out"), Counter()
    with open_table(out / DROPPED, "a") as stream:
        for index, shot in enumerate(shots(dataset)):
            name = dataset.relative(index)
            if name in lost:
                way = LOST
            else:
                way, reason = _cut_one(dataset.items[index].file, out / name, size, boxes.get(name))
                if reason:
                    csv.writer(stream).writerow((name, f"C{shot.camera}", reason))
                    stream.flush()
            counts[shot.camera, way] += 1
            tell(index + 1, len(dataset))
    cut = _summed(counts, len(boxes.keys() - {dataset.relative(index) for index in range(len(dataset))}))
    _record(out, size, finished=True)
    return cut


def _begin(dataset: FaceDataset, out: Path, size: int, boxes: Mapping[str, Rectangle]) -> set[str]:
    """Prepare ``out``; the pictures an earlier run found no face in, unless somebody has given them a box since."""
    if size < 1:
        raise BadConfig("size", size, "1 or more")
    if out.resolve().is_relative_to(dataset.root.resolve()):
        raise BadConfig("out", str(out), f"a folder outside of {dataset.root}")
    files.usable_folder(out)
    if _size_in(out) not in (None, size):
        raise BadConfig("size", size, f"{_size_in(out)}, the size of the faces in {out}, or another folder")
    _record(out, size, finished=False)
    rows = [row for row in table_rows(out / DROPPED) if len(row) == 3 and row[2] == NO_FACE]
    rows = [row for row in rows if row[0] not in boxes and not (out / row[0]).is_file()]
    with files.atomic_path(out / DROPPED) as temporary, open_table(temporary, "w") as stream:
        csv.writer(stream).writerows([("path", "camera", "reason"), *rows])
    return {row[0] for row in rows}


def _size_in(out: Path) -> int | None:
    try:
        return json.loads((out / RECORD).read_text("utf-8"))["size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _record(out: Path, size: int, finished: bool) -> None:
    files.write_text(out / RECORD, json.dumps({"size": size, "finished": finished}) + "\n")


def _cut_one(file: Path, target: Path, size: int, box: Rectangle | None) -> tuple[str, str]:
    """Cut one face: how it was placed, and why it was not where it was not."""
    if target.is_file():
        return KEPT, ""
    try:
        picture = images.open_picture(file)
        way, square = _placed(picture, file, box)
        if square is None:
            return LOST, NO_FACE
        face = cut_square(picture, square, size)
    except BadImage as error:
        return LOST, error.reason
    except ValueError as error:
        return LOST, str(error)
    with files.atomic_path(target) as temporary:
        face.save(temporary, quality=95)
    return way, ""


def _placed(picture: Image.Image, file: Path, box: Rectangle | None) -> tuple[str, Square | None]:
    if box is not None:
        return GIVEN, box_square(*box)
    from facelab.faces.landmarks import find_landmarks  # dlib only when it must be

    if (points := find_landmarks(images.from_pil(picture))) is not None:
        return FOUND, landmark_square(points)
    came = annotated_box(file, *picture.size)
    return CAME, None if came is None else box_square(*came)


def cut_square(picture: Image.Image, square: Square, size: int) -> Image.Image:
    """The part of a picture in a square, black where the square reaches over the picture's edge.

    Args:
        picture: ``L`` or ``RGB``.
        square: (left, top, side), pixels; pixel centres are at whole numbers, see :mod:`facelab.faces.align`.
        size: side of the result, pixels.

    Raises:
        ValueError: the square's centre is outside the picture, or the square is 4 times as large as it, or smaller
            than one pixel.

    Taught in: 07
    """
    left, top, side = square[0] + 0.5, square[1] + 0.5, square[2]  # from here on the picture's corner is (0, 0)
    inside = 0 <= left + side / 2 <= picture.width and 0 <= top + side / 2 <= picture.height
    if not inside or not 1 <= side <= LARGEST * max(picture.size):
        at = tuple(round(value) for value in square)
        raise ValueError(f"a square at {at} is no face in a picture of {picture.width}×{picture.height}")
    x, y = math.floor(left), math.floor(top)
    window = picture.crop((x, y, math.ceil(left + side), math.ceil(top + side)))  # black outside
    edges = (left - x, top - y, left - x + side, top - y + side)
    return window.resize((size, size), Image.Resampling.BILINEAR, box=edges)


def _summed(counts: Counter, unused: int) -> Cut:
    """Counts of (camera, way), put together both ways."""
    ways = {way: sum(n for (_, how), n in counts.items() if how == way) for way in (GIVEN, FOUND, CAME, KEPT, LOST)}
    cameras = {}
    for camera in sorted({camera for camera, _ in counts}):
        lost = counts[camera, LOST]
        cameras[camera] = (sum(n for (at, _), n in counts.items() if at == camera) - lost, lost)
    return Cut(ways, cameras, unused)


def cut_kface(root: Path, say: Callable[[str], None] = print) -> Cut:
    """Cut the faces of ``kface/`` out into ``kface-cropped/``, and say how many each camera gave.

    Raises:
        BadConfig: pair folders, whose faces are cut out already.
        LayoutError: there is no ``kface/``.
    """
    dataset = open_kface(root, cropped=False)
    if TARGETS in dataset.groups:
        raise BadConfig("cut", str(dataset.root), "whole photographs: pair folders hold faces that are cut out already")
    cut = cut_faces(dataset, root / CROPPED)
    for line in cut.lines():
        say(line)
    return cut
