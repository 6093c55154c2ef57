"""The descriptor's known norm and distances, and that it always answers."""

import pytest
import torch

from facelab import seeding
from facelab.faces.align import align
from facelab.faces.descriptor import descriptors
from facelab.faces.landmarks import canonical_landmarks, find_landmarks


@pytest.fixture(scope="module")
def face(dlib, astronaut):
    return align(astronaut, find_landmarks(astronaut), 128)[0]


def test_known_norm_and_mirror_distance(astronaut, dlib):
    a, b = descriptors(torch.stack([astronaut, astronaut.flip(-1)]))
    assert float(a.norm()) == pytest.approx(1.45, abs=0.03)
    assert float((a - b).norm()) == pytest.approx(0.2, abs=0.07)


def test_a_crop_is_the_same_person_as_the_photograph(astronaut, face):
    whole, crop = descriptors(astronaut[None]), descriptors(face[None])
    assert float((whole - crop).norm()) < 0.35


def test_no_face_falls_back_to_the_mean_face(dlib):
    noise = torch.rand(1, 1, 64, 64, generator=seeding.generator(0)) * 2 - 1
    assert find_landmarks(noise[0]) is None
    got = descriptors(noise)
    assert got.shape == (1, 128) and torch.isfinite(got).all()
    assert torch.equal(got, descriptors(noise, canonical_landmarks(64, 64)[None]))


def test_given_landmarks_are_used_and_missing_ones_found(face):
    points = find_landmarks(face)
    moved = points + torch.tensor([25.0, 0.0])
    nothing = torch.full((68, 2), torch.nan)
    given, wrong, found = descriptors(face.expand(3, -1, -1, -1), torch.stack([points, moved, nothing]))
    assert torch.equal(given, found)
    assert float((given - wrong).norm()) > 0.1


def test_wrong_shapes_are_refused(dlib):
    with pytest.raises(ValueError, match=r"\(2, 68, 2\)"):
        descriptors(torch.zeros(2, 3, 64, 64), torch.zeros(1, 68, 2))
    assert descriptors(torch.zeros(0, 3, 64, 64)).shape == (0, 128)
