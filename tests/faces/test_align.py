"""Eyes land where they should; what was cut out goes back; nothing else moves."""

import pytest
import torch

from facelab import seeding
from facelab.faces.align import (
    EYE_DISTANCE,
    EYE_HEIGHT,
    align,
    eye_centres,
    invert,
    paste_back,
    transform,
    warp,
)
from facelab.faces.landmarks import canonical_landmarks, find_landmarks
from facelab.images import resize


def tilted(size=200.0, angle=0.3, shift=(40.0, 25.0)):
    """The mean face, rotated and moved, as landmarks of a photograph."""
    c, s = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    points = canonical_landmarks(128, 128) * size / 128 - size / 2
    return points @ torch.stack([torch.stack([c, s]), torch.stack([-s, c])]) + size / 2 + torch.tensor(shift)


def smooth_photo(height=240, width=300, channels=3):
    noise = torch.randn(1, channels, 12, 15, generator=seeding.generator(0))
    return torch.nn.functional.interpolate(noise, size=(height, width), mode="bicubic")[0].mul(0.4).clamp(-1, 1)


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("angle", [-0.7, 0.0, 0.3])
def test_eyes_reach_their_places(size, angle):
    points = tilted(angle=angle)
    face, matrix = align(smooth_photo(), points, size)
    assert face.shape == (3, size, size) and matrix.shape == (2, 3)
    eyes = (eye_centres(transform(points, matrix)) + 0.5) / size
    expected = [[0.5 - EYE_DISTANCE / 2, EYE_HEIGHT], [0.5 + EYE_DISTANCE / 2, EYE_HEIGHT]]
    assert torch.allclose(eyes, torch.tensor(expected), atol=1e-4)
    aspect = matrix[:, :2] @ matrix[:, :2].T  # a similarity: nothing is stretched, nothing mirrored
    assert torch.allclose(aspect, aspect[0, 0] * torch.eye(2), atol=1e-5)
    assert torch.linalg.det(matrix[:, :2]) > 0


def test_pixels_move_with_the_matrix():
    """A bright dot at the left eye of a photo is bright at the left eye of the crop."""
    points, photo = tilted(), torch.full((1, 240, 300), -1.0)
    x, y = eye_centres(points)[0].round().int().tolist()
    photo[:, y - 2 : y + 3, x - 2 : x + 3] = 1
    face, _ = align(photo, points, 128)
    row, column = divmod(int(face[0].flatten().argmax()), 128)
    assert (column + 0.5) / 128 == pytest.approx(0.5 - EYE_DISTANCE / 2, abs=0.03)
    assert (row + 0.5) / 128 == pytest.approx(EYE_HEIGHT, abs=0.03)


def test_an_aligned_crop_is_left_alone():
    photo = smooth_photo(128, 128)
    face, matrix = align(photo, canonical_landmarks(128, 128), 128)
    assert torch.allclose(matrix, torch.eye(2, 3), atol=0.01 * 128 * 0.1)
    assert (face - photo).abs().max() < 0.05


def test_shrinking_averages():
    """A fine checkerboard becomes grey, not a moiré."""
    x = torch.arange(256)
    board = ((x[:, None] + x) % 2).float()[None] * 2 - 1
    small = warp(board, torch.tensor([[0.23, 0, 0], [0, 0.23, 0]]), (56, 56))
    assert small.abs().max() < 0.2


def test_warp_by_shrinking_equals_resize():
    photo = smooth_photo(128, 128)
    matrix = torch.tensor([[0.5, 0, -0.25], [0, 0.5, -0.25]])  # pixel centres: 0 and 1 meet at 0
    assert torch.allclose(warp(photo, matrix, (64, 64)), resize(photo, 64), atol=1e-4)


def test_invert():
    _, matrix = align(smooth_photo(), tilted(), 96)
    points = torch.rand(50, 2, generator=seeding.generator(1)) * 200
    assert torch.allclose(transform(transform(points, matrix), invert(matrix)), points, atol=1e-2)


@pytest.mark.parametrize("size", [96, 256])
def test_there_and_back(size):
    photo, points = smooth_photo(), tilted()
    face, matrix = align(photo, points, size)
    difference = (paste_back(photo, face, matrix) - photo).abs()
    assert difference.max() < 0.1 and difference.mean() < 0.005
    shifted = matrix + torch.tensor([[0, 0, 0.5], [0, 0, 0]])  # the classic mistake: half a pixel
    assert (paste_back(photo, face, shifted) - photo).abs().mean() > 2 * difference.mean()


def test_outside_the_crop_nothing_changes():
    photo, points = smooth_photo(), tilted(size=120, shift=(60.0, 50.0))
    _, matrix = align(photo, points, 64)
    out = paste_back(photo, torch.ones(3, 64, 64), matrix)
    y, x = torch.meshgrid(torch.arange(240.0), torch.arange(300.0), indexing="ij")
    unit = (transform(torch.stack([x, y], -1), matrix) + 0.5) / 64
    outside = ((unit < 0) | (unit > 1)).any(-1)
    deep = ((unit > 0.1) & (unit < 0.9)).all(-1)
    assert outside.any() and deep.any()
    assert torch.equal(out[:, outside], photo[:, outside])
    assert torch.allclose(out[:, deep], torch.ones(1))
    between = ~outside & ~deep
    assert (out[:, between] >= photo[:, between] - 1e-6).all()  # the border only fades


def test_a_hole_limits_the_paste():
    photo, points = smooth_photo(), tilted(size=120, shift=(60.0, 50.0))
    _, matrix = align(photo, points, 64)
    hole = torch.zeros(1, 64, 64)
    hole[:, 20:40, 20:40] = 1
    out = paste_back(photo, torch.ones(3, 64, 64), matrix, hole)
    changed = (out != photo).any(0)
    full = (paste_back(photo, torch.ones(3, 64, 64), matrix) != photo).any(0)
    assert 0 < changed.sum() < 0.2 * full.sum()
    assert torch.equal(paste_back(photo, torch.ones(3, 64, 64), matrix, hole * 0), photo)


def test_channels_follow_the_photo():
    _, matrix = align(smooth_photo(), tilted(), 64)
    grey = torch.zeros(1, 64, 64)
    colour = paste_back(smooth_photo(), grey.repeat(3, 1, 1), matrix)
    assert torch.equal(paste_back(smooth_photo(), grey, matrix), colour)
    assert paste_back(smooth_photo(channels=1), torch.zeros(3, 64, 64), matrix).shape == (1, 240, 300)


def test_a_crop_beyond_the_photo_and_a_face_off_it():
    photo, points = smooth_photo(), tilted() - torch.tensor([80.0, 60.0])
    face, matrix = align(photo, points, 96)
    assert torch.isfinite(face).all()
    assert (paste_back(photo, face, matrix) - photo).abs().mean() < 0.005
    _, far = align(photo, tilted() + 5000, 96)
    assert torch.equal(paste_back(photo, face, far), photo)


def test_no_eyes_no_alignment():
    with pytest.raises(ValueError, match="no face can be aligned"):
        align(smooth_photo(), torch.zeros(68, 2))
    with pytest.raises(ValueError, match="no face can be aligned"):
        align(smooth_photo(), torch.full((68, 2), torch.nan))


def test_a_real_face_is_found_again_where_it_was_put(dlib, astronaut):
    face, _ = align(astronaut, find_landmarks(astronaut), 192)
    again = (eye_centres(find_landmarks(face)) + 0.5) / 192
    expected = [[0.5 - EYE_DISTANCE / 2, EYE_HEIGHT], [0.5 + EYE_DISTANCE / 2, EYE_HEIGHT]]
    assert torch.allclose(again, torch.tensor(expected), atol=0.02)
