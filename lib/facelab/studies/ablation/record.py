"""The small record of a sweep that ships with the course: ``python -m facelab.studies.ablation.record FOLDER DATA``.

``notebooks/figures/05_DATA.jsonl`` (the results, exactly as the sweep wrote them: it can go on from there) ·
``05_DATA_course.jsonl`` · ``05_DATA_faces.jpg`` and ``05_DATA_holes.png`` (some test faces of the first seed, a row a
variant; left out with ``--no-faces``, where the people in the pictures were never asked). 05 stands for the lesson.
Taught in: lesson 05.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from facelab import files, images
from facelab.studies.ablation import table
from facelab.studies.ablation.cell import shown
from facelab.studies.ablation.subjects import SUBJECTS
from facelab.studies.ablation.variants import slug
from facelab.studies.small_files import jpeg, png
from facelab.studies.trials import standard_trials

FACES = 6  # of those that a cell draws
DIGITS = 3  # significant ones, of what was seen while training


class Sheet(NamedTuple):
    """Some test faces as every variant gave them back.

    ``occluded``, ``truth`` (N, C, S, S) in [-1, 1], ``hole`` (N, 1, S, S); ``images`` and ``holes``: variant → the same
    shapes.
    """

    occluded: Tensor
    truth: Tensor
    hole: Tensor
    images: dict[str, Tensor]
    holes: dict[str, Tensor]


def home(data: str, lesson: str = "05") -> Path:
    """Where a record lies, without its ending."""
    return files.project_root() / "notebooks" / "figures" / f"{lesson}_{slug(data)}"


def recorded(data: str = "orl", lesson: str = "05") -> dict[str, Any]:
    """The shipped results: see :func:`facelab.studies.ablation.table.read`."""
    return table.read(f"{home(data, lesson)}.jsonl")


def recorded_course(data: str = "orl") -> list[dict[str, Any]]:
    """What was seen while the recorded runs trained, a row a look."""
    path = Path(f"{home(data)}_course.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    looks = lambda course: [dict(zip(course, values, strict=True)) for values in zip(*course.values(), strict=True)]  # noqa: E731
    return [{"variant": row["variant"], "seed": row["seed"], **look} for row in rows for look in looks(row["course"])]


def recorded_sheet(data: str = "orl") -> Sheet:
    """The recorded faces beside what they answer to."""
    header = recorded(data)["header"]
    size, channels = header["base"]["size"], header["base"]["channels"]
    test = standard_trials(data, size, channels, header["count"])["trained kinds"]
    chosen = places(len(test))
    names = drawn(recorded(data))
    faces, holes = (_tiles(Path(f"{home(data)}_{end}"), len(names), size, c) for end, c in
                    (("faces.jpg", channels), ("holes.png", 1)))  # fmt: skip
    return Sheet(
        test.occluded[chosen], test.truth[chosen], test.hole[chosen],
        dict(zip(names, faces, strict=True)), dict(zip(names, (holes + 1) / 2, strict=True)),
    )  # fmt: skip


def places(count: int) -> list[int]:
    """Places in a trial of ``count`` pictures of the faces on a sheet."""
    return shown(count)[:FACES]


def drawn(content: Mapping[str, Any]) -> list[str]:
    """Variants of a sheet, in its order: those whose first run ended well."""
    return [row["variant"] for row in content["rows"] if row["seed"] == 0 and row["ended"] == "done"]


def _tiles(path: Path, rows: int, size: int, channels: int) -> Tensor:
    """A sheet (rows · size, FACES · size) as images (rows, FACES, C, size, size)."""
    whole = images.load_image(path, channels)
    return whole.view(channels, rows, size, FACES, size).permute(1, 3, 0, 2, 4)


def write(folder: str | Path, data: str = "orl", faces: bool = True) -> list[Path]:
    """Make the record of a finished sweep.

    Args:
        folder: of the sweep, with its ``cells``.
        data: names the record.
        faces: False writes numbers alone.

    Returns:
        The files written.

    Raises:
        ValueError: the faces do not fit into a small file.
    """
    folder = Path(folder)
    target = home(data, SUBJECTS[table.read(folder)["header"]["system"]].lesson)
    numbers, looks = Path(f"{target}.jsonl"), Path(f"{target}_course.jsonl")
    files.write_bytes(numbers, (folder / "results.jsonl").read_bytes())
    files.write_text(looks, _columns(table.read_course(folder)))
    return [numbers, looks, *(_write_sheet(folder, target) if faces else ())]


def _write_sheet(folder: Path, target: Path) -> list[Path]:
    content = table.read(folder)
    size = content["header"]["base"]["size"]
    strips = [images.load_image(folder / "cells" / f"{slug(name)}-seed0" / "faces.png") for name in drawn(content)]
    strips = [strip[..., : FACES * size] for strip in strips]
    faces, holes = (torch.cat([strip[:, top : top + size] for strip in strips], 1) for top in (0, size))
    out = [Path(f"{target}_faces.jpg"), Path(f"{target}_holes.png")]
    files.write_bytes(out[0], jpeg(faces))
    files.write_bytes(out[1], png(images.to_channels(holes, 1) / 2 + 0.5))
    return out


def _columns(looks: list[dict[str, Any]]) -> str:
    """One line a run, a list a number: a third of the bytes."""
    runs: dict[tuple[str, int], dict[str, list]] = {}
    for look in looks:
        course = runs.setdefault((look["variant"], look["seed"]), {})
        for name, value in look.items():
            if name not in ("variant", "seed"):
                short = float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
                course.setdefault(name, []).append(short)
    lines = [{"variant": variant, "seed": seed, "course": course} for (variant, seed), course in runs.items()]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m facelab.studies.ablation.record")
    parser.add_argument("folder", help="of a finished sweep")
    parser.add_argument("data", help="the dataset it was run on, e.g. orl")
    parser.add_argument("--no-faces", dest="faces", action="store_false", help="numbers alone")
    print(*write(**vars(parser.parse_args())), sep="\n")
