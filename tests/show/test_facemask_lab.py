"""The lab of facemasks without a browser: what each control does, what is said, and whose device the answer is on."""

from __future__ import annotations

import pytest
import torch

from facelab.restoration import Restoration
from facelab.show.facemask_lab import facemask_lab
from facelab.studies import parts

OTHER = {
    "face": 1, "kind": "cloth", "another": 3, "colour": "red", "print": "stripes", "fit": "upright", "offset": 0.2,
    "tilt": 15.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def people():
    return parts.faces("orl", "test", 64).take([0, 25])


@pytest.mark.parametrize("control", OTHER)
def test_every_control_changes_the_picture(people, control):
    lab = facemask_lab(*people)
    assert set(lab.controls) == set(OTHER)
    before = lab.picture.value
    lab.controls[control].value = OTHER[control]
    assert lab.picture.value != before


def test_a_doubtful_fit_is_said(people):
    assert "doubtful" not in facemask_lab(*people).words.value
    assert "doubtful: no landmarks" in facemask_lab(people[0]).words.value


def test_what_the_network_makes_of_it_is_shown_wherever_the_network_is(people):
    """A stand-in for another device: its tensors cannot be mixed with the lab's own before they are brought home."""

    class Elsewhere(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            out = super().__torch_function__(function, types, args, kwargs or {})
            if function.__name__ == "cpu":
                return out.as_subclass(torch.Tensor)
            mixed = any(type(value) is torch.Tensor for value in args if isinstance(value, torch.Tensor))
            if mixed and function.__name__ not in ("__getitem__", "copy_"):
                raise RuntimeError("tensors on two devices")
            return out

    def restore(pictures, hole=None):
        away = lambda tensor: tensor.clone().as_subclass(Elsewhere)  # noqa: E731
        hole = torch.ones(len(pictures), 1, *pictures.shape[-2:]) if hole is None else hole
        return Restoration(away(-pictures), away(hole), away(-pictures))

    lab = facemask_lab(*people, restore=restore)
    panels, words = lab._last
    assert list(panels)[-1] == "taken off" and torch.equal(panels["taken off"], -panels["worn"])
    assert type(panels["taken off"]) is torch.Tensor and "IoU" in words and words.count(" dB") == 2
    assert (panels["hole found"] == 1).all() and (panels["true hole"] < 0).any()
