"""Where places of a frontal picture are seen in a turned one: they move as the exact landmarks do."""

from __future__ import annotations

import pytest
import torch

from facelab.nets.warping import warp
from facelab.synth import View
from facelab.synth.match import match
from facelab.synth.render import landmarks_of, render

SIZE = 64
INNER = [*range(27, 36), *range(36, 60)]  # landmarks off the outline and off the brows' ends


def moved(number, view):
    """How the landmarks move (K, 2), 1 = half the side; how the places nearest to them do (K, 2); which are seen."""
    front, side = (
        landmarks_of(number, View(accessory=view.accessory), SIZE)[INNER],
        landmarks_of(number, view, SIZE)[INNER],
    )
    flow = torch.from_numpy(match(number, view, SIZE))
    column, row = front.round().long().T
    return 2 * (side - front) / SIZE, flow[:2, row, column].T, flow[2, row, column] > 0


@pytest.mark.parametrize("yaw", [-60.0, -20.0, 20.0, 60.0])
def test_places_move_as_landmarks_do(yaw):
    known, found, seen = moved(4, View(yaw=yaw, pitch=5, dress=3))
    assert seen.sum() > 10  # of 33 landmarks; at 60 degrees half of them are hidden or at an edge
    assert (known - found)[seen].norm(dim=1).median() < 0.03
    other = moved(4, View(yaw=-yaw, pitch=5, dress=3))[0]
    assert (other - found)[seen].norm(dim=1).median() > 0.08, "the other sign would be seen"


def test_the_front_stays_where_it_is():
    flow = match(4, View(), SIZE)
    on = flow[2] > 0
    assert abs(flow[:2]).max() < 1e-3 and 0.4 < on.mean() < 0.9 and flow.shape == (3, SIZE, SIZE)


def test_the_far_side_is_not_seen():
    seen = match(4, View(yaw=70), SIZE)[2]
    front = match(4, View(), SIZE)[2]
    half = SIZE // 2
    shares = [float(seen[:, part].sum() / front[:, part].sum()) for part in (slice(0, half), slice(half, SIZE))]
    assert shares[0] > 2 * shares[1], "turned to the right, the image's right half of the face is hidden"


@pytest.mark.parametrize("view", [View(yaw=75), View(yaw=-45, accessory="glasses"), View(yaw=30, pitch=10)])
def test_what_lies_at_an_edge_is_not_seen(view):
    """A flow that is a pixel of 64 off, in any direction, still fetches the head: its depth goes on without a step."""
    flow = torch.from_numpy(match(4, view, SIZE))
    on = torch.isfinite(render(4, view, SIZE).depth).float()[None, None]
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        off = torch.tensor([right, down]).view(1, 2, 1, 1) * 2 / SIZE
        fetched = warp(on, flow[None, :2] + off)[0, 0][flow[2] > 0]
        assert fetched.mean() > 0.995, (down, right)
