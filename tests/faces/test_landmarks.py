"""68 points on a known face; mirroring; the sign of yaw; the mean face."""

import pytest
import torch

from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_centres
from facelab.faces.landmarks import MEAN_LANDMARKS, canonical_landmarks, find_landmarks, flip, yaw
from facelab.images import resize

EYES = torch.tensor([[203.0, 101.0], [247.0, 104.0]])  # of the astronaut, pixels


def test_eyes_of_a_known_face(dlib, astronaut):
    points = find_landmarks(astronaut)
    assert points.shape == (68, 2) and points.dtype == torch.float32
    assert (eye_centres(points) - EYES).abs().max() < 2


def test_a_box_chooses_the_face(dlib, astronaut):
    from facelab.faces.detect import detect

    both = torch.cat([astronaut, astronaut], 2)
    box = max(detect(both), key=lambda b: b.left)
    assert (eye_centres(find_landmarks(both, box)) - EYES - torch.tensor([512.0, 0.0])).abs().max() < 2


def test_a_smaller_picture_has_the_same_face(dlib, astronaut):
    """Enlarging inside keeps fractions of a pixel: scaled back up, the points still agree."""
    crop = astronaut[:, 40:220, 130:310]
    large, small = find_landmarks(crop), find_landmarks(resize(crop, 90))
    assert ((small + 0.5) * 2 - 0.5 - large).abs().mean() < 1.5


def test_flip_is_its_own_inverse_and_exchanges_sides():
    points = torch.rand(68, 2, generator=torch.Generator().manual_seed(0)) * 100
    assert torch.allclose(flip(flip(points, 100), 100), points, atol=1e-5)
    mean = canonical_landmarks(128, 128)
    assert (flip(mean, 128) - mean).abs().max() < 0.2  # the mean face is symmetric, point by point
    left, right = eye_centres(flip(mean + torch.tensor([10.0, 0.0]), 128))
    assert left[0] < right[0]


def test_flipped_landmarks_belong_to_the_flipped_picture(dlib, astronaut):
    found, mirrored = find_landmarks(astronaut), find_landmarks(astronaut.flip(-1))
    assert (flip(found, 512) - mirrored).abs().mean() < 2


def turned(degrees):
    """The mean face with its nose moved sideways, as a turned head shows it."""
    points = canonical_landmarks(128, 128).clone()
    eyes = EYE_DISTANCE * 128
    points[27:36, 0] += 0.43 * eyes * torch.tan(torch.tensor(degrees) * torch.pi / 180)
    return points


@pytest.mark.parametrize("degrees", [-40.0, -10.0, 0.0, 25.0])
def test_yaw_is_positive_towards_the_images_right(degrees):
    assert float(yaw(turned(degrees))) == pytest.approx(degrees, abs=0.5)
    assert float(yaw(flip(turned(degrees), 128))) == pytest.approx(-degrees, abs=0.5)


def test_yaw_does_not_mind_tilt_or_size():
    turn = torch.tensor([[0.9, -0.4], [0.4, 0.9]])
    assert float(yaw(turned(20.0) @ turn.T * 2 + 5)) == pytest.approx(20, abs=0.5)
    assert yaw(torch.stack([turned(20.0), turned(-20.0)])).shape == (2,)


@pytest.mark.parametrize("person, picture, sign", [(1, 5, 1), (4, 10, 1), (23, 9, -1), (39, 3, -1)])
def test_yaw_of_people_seen_to_turn(dlib, orl, person, picture, sign):
    image = orl(person, picture)
    points = find_landmarks(image)
    assert float(yaw(points)) * sign > 15
    assert float(yaw(find_landmarks(image.flip(-1)))) * sign < -15


def test_the_mean_face_has_its_eyes_where_faces_are_aligned_to():
    left, right = eye_centres(MEAN_LANDMARKS)
    assert ((left + right) / 2).tolist() == pytest.approx([0.5, EYE_HEIGHT], abs=2e-3)
    assert float(right[0] - left[0]) == pytest.approx(EYE_DISTANCE, abs=2e-3)
    assert MEAN_LANDMARKS.min() > 0 and MEAN_LANDMARKS.max() < 1  # chin and jaw lie inside the crop


def test_canonical_landmarks_are_centred():
    wide = canonical_landmarks(100, 140)
    assert torch.allclose(wide, canonical_landmarks(100, 100) + torch.tensor([20.0, 0.0]))
