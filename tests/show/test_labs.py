"""Labs without a browser: set a control, and look at the picture's bytes."""

from __future__ import annotations

import asyncio
import io
import time

import numpy as np
import pytest
import torch
from IPython.display import Image as Still
from PIL import Image

from facelab.occlude import KINDS, Kind
from facelab.show import lab as machinery
from facelab.show import widgets
from facelab.show.lab import GAP, HEAD, SIDE


def panel(content: bytes, number: int) -> np.ndarray:
    """One of the pictures side by side, (SIDE, SIDE, 3) in 0..255."""
    page = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.float64)
    left = number * (SIDE + GAP)
    return page[HEAD : HEAD + SIDE, left : left + SIDE]


OTHER = {
    "face": 2, "kind": "cup", "another": 7, "texture": "stripes", "colour": "red", "edge": 8.0, "right": 0.2,
    "down": -0.2, "shadow": 0.8, "size": 1.5, "turn": 40.0,
}  # fmt: skip


@pytest.mark.parametrize("control", OTHER)
def test_every_control_changes_the_picture(faces, control):
    lab = widgets.occlusion_lab(faces)
    assert set(lab.controls) == set(OTHER)
    before = lab.picture.value
    lab.controls[control].value = OTHER[control]
    assert lab.picture.value != before


def test_coming_back_gives_the_same_bytes(faces):
    lab = widgets.occlusion_lab(faces)
    before, start = lab.picture.value, lab.controls["right"].value
    lab.controls["right"].value = 0.3
    lab.controls["right"].value = start
    assert lab.picture.value == before


def test_the_occluder_moves_as_far_as_the_slider_says(faces):
    lab = widgets.occlusion_lab(faces, kinds=("sunglasses",))
    lab.controls["size"].value = 0.4
    column = lambda: np.average(np.arange(SIDE), weights=panel(lab.picture.value, 1).mean((0, 2)))  # noqa: E731
    before = column()
    lab.controls["right"].value = 0.2
    assert column() - before == pytest.approx(0.2 * SIDE, abs=2)


def test_a_lab_shows_a_flipped_hole(faces, monkeypatch):
    before = widgets.occlusion_lab(faces)
    kind = KINDS["sunglasses"]

    def flipped(images, params):
        image, hole = kind.draw(images, params)
        return image, 1 - hole

    monkeypatch.setitem(KINDS, "sunglasses", Kind(kind.sample, flipped))
    after = widgets.occlusion_lab(faces)
    assert np.array_equal(panel(before.picture.value, 2), panel(after.picture.value, 2))
    assert panel(before.picture.value, 1).mean() < 100 < 155 < panel(after.picture.value, 1).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_played_with(faces, kind):
    lab = widgets.occlusion_lab(faces[:, :1], kinds=("sunglasses", kind))
    lab.controls["kind"].value = kind
    lab.controls["another"].value = 3
    lab.controls["texture"].value, lab.controls["colour"].value = "plaid", "green"
    assert f"<b>{kind}</b> hides" in lab.words.value


def test_the_lab_answers_at_once(faces):
    lab = widgets.occlusion_lab(torch.nn.functional.interpolate(faces, size=128))
    spent = []
    for k in range(1, 6):
        began = time.process_time()
        lab.controls["turn"].value = 10.0 * k
        spent.append(time.process_time() - began)
    assert min(spent) < 0.1


@pytest.mark.parametrize(
    ("control", "value"), [("face", 1), ("view", "raw"), ("view", "truth"), ("threshold", 0.8), ("softness", 0.0)]
)
def test_scrubbing_changes_the_picture(faces, restored, control, value):
    lab = widgets.hole_lab(faces, restored, faces)
    before = lab.picture.value
    lab.controls[control].value = value
    assert lab.picture.value != before


def test_a_flipped_hole_changes_the_composite(faces, restored):
    right = widgets.hole_lab(faces, restored, faces)
    restored.hole = 1 - restored.hole
    wrong = widgets.hole_lab(faces, restored, faces)
    assert not np.array_equal(panel(right.picture.value, 2), panel(wrong.picture.value, 2))
    corner = np.s_[-20:, -20:]  # far from the hole: the composite there is the input, unless the hole is flipped
    same = np.abs(panel(right.picture.value, 2)[corner] - panel(right.picture.value, 0)[corner]).max()
    other = np.abs(panel(wrong.picture.value, 2)[corner] - panel(wrong.picture.value, 0)[corner]).max()
    assert same == 0 and other > 5


def test_scores_are_shown_where_the_truth_is_known(faces, restored):
    lab = widgets.hole_lab(faces, lambda given: restored, faces)
    assert "PSNR input <b>∞ dB" in lab.words.value and "PSNR raw" in lab.words.value
    blind = widgets.hole_lab(faces, restored)
    assert "PSNR" not in blind.words.value and "truth" not in blind.controls["view"].options


def test_grey_faces_meet_a_colour_networks_guess(faces, restored):
    lab = widgets.hole_lab(faces[:, :1], restored, faces[:, :1])
    lab.controls["view"].value = "raw"
    raw = panel(lab.picture.value, 2)
    assert np.array_equal(raw[..., 0], raw[..., 2])


def test_scrubbed_holes_have_the_values_of_the_formula():
    belief = torch.tensor([0.0, 0.3, 0.5, 0.7, 1.0])
    assert torch.allclose(widgets.scrubbed(belief, 0.5, 1.0), belief)
    assert widgets.scrubbed(belief, 0.4, 0.0).tolist() == [0, 0, 1, 1, 1]
    assert torch.allclose(widgets.scrubbed(belief, 0.5, 0.5), torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0]))
    for threshold in (0.02, 0.98):  # what nobody doubts is never half hidden
        assert widgets.scrubbed(torch.tensor([0.0, 1.0]), threshold, 1.0).tolist() == pytest.approx([0, 1], abs=1e-6)


class Page:
    """Stands for a notebook: what was displayed, and what replaced it."""

    def __init__(self, monkeypatch):
        self.shown, self.replaced = [], []
        monkeypatch.setattr("IPython.display.display", lambda thing, **_: (self.shown.append(thing), self)[1])

    def update(self, thing):
        self.replaced.append(thing)


def test_the_living_picture_is_shown_at_its_own_size_and_crisp(faces):
    lab = widgets.occlusion_lab(faces)
    width = Image.open(io.BytesIO(lab.picture.value)).width
    assert lab.picture.layout.max_width == f"{width // machinery.DENSITY}px" == "736px"
    assert machinery.DENSITY == 2 and "facelab-lab" in lab.picture._dom_classes


def test_a_lab_leaves_a_still_picture_that_only_a_living_widget_hides(faces, monkeypatch):
    page, lab = Page(monkeypatch), widgets.occlusion_lab(faces)
    lab._ipython_display_()
    box, still = page.shown
    assert lab.picture in box.children and isinstance(still, Still) and still.width == 736
    styles = [child.value for child in box.children if "<style>" in getattr(child, "value", "") or ""]
    assert len(styles) == 1 and "display: none" in styles[0], "the rule that hides lives and dies with the widget"
    assert np.array_equal(panel(still.data, 2), panel(lab.picture.value, 2))


def test_the_still_picture_shows_the_last_state(faces, monkeypatch):
    page, lab = Page(monkeypatch), widgets.occlusion_lab(faces)
    lab._ipython_display_()
    for value in (10.0, 20.0):
        lab.controls["turn"].value = value
        assert np.array_equal(panel(page.replaced[-1].data, 2), panel(lab.picture.value, 2))
    assert not np.array_equal(panel(page.shown[1].data, 2), panel(lab.picture.value, 2))


def test_a_slider_that_is_dragged_draws_the_still_picture_once(faces, monkeypatch):
    page, lab = Page(monkeypatch), widgets.occlusion_lab(faces)
    monkeypatch.setattr(machinery, "REST", 0.05)

    async def drag():
        for value in (10.0, 20.0, 30.0):
            lab.controls["turn"].value = value
        moving = len(page.replaced)
        await asyncio.sleep(0.2)
        return moving

    lab._ipython_display_()
    assert asyncio.run(drag()) == 0 and len(page.replaced) == 1
    assert np.array_equal(panel(page.replaced[0].data, 2), panel(lab.picture.value, 2))


def test_the_words_stand_below_the_still_picture(faces):
    still = Image.open(io.BytesIO(machinery.strip({"a": faces[0]}, ("x",))))
    assert still.height == HEAD + SIDE + machinery.LINE
    assert np.asarray(still)[HEAD + SIDE :].min() < 128
    assert machinery.plain("a <b>12&nbsp;dB</b> · 1 &lt; 2") == "a 12\xa0dB · 1 < 2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_control_is_switched_off_where_it_does_nothing_and_only_there(faces, kind, monkeypatch):
    monkeypatch.setattr(machinery, "strip", lambda panels, _: b"".join(p.numpy().tobytes() for p in panels.values()))
    lab = widgets.occlusion_lab(faces)
    lab.controls["kind"].value = kind

    def changes(name: str, another: int) -> bool:
        lab.controls["another"].value = another
        before, start = lab.picture.value, lab.controls[name].value
        lab.controls[name].value = OTHER[name]
        after, lab.controls[name].value = lab.picture.value, start
        return after != before

    for name in ("texture", "colour"):
        moved = any(changes(name, another) for another in (1, 2, 3))
        off = lab.controls[name].disabled
        assert off != moved, name
        assert not off or f"no {name}" in lab.words.value or f"or {name}" in lab.words.value


@pytest.mark.parametrize("kind", widgets.PHOTOGRAPHS)
def test_what_another_kind_left_behind_has_no_effect(faces, kind):
    lab = widgets.occlusion_lab(faces)
    lab.controls["kind"].value = kind
    before = lab.picture.value
    lab.controls["kind"].value = "sunglasses"
    lab.controls["colour"].value, lab.controls["texture"].value = "red", "stripes"
    lab.controls["kind"].value = kind
    assert lab.picture.value == before


def test_black_squares_have_a_texture_once_they_have_a_colour(faces):
    lab = widgets.occlusion_lab(faces, kinds=("squares",))
    assert lab.controls["texture"].disabled
    lab.controls["colour"].value = "red"
    before = lab.picture.value
    assert not lab.controls["texture"].disabled
    lab.controls["texture"].value = "stripes"
    assert lab.picture.value != before


def test_no_slider_is_called_like_a_kind_and_all_labels_fit(faces):
    labels = {control.description for control in widgets.occlusion_lab(faces).controls.values()}
    assert not labels & set(KINDS)
    assert {"right", "down", "size", "rim (px)"} <= labels
    assert len({c.style.description_width for c in widgets.occlusion_lab(faces).controls.values()}) == 1


def test_names_must_fit_the_faces(faces):
    with pytest.raises(ValueError, match="3 names for 4 faces"):
        machinery.face_chooser(4, ["a", "b", "c"])
