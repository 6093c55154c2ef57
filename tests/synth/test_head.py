"""The mean head, how people differ from it, and how one face moves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facelab.errors import BadConfig
from facelab.faces.landmarks import MIRROR
from facelab.synth import MOVEMENTS, View, person
from facelab.synth.head import mean_head
from facelab.synth.marks import REST_MARKS
from facelab.synth.modes import expressions, shapes
from facelab.synth.person import _MOST, _TOGETHER
from facelab.synth.scene import face

CHIN, NOSE, EYES, UPPER, LOWER = 8, 30, slice(36, 48), 62, 66


def grid(points, head):
    return points.reshape(*head.shape, 3)


def mirrored(points, head):
    """The same grid seen in a mirror: columns run the other way."""
    return grid(points, head)[:, ::-1] * (-1, 1, 1)


def mode(name, table=shapes):
    names, moves = table(1.6)
    return moves[names.index(name)]


@pytest.mark.parametrize("fine", [1.0, 1.6])
def test_landmarks_lie_on_the_face(fine):
    head = mean_head(fine)
    index, weight = head.marks
    assert index.shape == weight.shape == (68, 4) and (weight > 0).all() and np.allclose(weight.sum(1), 1)
    marks = (head.points[index] * weight[..., None]).sum(1)
    nearest = np.linalg.norm(head.points[None] - marks[:, None], axis=2).min(1)
    assert nearest.max() < 2.5 * fine, "mm from the nearest point of the grid"
    assert np.abs((head.rest[index] * weight[..., None]).sum(1)[:, :2] - REST_MARKS).max() < 0.7
    assert (np.cos(head.azimuth[index]) > 0).all(), "none is carried by the back of the head"


def test_two_grids_have_one_face(even):
    fine, coarse = (face(even, View(), f)[1] for f in (1.0, 1.6))
    apart = np.linalg.norm(fine - coarse, axis=1)
    assert apart[17:].max() < 1.5 and np.abs(fine - coarse)[:, :2].max() < 1.0, "mm"
    assert apart.max() < 6, "of the outline the grid decides how far back it lies"


def test_the_mean_head_is_its_own_mirror_image(even):
    head = mean_head(1.6)
    assert np.abs(grid(head.points, head) - mirrored(head.points, head)).max() < 1e-9
    points, marks = face(even, View(), 1.6)
    assert np.abs(marks[MIRROR] * (-1, 1, 1) - marks).max() < 1e-3
    crooked = head.points + mode("crooked")
    assert np.abs(grid(crooked, head) - mirrored(crooked, head)).max() > 0.5, "a crooked nose is seen"


def test_the_grid_is_closed_and_looks_outside():
    head = mean_head(1.6)
    for points in (head.points, *shapes(1.6)[1], *expressions(1.6)[1]):
        at = grid(points, head)
        assert np.abs(at[:, 0] - at[:, -1]).max() < 1e-4
    a, b, c = (head.points[head.faces[:, k]] for k in range(3))
    outside = (np.cross(b - a, c - a) * (a - (0, 0, -5))).sum(1)
    assert (outside > 0).mean() > 0.97  # nostrils and eyelids apart
    assert head.faces.min() == 0 and head.faces.max() == len(head.points) - 1


@pytest.mark.parametrize("table", [shapes, expressions])
def test_every_mode_but_one_is_even(table):
    head, (names, moves) = mean_head(1.6), table(1.6)
    odd = {name for name, move in zip(names, moves, strict=True)
           if np.abs(grid(move, head) - mirrored(move, head)).max() > 1e-4}  # fmt: skip
    assert odd == ({"crooked"} if table is shapes else set())
    assert np.isfinite(moves).all() and (np.abs(moves).max((1, 2)) > 0.3).all(), "mm: every one does something"


def test_modes_move_their_own_part_of_the_head_alone():
    head = mean_head(1.6)
    x, y = head.rest[:, 0], head.rest[:, 1]
    behind, low, high, aside = np.cos(head.azimuth) < -0.3, y < -80, y > 75, np.abs(x) > 60
    none = {
        "eyes large": behind | low | high, "brows high": behind | low | high, "full upper lip": behind | high | aside,
        "nose ahead": behind | low | high | aside, "wide mouth": behind | high | aside, "chin ahead": behind | high,
        "cheekbones": behind | high, "high forehead": low,
    }  # fmt: skip
    for name, where in none.items():
        assert np.abs(mode(name)[where]).max() < 0.02 < 0.5 < np.abs(mode(name)).max(), name
    for name in MOVEMENTS:
        assert np.abs(mode(name, expressions)[behind | high]).max() < 0.05, name
    assert np.abs(mode("wide head")[behind]).max() > 2, "this one does move the back"


def test_movements_are_those_that_are_named():
    assert expressions(1.6)[0] == MOVEMENTS


def moved(even, **amounts):
    calm, after = (face(even, View(expression=e), 1.6)[1] for e in ({}, amounts))
    return after - calm


def test_a_movement_moves_the_landmarks_it_should(even):
    jaw = moved(even, jaw=1.0)
    assert -12 < jaw[CHIN, 1] < -6 and jaw[LOWER, 1] < -6 and np.abs(jaw[EYES]).max() < 0.1
    assert jaw[LOWER, 1] - jaw[UPPER, 1] < -4 and np.abs(jaw[NOSE]).max() < 0.5
    opened = moved(even, open=1.0)
    assert opened[LOWER, 1] - opened[UPPER, 1] < -4 and np.abs(opened[CHIN]).max() < 4
    smile = moved(even, smile=1.0)
    assert smile[48, 1] > 2 and smile[54, 1] > 2 and smile[48, 0] < -2 < 2 < smile[54, 0]
    assert moved(even, **{"brows up": 1.0})[17:27, 1].min() > 1 and moved(even, frown=1.0)[21, 1] < -1
    assert moved(even, squint=1.0)[37, 1] < -0.5 < 0.3 < moved(even, squint=1.0)[41, 1]
    half = moved(even, jaw=0.5)
    assert np.allclose(2 * half, jaw, atol=1e-3), "twice as much moves twice as far"


@pytest.mark.parametrize("number", [-1, 1.0, "3", None])
def test_impossible_people_are_refused(number):
    with pytest.raises(BadConfig, match="person = .* a whole number"):
        person(number)


def test_a_number_is_one_person_and_people_differ():
    assert person(7) is person(np.int64(7)) and not person(7).shape.flags.writeable
    everybody = [person(k) for k in range(40)]
    assert len({who.grain for who in everybody}) == 40 and len({who.style for who in everybody}) > 6
    apart = np.array([np.abs(a.shape - b.shape).max() for a in everybody for b in everybody if a is not b])
    assert apart.min() > 0.5  # standard deviations


def test_modes_that_add_up_are_limited():
    names = shapes()[0]
    for group in _TOGETHER:
        along = np.zeros(len(names))
        along[[names.index(name) for name in group]] = list(group.values())
        much = np.array([person(k).shape @ along for k in range(300)]) / np.linalg.norm(along)
        assert np.abs(much).max() < _MOST + 0.25 and much.std() > 0.75, "nobody a caricature, and all still different"


def test_somebody_may_be_changed(even):
    """The fault this catches: a cache that asks for the number alone, and shows the old face."""
    longer = dataclasses.replace(even, shape=even.shape + np.eye(len(even.shape), dtype=np.float32)[1] * 2)
    assert shapes()[0][1] == "long head"
    assert face(longer, View(), 1.6)[1][CHIN, 1] < face(even, View(), 1.6)[1][CHIN, 1] - 5
