"""The z-buffer against known answers, and against rays that are cut with every triangle one by one."""

from __future__ import annotations

import numpy as np
import pytest

from facelab.synth.raster import NEAREST, rasterize

FAR = 1000.0


def draw(xy, faces, size=8, distance=None, cover=None, two_sided=False):
    xy, faces = np.asarray(xy, float), np.asarray(faces).reshape(-1, 3)
    distance = np.full(len(xy), FAR) if distance is None else np.asarray(distance, float)
    cover = np.ones(len(xy)) if cover is None else np.asarray(cover, float)
    return rasterize(xy, distance, faces, size, cover, np.full(len(faces), two_sided))


def by_rays(xy, distance, faces, size):
    """The same, slowly and in space: {pixel: (triangle, weights, distance)}; no projection, no edge functions."""
    corners = np.concatenate([xy * distance[:, None], distance[:, None]], 1)  # a pinhole camera of focal length 1
    out = {}
    for row in range(size):
        for column in range(size):
            for number, face in enumerate(faces):
                weights = np.linalg.solve(corners[face].T, (column, row, 1.0))  # ray · t = sum of weighted corners
                away, weights = 1 / weights.sum(), weights / weights.sum()
                turned = np.linalg.det(np.concatenate([xy[face], np.ones((3, 1))], 1))
                if weights.min() >= 0 and away > 0 and turned < 0:
                    if away < out.get(row * size + column, (0, 0, np.inf))[2]:
                        out[row * size + column] = (number, weights, away)
    return out


def test_a_triangle_covers_the_pixels_whose_centres_it_holds():
    seen = draw([(0, 0), (0, 4), (4, 0)], [0, 1, 2])
    known = {y * 8 + x for y in range(5) for x in range(5 - y)}
    assert set(seen.pixels) == known and len(seen.pixels) == 15
    assert (np.diff(seen.pixels) > 0).all() and np.allclose(seen.depth, FAR, rtol=1e-6)
    between = draw([(0.1, 0.1), (0.1, 0.9), (0.9, 0.1)], [0, 1, 2])
    assert len(between.pixels) == 0, "no pixel centre lies in it"


def test_what_turns_its_back_is_not_drawn_unless_it_has_two_sides():
    away = [(0, 0), (4, 0), (0, 4)]
    assert len(draw(away, [0, 1, 2]).pixels) == 0
    assert len(draw(away, [0, 1, 2], two_sided=True).pixels) == 15


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_triangle_is_seen_in_whatever_order(order):
    xy = [(0, 0), (0, 7), (7, 0)] * 2
    faces = np.array([(0, 1, 2), (3, 4, 5)])[list(order)]
    seen = draw(xy, faces, distance=[1200.0] * 3 + [900.0] * 3)
    assert set(seen.faces) == {order.index(1)} and np.allclose(seen.depth, 900, rtol=1e-6)


def test_triangles_that_cut_each_other_are_each_seen_on_their_side():
    xy = [(0, 0), (0, 14), (14, 0)] * 2
    seen = draw(xy, [(0, 1, 2), (3, 4, 5)], 16, distance=[700, 700, 1500, 1500, 1500, 700])
    column = seen.pixels % 16  # they cut each other at the column 7
    assert (seen.faces[column < 7] == 0).all() and (seen.faces[column > 7] == 1).all() and len(seen.pixels) == 120


def test_weights_and_order_are_those_of_rays_in_space():
    random = np.random.default_rng(5)
    xy, distance = random.uniform(-4, 20, (60, 2)), random.uniform(700, 2500, 60)
    faces = np.arange(60).reshape(20, 3)
    seen, known = draw(xy, faces, 16, distance), by_rays(xy, distance, faces, 16)
    assert set(seen.pixels) == set(known) and len(known) > 100
    faces_known, weights, away = (np.array([known[p][k] for p in seen.pixels]) for k in range(3))
    assert (seen.faces == faces_known).all() and len(set(seen.faces)) > 5
    assert np.abs(seen.weights - weights).max() < 1e-4 and np.abs(seen.depth / away - 1).max() < 1e-5
    # The fault this would catch: weights that are linear in the picture. They are far off.
    flat = seen.weights * distance[faces[seen.faces]]
    assert np.abs(flat / flat.sum(1, keepdims=True) - weights).max() > 0.05
    place = np.concatenate([xy * distance[:, None], distance[:, None]], 1)
    found = seen.of(place, faces)
    assert np.allclose(found[:, :2] / found[:, 2:], np.stack([seen.pixels % 16, seen.pixels // 16], 1), atol=2e-3)


def test_shared_edges_leave_no_hole():
    random = np.random.default_rng(1)
    at = np.linspace(-3, 42, 16)
    x, y = np.meshgrid(at, at)
    xy = np.stack([x, y], -1) + random.uniform(-0.9, 0.9, (16, 16, 2))
    a = np.arange(256).reshape(16, 16)
    corners = a[:-1, :-1].ravel(), a[:-1, 1:].ravel(), a[1:, 1:].ravel(), a[1:, :-1].ravel()
    faces = np.concatenate([np.stack([corners[k] for k in (0, 3, 2)], 1), np.stack([corners[k] for k in (0, 2, 1)], 1)])
    distance = random.uniform(900, 1100, 256)
    assert len(draw(xy.reshape(-1, 2), faces, 40, distance).pixels) == 1600
    assert len(draw(xy.reshape(-1, 2), np.delete(faces, 100, 0), 40, distance).pixels) < 1600, "a missing one is seen"


def test_pixels_on_a_shared_edge_belong_to_somebody():
    square = [(0, 0), (6, 0), (6, 6), (0, 6)]  # the diagonal runs through pixel centres
    seen = draw(square, [(0, 3, 2), (0, 2, 1)])
    assert len(seen.pixels) == 49


def test_where_cover_is_negative_there_is_a_hole():
    triangle = [(0, 0), (0, 7), (7, 0)]
    seen = draw(triangle, [0, 1, 2], cover=[1, 1, -1])  # linear: 0 at the column 3.5
    assert set(seen.pixels % 8) == {0, 1, 2, 3} and (seen.pixels // 8).max() == 7
    assert len(draw(triangle, [0, 1, 2], cover=[-1, -1, -1]).pixels) == 0


def test_what_lies_outside_is_cut_off():
    random = np.random.default_rng(3)
    xy, distance = random.uniform(0, 48, (30, 2)), random.uniform(800, 1500, 30)
    faces = np.arange(30).reshape(10, 3)
    whole, part = (draw(xy - by, faces, size, distance, two_sided=True) for by, size in ((0, 48), (16, 16)))
    picture = np.full((48, 48), -1)
    picture.ravel()[whole.pixels] = whole.faces
    cut = np.full((16, 16), -1)
    cut.ravel()[part.pixels] = part.faces
    assert (cut == picture[16:32, 16:32]).all() and len(part.pixels) > 20
    for by in (100, -100):
        assert len(draw(xy + by, faces, 48, distance, two_sided=True).pixels) == 0


def test_a_triangle_as_large_as_the_largest_picture_is_drawn():
    assert len(draw([(-1, -1), (-1, 1400), (1400, -1)], [0, 1, 2], 640).pixels) == 640 * 640


def test_too_near_is_refused():
    triangle = [(0, 0), (0, 4), (4, 0)]
    for bad in (NEAREST - 1, -FAR, np.nan):
        with pytest.raises(ValueError, match="mm from the camera"):
            draw(triangle, [0, 1, 2], distance=[FAR, bad, FAR])
    xy = [(0, 0), (0, 4), (4, 0)] * 2  # as near as may be, the order of distances still holds
    seen = draw(xy, [(0, 1, 2), (3, 4, 5)], distance=[NEAREST + 0.01] * 3 + [NEAREST] * 3)
    assert set(seen.faces) == {1}
