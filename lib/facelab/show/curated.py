"""The figures a reader sees without running anything: ``python -m facelab.show.curated [FOLDER]``.

One function a figure, its name the file's. All use ``orl``, people of the test split, seed 0; those of lesson 10 are
drawn from its record alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from facelab import images
from facelab.data.catalogue import open_dataset
from facelab.data.splits import split
from facelab.errors import BadWeights
from facelab.faces.landmarks import find_landmarks
from facelab.files import project_root
from facelab.occlude import occlude
from facelab.seeding import generator
from facelab.show.canvas import put, save, sheet, styled, write
from facelab.show.figures import rows
from facelab.show.judging_reference import agreement_10, protocol_10
from facelab.systems import oagan

SEED, SIZE = 0, 128
WORN = ("sunglasses", "facemask", "thing", "scarf", "phone", "hand", "cup", "strands")


def people(count: int = 8) -> tuple[Tensor, Tensor]:
    """The first picture of the first people of ``orl``'s test split, and their landmarks (NaN where none are found)."""
    dataset = open_dataset("orl")
    first = {dataset.items[k].identity: k for k in reversed(split(dataset, "test"))}
    faces = torch.stack([images.resize(dataset[k], SIZE) for k in sorted(first.values())[:count]])
    found = [find_landmarks(face) for face in faces]
    return faces, torch.stack([torch.full((68, 2), torch.nan) if p is None else p for p in found])


def dressed(
    faces: Tensor, landmarks: Tensor, kinds: tuple[str, ...], area: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """One kind a face: occluded images, holes."""
    parts = [
        occlude(faces[k : k + 1], landmarks[k : k + 1], generator(SEED, "curated", kind), kinds=(kind,), area=area)
        for k, kind in enumerate(kinds)
    ]
    return [torch.cat([part.image for part in parts]), torch.cat([part.hole for part in parts])]


@styled
def conventions_00() -> Figure:
    """The composite as an equation of pictures."""
    faces, landmarks = people()
    face = faces[6:7]
    (known, hole), side, gap = dressed(face, landmarks[6:7], ("hand",), (0.15, 0.3)), 1.25, 0.34
    terms = [("known", known, False), ("1 − hole", 1 - hole, True), ("pred", face, False), ("hole", hole, True)]
    terms.append(("composite", images.composite(known, face, hole), False))
    figure, axes = sheet(5 * side + 4 * gap + 0.1, side + 0.3)
    for k, (name, picture, is_hole) in enumerate(terms):
        x = 0.05 + k * (side + gap)
        put(axes, picture[0], x, 0.02, side, is_hole)
        write(axes, x + side / 2, side + 0.16, name, 10)
        if k:
            write(axes, x - gap / 2, side / 2, "×+×="[k - 1], 16)
    return figure


def restored_00() -> Figure:
    """Eight faces behind things, and what the shipped weights make of them."""
    faces, landmarks = people()
    occluded, hole = dressed(faces, landmarks, WORN, (0.1, 0.25))
    model, cfg = oagan.load("oagan")
    answer = oagan.restore(model, images.to_channels(occluded, cfg.channels))
    strips = {"input": occluded, "predicted hole": answer.hole, "restored": images.to_channels(answer.image, 1)}
    return rows(strips | {"truth": faces}, WORN)


def hero_02() -> Figure:
    """One kind of thing a face, and the hole below each."""
    faces, landmarks = people()
    occluded, hole = dressed(images.to_channels(faces, 3), landmarks, WORN, (0.1, 0.4))
    return rows({"seen": occluded, "hole": hole}, WORN)


FIGURES: dict[str, Callable[[], Figure]] = {
    "00_conventions": conventions_00,
    "00_restored": restored_00,
    "02_hero": hero_02,
    "10_protocol": protocol_10,
    "10_agreement": agreement_10,
}


def main(folder: str | Path | None = None) -> int:
    """Draw all figures into ``notebooks/figures``, or into a folder given."""
    target = Path(folder) if folder else project_root() / "notebooks" / "figures"
    for name, draw in FIGURES.items():
        try:
            print(save(draw(), target / f"{name}.png"))
        except (BadWeights, FileNotFoundError) as error:  # a figure of results has to wait for them; others need not
            print(f"{name}: left as it is: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
