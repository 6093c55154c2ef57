"""Photographs whose heads are turned: nothing happens at 0 degrees, signs hold, and landmarks go where pixels go."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from facelab.errors import BadConfig
from facelab.faces.landmarks import yaw as yaw_of
from facelab.nets.warping import places, warp
from facelab.synth import View, photo
from facelab.synth.photo import MOST, relief, turn, turned_landmarks, turned_match
from facelab.synth.render import render

SIZE = 96
MARKED = [8, 19, 24, 27, 30, 36, 39, 42, 45, 48, 54, 57]
"""Landmarks painted as dots: none on the outline, where a dot would be cut off."""


@pytest.fixture(scope="module")
def face():
    """A rendered picture stands for a photograph: its landmarks are exact."""
    return render(5, View(backdrop=3), SIZE)


Y, X = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")


@pytest.fixture(scope="module")
def dots(face):
    """A channel for each of some landmarks: white with a dark dot there."""
    away = torch.stack([(X - px) ** 2 + (Y - py) ** 2 for px, py in face.landmarks[MARKED]])
    return 1 - 1.6 * torch.exp(-away / 2)


def centres(image):
    """Where the dot in each channel lies, (C, 2) pixels."""
    weight = (1 - image).clamp(min=0)
    return torch.stack([(weight * X).sum((1, 2)), (weight * Y).sum((1, 2))], 1) / weight.sum((1, 2))[:, None]


def test_nothing_happens_at_0_degrees(face):
    same = turn(face.image, face.landmarks, 0.0)
    assert (same - face.image).abs().mean() < 0.01 and (same - face.image).abs().max() < 0.6
    moved = (face.image.roll(1, 2) - face.image).abs().mean()
    assert moved > 0.02, "one pixel aside would be seen"
    assert torch.allclose(
        turned_landmarks(face.landmarks, 0.0, 0.0, relief(face.landmarks, SIZE)), face.landmarks, atol=1e-3
    )


@pytest.mark.parametrize("yaw", [-45.0, -20.0, 20.0, 45.0])
def test_the_face_turns_to_the_side_of_the_sign(face, dots, yaw):
    points = turned_landmarks(face.landmarks, yaw, 0.0, relief(face.landmarks, SIZE))
    assert 0.5 * abs(yaw) < float(yaw_of(points)) * (1 if yaw > 0 else -1) < 1.6 * abs(yaw)
    after = turn(dots, face.landmarks, yaw)
    nose, left, right = (centres(after)[MARKED.index(k)] for k in (30, 39, 42))
    before = face.landmarks[30, 0] - (face.landmarks[39, 0] + face.landmarks[42, 0]) / 2
    aside = nose[0] - (left[0] + right[0]) / 2 - before
    assert (aside > 1.5) if yaw > 0 else (aside < -1.5), "the nose's dot moves to the same side, in pixels"


@pytest.mark.parametrize("yaw, pitch", [(0.0, 0.0), (15.0, 5.0), (-30.0, -5.0), (30.0, 0.0)])
def test_landmarks_go_where_the_pixels_go(face, dots, yaw, pitch):
    depth = relief(face.landmarks, SIZE)
    went = centres(turn(dots, face.landmarks, yaw, pitch, depth))
    apart = lambda points: (went - points[MARKED]).norm(dim=1)  # noqa: E731
    exact = apart(turned_landmarks(face.landmarks, yaw, pitch, depth))
    assert exact.median() < 0.25 and exact.max() < 1.5, exact
    if yaw:  # the faults this catches: landmarks that stay, or turn the other way
        assert apart(face.landmarks).median() > 4 * exact.median()
        assert apart(turned_landmarks(face.landmarks, -yaw, pitch, depth)).median() > 8 * exact.median()


def test_a_positive_pitch_looks_from_above(face):
    depth = relief(face.landmarks, SIZE)
    seen = [turned_landmarks(face.landmarks, 0.0, pitch, depth) for pitch in (-20, 20)]
    drop = [float(points[30, 1] - points[36:48, 1].mean()) for points in seen]
    assert drop[1] > drop[0] + 3


def test_turned_photographs_resemble_true_renders():
    """Rendered people know how they look from the side: nearer to that than to the front, and than the other side."""
    front, truth, other = (render(5, View(yaw=yaw), SIZE) for yaw in (0.0, 25.0, -25.0))
    made = turn(front.image, front.landmarks, 25.0)
    error = lambda there: (made - there.image)[:, 24:80, 24:72].abs().mean()  # noqa: E731
    assert error(truth) < 0.75 * error(front) and error(truth) < 0.5 * error(other)


def test_grey_and_colour_turn_alike(face):
    depth = relief(face.landmarks, SIZE)
    colour, grey = (turn(face.image[:c], face.landmarks, 30.0, 5.0, depth) for c in (3, 1))
    assert colour.shape == (3, SIZE, SIZE) and grey.shape == (1, SIZE, SIZE)
    assert torch.allclose(colour[:1], grey, atol=1e-6)
    assert torch.equal(turn(face.image, face.landmarks, 30.0, 5.0), colour), "the relief at hand is the one computed"


def test_nothing_is_missing_and_the_range_is_kept(face):
    for yaw, pitch in ((MOST, 30.0), (-MOST, -30.0), (45.0, -20.0)):
        after = turn(face.image, face.landmarks, yaw, pitch)
        assert torch.isfinite(after).all() and after.min() >= -1 and after.max() <= 1 and after.std() > 0.1


def test_a_small_face_in_a_large_photograph_can_be_turned(face):
    """The far corners of the sheet would swing past the camera."""
    small = torch.ones(3, SIZE, SIZE) * 0.1
    small[:, 60:84, 60:84] = torch.nn.functional.avg_pool2d(face.image[None], 4)[0]
    points = (face.landmarks + 0.5) / 4 - 0.5 + 60
    after = turn(small, points, MOST)
    assert torch.isfinite(after).all() and after[:, 60:84, 60:84].std() > 0.1


def test_the_relief_is_a_face(face):
    depth = relief(face.landmarks, SIZE)
    x, y = face.landmarks.round().long().T
    height = lambda k: depth[y[k], x[k]]  # noqa: E731
    assert depth.shape == (SIZE, SIZE) and height(30) > max(height(36), height(45), height(27)) + 3
    assert height(30) > height(2) + 15 and depth[:4, :4].max() < 0 < height(0), "the corner lies behind the ears"


@pytest.mark.parametrize("field, angles", [("yaw", (61.0, 0.0)), ("yaw", (-61.0, 0.0)), ("yaw", (float("nan"), 0.0)),
                                           ("pitch", (0.0, 31.0)), ("pitch", (0.0, float("nan")))])  # fmt: skip
def test_angles_beyond_what_a_photograph_shows_are_refused(face, field, angles):
    with pytest.raises(BadConfig, match=f"{field} = "):
        turn(face.image, face.landmarks, *angles)
    with pytest.raises(BadConfig, match=f"{field} = "):
        turned_landmarks(face.landmarks, *angles, relief(face.landmarks, SIZE))


def test_photographs_without_a_face_or_a_side_are_refused(face):
    lost = face.landmarks.clone()
    lost[3] = float("nan")
    for points in (lost, torch.zeros(68, 2)):
        with pytest.raises(ValueError, match="68 finite landmarks"):
            turn(face.image, points, 20.0)
    with pytest.raises(ValueError, match="one square side"):
        turn(face.image[:, :80], face.landmarks, 20.0)


@pytest.mark.parametrize("yaw", [-45.0, 30.0])
def test_what_is_fetched_along_the_match_lies_where_it_lay_in_the_photograph(face, yaw):
    depth, own = relief(face.landmarks, SIZE), places(SIZE, SIZE)
    there = turn(own, face.landmarks, yaw, 0.0, depth)
    flow = torch.from_numpy(turned_match(face.landmarks, yaw, 0.0, SIZE, depth))
    seen = flow[2] > 0
    off = (warp(there[None], flow[None, :2])[0] - own).norm(dim=0)[seen] * SIZE / 2
    assert seen.float().mean() > 0.2 and off.median() < 0.3 and off.quantile(0.98) < 2.5, "pixels"
    assert (there - own).norm(dim=0)[seen].median() * SIZE / 2 > 3


def test_edges_of_a_turned_photograph_are_not_seen(face, monkeypatch):
    depth = relief(face.landmarks, SIZE)
    seen = lambda: turned_match(face.landmarks, 50.0, 0.0, SIZE, depth)[2]  # noqa: E731
    now = seen()
    monkeypatch.setattr(photo, "deepest_around", lambda depth: depth)
    before = seen()
    left_out = torch.from_numpy(before - now)
    assert left_out.min() >= 0 and 0.02 < left_out.sum() / before.sum() < 0.4
    edge = torch.from_numpy(before)[None, None]  # where what is seen ends, in the photograph
    near_an_end = F.max_pool2d(1 - edge, 9, 1, 4)[0, 0] > 0
    assert near_an_end[left_out > 0].float().mean() > 0.7 > 1.5 * near_an_end[before > 0].float().mean()
