"""The labs of lesson 09: every control changes what it should, and a hole survives its way to the page and back."""

import pytest
import torch

from facelab.data.cache import cached
from facelab.data.catalogue import open_dataset
from facelab.images import composite, resize
from facelab.restoration import Restoration
from facelab.seeding import generator
from facelab.show.eraser import Eraser, hole_from_bytes, hole_to_bytes
from facelab.show.hog_labs import erase_lab, hog_lab


@pytest.fixture(scope="module")
def faces():
    return cached(open_dataset("orl"), 64).batch([0, 50, 100])


def fill_with_grey(images, hole):
    return Restoration(composite(images, torch.full((), 0.25), hole), hole, torch.full_like(images, 0.25))


def test_a_hole_survives_the_round_trip():
    hole = (torch.rand(1, 32, 32, generator=generator(0, "e")) > 0.7).float()
    assert torch.equal(hole_from_bytes(hole_to_bytes(hole), 32), hole)
    assert hole_from_bytes(b"", 32).sum() == 0 and hole_from_bytes(b"", 32).shape == (1, 32, 32)
    with pytest.raises(ValueError, match="1024 bytes"):
        hole_from_bytes(hole_to_bytes(hole), 33)


@pytest.mark.parametrize(
    ("control", "value", "changes"),
    [
        ("face", 1, {"face", "slope", "cells", "blocks, over the face"}),
        ("cell", 16, {"cells", "blocks, over the face"}),
        ("orientations", 4, {"cells", "blocks, over the face"}),
        ("norm", "L1", {"blocks, over the face"}),
        ("over", 1.0, {"blocks, over the face"}),
    ],
)
def test_each_control_of_the_hog_lab(faces, control, value, changes):
    lab = hog_lab(faces)
    before, _ = lab._last
    lab.controls[control].value = value
    after, words = lab._last
    differ = {n for n in before if before[n].shape != after[n].shape or not torch.equal(before[n], after[n])}
    assert differ == changes and "numbers" in words


def test_the_face_comes_up_under_its_lines(faces):
    lab, alike = hog_lab(faces), []
    for over in (0.0, 0.5, 1.0):
        lab.controls["over"].value = over
        shown = resize(lab._last[0]["blocks, over the face"][None], 64)[0]
        alike.append(torch.corrcoef(torch.stack([shown.flatten(), faces[0].flatten()]))[0, 1])
    assert alike[0] < 0.4 < alike[2] and alike[0] < alike[1] < alike[2]


def test_what_is_erased_is_filled(faces):
    lab = erase_lab(faces, fill_with_grey)
    eraser = lab.controls["hole"]
    before, words = lab._last
    assert set(before) == {"what is left", "filled", "truth"} and "erased; in the hole" in words
    hole = torch.zeros(1, 64, 64)
    hole[:, 10:20, 30:50] = 1
    eraser.value = hole_to_bytes(hole)
    after, words = lab._last
    hidden = hole.expand_as(faces[0]) > 0
    assert (after["filled"][hidden] == 0.25).all() and torch.equal(after["filled"][~hidden], faces[0][~hidden])
    assert (after["what is left"][hidden] == 0).all() and "5%" in words
    eraser.value = hole_to_bytes(torch.ones(1, 64, 64))
    assert "more than 75%" in lab._last[1]
    eraser.value = hole_to_bytes(torch.zeros(1, 64, 64))
    assert "drag" in lab._last[1] and torch.equal(lab._last[0]["filled"], faces[0])


def test_controls_reach_the_canvas(faces):
    asked = []
    lab = erase_lab(faces, lambda images, hole: asked.append(1) or fill_with_grey(images, hole))
    eraser, picture = lab.controls["hole"], lab.controls["hole"].picture
    lab.controls["face"].value = 2
    assert eraser.picture != picture and torch.equal(lab._last[0]["truth"], faces[2])
    lab.controls["brush"].value, lab.controls["stroke"].value = 5.0, False
    assert eraser.brush == 5.0 and eraser.erases is False
    assert len(asked) == 2, "once at first, and once for the other face: a brush fills nothing"
    assert eraser.side == 64 and isinstance(eraser, Eraser)


def test_the_predicted_guide_is_shown_where_there_is_one(faces):
    guide = lambda images, hole: torch.rand(1, 9, 16, 16)  # noqa: E731
    assert "guide, predicted" in erase_lab(faces, fill_with_grey, guide)._last[0]
    assert "guide, predicted" not in erase_lab(faces, fill_with_grey, lambda images, hole: None)._last[0]
