"""Pictures of games on the plane: what is where, and what the lab's controls do."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from facelab.show import charts, plane, plane_lab
from facelab.show.canvas import png
from facelab.studies import toy

RING = toy.DISTRIBUTIONS["ring"]


@pytest.fixture(scope="module")
def game():
    return toy.play(toy.Toy(steps=6, batch=16, width=8, depth=1), looks=3, count=32)


class Tilted(torch.nn.Module):
    """D(x, y) = 3x: known scores and slopes."""

    def forward(self, points):
        return 3 * points[:, :1]


def test_the_lattice_has_up_above_and_right_on_the_right():
    points = plane.lattice(5, reach=2.0).view(5, 5, 2)
    assert points[0, 0].tolist() == [-2, 2] and points[-1, -1].tolist() == [2, -2]


def test_maps_of_a_known_critic():
    scores, slope = plane.score_map(Tilted(), 9, reach=1.0), plane.slope_map(Tilted(), 9)
    assert scores[:, 0].tolist() == [-3.0] * 9 and scores[:, -1].tolist() == [3.0] * 9
    torch.testing.assert_close(slope, torch.full((9, 9), 3.0))
    assert plane.steepness_of(torch.tensor([1.0, 30.0, 1 / 30])).tolist() == pytest.approx([0.5, 1.0, 0.0])


def test_points_are_drawn_where_they_are():
    points = torch.tensor([[plane.REACH / 2, plane.REACH / 2], [99.0, 0.0]])
    image = plane_lab._canvas(np.full((8, 8), 0.5), [(points, plane_lab.FAKE)])
    assert image.shape == (3, plane_lab.FINE, plane_lab.FINE) and image.min() >= -1 and image.max() <= 1
    orange = (image - (torch.tensor(plane_lab.FAKE).view(3, 1, 1) * 2 - 1)).abs().sum(0) < 1e-4
    rows, columns = torch.nonzero(orange, as_tuple=True)
    assert rows.float().mean() == pytest.approx(
        plane_lab.FINE / 4, abs=1
    )  # up and to the right: the upper right quarter
    assert columns.float().mean() == pytest.approx(3 * plane_lab.FINE / 4, abs=1)
    assert int(orange.sum()) < 4 * (plane_lab.DOT + 1) ** 2  # and the point far away is nowhere


def test_figures_are_drawn(game):
    moments = {"a": game[0], "b": game[-1]}
    figures = [
        plane.landscapes(moments, RING), plane.landscapes(moments, RING, show="slope", reach=3.0),
        plane.slope_histograms(moments, RING), plane.evolution({"a": game}, RING, moments=3),
        plane.orbits({"a": torch.rand(5, 2)}),
        charts.lines([1.0, 2.0], {"x": [1.0, float("nan")]}, "a", "b", level=(1, "c")),
    ]  # fmt: skip
    for figure in figures:
        picture = np.asarray(Image.open(io.BytesIO(png(figure))).convert("L"))
        assert picture.std() > 5


def test_names_of_lines_that_end_together_are_drawn_apart():
    figure = charts.lines(
        [1.0, 2.0], {"a": [0.0, 1.0], "b": [1.0, 1.001], "c": [2.0, 3.0], "d": [0.0, math.nan]}, "x", "y"
    )
    figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in figure.axes[0].texts}
    assert boxes["a"].y1 <= boxes["b"].y0 + 1 and boxes["b"].y1 < boxes["c"].y0
    assert boxes["d"].y1 < boxes["a"].y0  # where its last number is


def test_places_lie_between(game):
    where = plane.places(game[-1], RING)
    assert set(where) == {"real", "fake", "between"}
    apart = (where["real"] - where["fake"]).norm(dim=1)
    both = (where["real"] - where["between"]).norm(dim=1) + (where["between"] - where["fake"]).norm(dim=1)
    torch.testing.assert_close(apart, both)


OTHER = {
    "data": "grid", "loss": "nonsaturating", "leash": "none", "weight": 100.0, "critic_learning_rate": 1e-2,
    "n_critic": 1, "moment": 3,
}  # fmt: skip


@pytest.mark.parametrize("control", OTHER)
def test_every_control_changes_the_picture(control):
    lab = plane_lab.landscape_lab(12, width=8, depth=1, batch=16)
    assert set(lab.controls) == set(OTHER)
    before = lab.picture.value
    lab.controls[control].value = OTHER[control]
    assert lab.picture.value != before
    assert "heaps found" in lab.words.value


def test_scrubbing_plays_nothing_again(monkeypatch):
    lab = plane_lab.landscape_lab(12, seed=3)
    monkeypatch.setattr(plane_lab, "play", lambda *a: pytest.fail("played again"))
    lab.controls["moment"].value = 2
    assert "step " in lab.words.value


def test_a_weight_that_nothing_uses_is_switched_off():
    lab = plane_lab.landscape_lab(12, width=8, depth=1, batch=16, leash="spectral")
    assert lab.controls["weight"].disabled
    lab.controls["leash"].value = "r1"
    assert not lab.controls["weight"].disabled
