"""Portraits are framed as rendered heads are."""

import pytest
import torch

from facelab.faces.align import transform
from facelab.faces.portrait import portrait, portrait_matrix
from facelab.synth.render import render
from facelab.synth.view import View


def test_a_portrait_is_framed_as_frontalization_is_shown_faces():
    """Cut out of a wide picture, a face lies where it lies in a portrait: to a fraction of a pixel."""
    wide = render(3, View(zoom=0.5), 256)
    face = portrait(wide.image, wide.landmarks)
    size = face.shape[-1]
    exact = render(3, View(), size)
    assert 120 < size < 136 and (face - exact.image).abs().mean() < 0.002
    aside = torch.roll(exact.image, 1, 2)
    assert (face - aside).abs().mean() > 2 * (face - exact.image).abs().mean(), "the control: a pixel off"
    assert portrait(wide.image, wide.landmarks, 64).shape == (3, 64, 64)
    with pytest.raises(ValueError, match="no square"):
        portrait(wide.image, torch.zeros(68, 2))


def test_its_matrix_takes_landmarks_along():
    wide, size = render(3, View(zoom=0.5), 256), 96
    there = transform(wide.landmarks, portrait_matrix(wide.landmarks, size))
    torch.testing.assert_close(there, render(3, View(), size).landmarks, atol=0.05, rtol=0)
