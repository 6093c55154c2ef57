"""Six points, three pose ranges, one homography."""

import pytest
import torch

from facelab.faces.landmarks import flip
from facelab.occlude import fitting
from facelab.occlude.face import CANONICAL
from facelab.seeding import generator

FACE = CANONICAL[None] * 100


def test_a_homography_that_exists_is_found():
    truth = torch.tensor([[[1.2, 0.1, 5.0], [-0.2, 0.9, 3.0], [0.001, 0.002, 1.0]]])
    source = torch.tensor([[[0.0, 0.0], [10.0, 0.0], [10.0, 8.0], [0.0, 8.0], [4.0, 3.0], [7.0, 1.0]]])
    found = fitting.homography(source, fitting.project(truth, source))
    torch.testing.assert_close(found, truth, rtol=1e-4, atol=1e-5)


def test_grid_is_the_inverse_of_project():
    matrix = torch.tensor([[[30.0, 4.0, 50.0], [-3.0, 40.0, 30.0], [0.02, 0.05, 1.0]]])
    across, down = fitting.grid(matrix, (100, 100))
    back = fitting.project(matrix, torch.stack([across, down], -1))
    y, x = torch.meshgrid(torch.arange(100.0), torch.arange(100.0), indexing="ij")
    near = (across.abs() < 2) & (down.abs() < 2)
    assert near.sum() > 1000
    torch.testing.assert_close(back[0][near[0]], torch.stack([x, y], -1)[near[0]], rtol=1e-3, atol=0.05)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="four points"):
        fitting.homography(torch.zeros(1, 3, 2), torch.zeros(1, 3, 2))


def test_anchors_lie_on_the_jaw_at_their_heights():
    left, bridge, right, low_left, chin, low_right = fitting.anchors(FACE)[0]
    assert left[1] == pytest.approx(float(FACE[0, 30, 1]), abs=0.1) == right[1]
    assert low_left[1] == pytest.approx(float(FACE[0, 57, 1]), abs=0.1) == low_right[1]
    assert left[0] < bridge[0] < right[0] and torch.equal(chin, FACE[0, 8]) and low_left[0] < chin[0] < low_right[0]


def test_a_tilted_head_has_its_anchors_tilted():
    turn = torch.deg2rad(torch.tensor(25.0))
    spin = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
    about = lambda points: (points - 50) @ spin.T + 50  # noqa: E731
    torch.testing.assert_close(fitting.anchors(about(FACE)), about(fitting.anchors(FACE)), rtol=0, atol=0.2)


def test_a_mirrored_face_turns_the_other_way():
    turned = FACE.clone()
    turned[:, 27:36, 0] += 15  # the nose moves to the picture's right
    assert fitting.pose(FACE).tolist() == [0]
    assert fitting.pose(turned).tolist() == [1] and fitting.pose(flip(turned, 100)).tolist() == [-1]


def test_an_upright_mask_is_symmetric_and_never_turned():
    turn = torch.deg2rad(torch.tensor(20.0))
    spin = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
    tilted = fitting.anchors((FACE - 50) @ spin.T + 50)
    a, bridge, c, f, chin, d = fitting.upright(tilted)[0]
    assert a[1] == pytest.approx(float(c[1])) and f[1] == pytest.approx(float(d[1]))
    assert bridge[0] == pytest.approx(float(chin[0])) and c[0] - bridge[0] == pytest.approx(float(bridge[0] - a[0]))
    straight = (FACE + flip(FACE, 100)) / 2  # symmetric: what is compared is the pose and nothing else
    places = fitting.anchors(straight)
    torch.testing.assert_close(fitting.upright(places), places, rtol=0, atol=0.5)
    width = lambda six: (six[0, 2] - six[0, 0]).norm()  # noqa: E731
    assert float(width(fitting.upright(tilted))) == pytest.approx(float(width(tilted)), rel=1e-3)


def test_a_mask_slips_down_and_turns_clockwise():
    places = fitting.anchors(FACE)
    assert torch.equal(fitting.slipped(places, 0.0, 0.0), places)
    tall = places[:, 4] - places[:, 1]
    torch.testing.assert_close(fitting.slipped(places, 0.5, 0.0) - places, (0.5 * tall)[:, None].expand_as(places))
    turned = fitting.slipped(places, 0.0, 10.0)
    assert turned[0, 0, 1] < places[0, 0, 1] and turned[0, 2, 1] > places[0, 2, 1], "right side down: clockwise"
    torch.testing.assert_close(turned.mean(1), places.mean(1), rtol=0, atol=1e-3)


def test_a_window_moves_the_homography_with_it():
    matrix = fitting.homography(fitting.anchors(FACE) / 50, fitting.anchors(FACE))
    points = torch.rand(1, 5, 2, generator=generator(0, "window"))
    by = torch.tensor([[3.0, -7.0]])
    expected = fitting.project(matrix, points) + by
    torch.testing.assert_close(fitting.project(fitting.shifted(matrix, by), points), expected, rtol=1e-4, atol=1e-3)
