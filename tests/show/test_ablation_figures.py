"""Pictures of an ablation: the right bar in the right place, and faces under their own names."""

import io

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from facelab.show import ablation
from facelab.show.canvas import COLOURS, png
from facelab.show.lab import GAP, HEAD, SIDE
from facelab.studies.ablation import table
from facelab.studies.ablation.record import Sheet

VALUES = {"base": 10.0, "two-step": 12.0, "no penalty": 7.0, "loud": 10.5}


def content():
    rows = [
        {"variant": name, "seed": seed, "seconds": 1.0, "ended": "done",
         "pictures": {metric: [value + 0.1 * seed] * 4 for metric in table.METRICS}}
        for name, value in VALUES.items() for seed in range(3)
    ]  # fmt: skip
    return {"header": {"people": ["a", "a", "b", "b"]}, "rows": rows}


def looks():
    return [{"variant": name, "seed": seed, "step": step, "slope_fake": value * step, "bound_operator": None}
            for name, value in VALUES.items() for seed in range(2) for step in (10, 20)]  # fmt: skip


def test_better_is_right_of_zero_and_blue_and_worse_left_and_red():
    figure = ablation.differences(table.lines(content()))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["two-step", "no penalty", "loud"]
    assert [text.get_text() for text in figure.texts] == ["difference to base"]  # one for all, named once
    bars = [line for line in axes.lines if line.get_linewidth() == 3.2]
    for bar, tick, change in zip(bars, axes.get_yticks(), (2.0, -3.0, 0.5), strict=True):
        assert bar.get_ydata()[0] == tick and bar.get_xdata() == pytest.approx([change, change])
        assert to_rgb(bar.get_color()) == to_rgb(COLOURS[0] if change > 0 else COLOURS[5])
    ticks = axes.get_yticks()
    assert ticks[2] - ticks[1] > ticks[1] - ticks[0], "another group begins after a gap"


def test_a_run_that_broke_down_is_said_and_breaks_no_figure():
    broken = content()
    rows = [row for row in broken["rows"] if row["variant"] != "loud"]
    rows += [{"variant": "loud", "seed": seed, "seconds": 1.0, "ended": "not finite at step 2"} for seed in range(3)]
    figure = ablation.differences(table.lines(broken | {"rows": rows}))
    assert "seed 0, 1, 2 breaks" in [text.get_text() for text in figure.axes[0].texts]
    assert np.asarray(Image.open(io.BytesIO(png(figure))).convert("L")).std() > 5


def test_whose_parent_was_not_run_has_no_row():
    orphan = {**content()["rows"][-1], "variant": "DRAGAN + IN"}
    found = content() | {"rows": [*content()["rows"], orphan]}
    assert "DRAGAN + IN" in [line.variant for line in table.lines(found)], "it was run, and its parent was not"
    (axes,) = ablation.differences(table.lines(found)).axes
    assert "DRAGAN" not in "".join(label.get_text() for label in axes.get_yticklabels())


def test_sharper_and_softer_are_neither_blue_nor_red():
    figure = ablation.differences(table.lines(content(), metric="sharpness"))
    found = [to_rgb(line.get_color()) for line in figure.axes[0].lines if line.get_linewidth() == 3.2]
    assert found == [to_rgb(COLOURS[3]), to_rgb(COLOURS[4]), to_rgb(COLOURS[3])]


def test_a_course_is_the_median_over_seeds():
    rows = looks()
    rows[0]["slope_fake"] = 0.0
    assert ablation.median_course(rows, "base", "slope_fake") == ([10, 20], [50.0, 200.0])
    assert ablation.median_course(rows, "base", "bound_operator") == ([], [])


def test_figures_are_drawn():
    numbers = {"slope_fake": "slope", "bound_operator": "bound"}
    for figure in (
        ablation.differences(*(table.lines(content(), metric=metric) for metric in table.METRICS)),
        ablation.courses(looks(), ["base", "loud"], numbers, log=("slope_fake",), levels={"slope_fake": 1.0}),
        ablation.against({"base": (1.0, 2.0), "loud": (10.0, 1.0)}, "x", "y"),
    ):
        assert np.asarray(Image.open(io.BytesIO(png(figure))).convert("L")).std() > 5


def test_only_the_named_carry_their_names_and_stay_inside_the_frame():
    points = {"base": (1.0, 2.0), "R1": (3.0, 2.0), "loud": (10.0, 1.0)}
    for named, said in (((), ["base", "R1", "loud"]), (("loud",), ["loud"])):
        axes = ablation.against(points, "x", "y", named=named).axes[0]
        assert [text.get_text() for text in axes.texts] == said
    assert [text.get_ha() for text in ablation.against(points, "x", "y").axes[0].texts] == ["left", "left", "right"]


def test_a_level_is_drawn_where_it_is_and_zero_at_the_edge():
    axes = ablation.courses(looks(), ["base"], {"slope_fake": "slope"}, levels={"slope_fake": 0.7}).axes[0]
    assert [0.7, 0.7] in [list(line.get_ydata()) for line in axes.lines]
    axes = ablation.against({"none": (0.0, 1.0), "base": (0.2, 1.0)}, "x", "y").axes[0]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.1, 0.2]


@pytest.fixture
def sheet():
    grey = lambda value, channels=1: torch.full((2, channels, 8, 8), value)  # noqa: E731
    images = {"base": grey(-1.0), "loud": grey(1.0)}
    return Sheet(grey(0.0), grey(0.5), grey(1.0), images, {"base": grey(0.0), "loud": grey(0.5)})


def brightness(lab, number):
    page = np.asarray(Image.open(io.BytesIO(lab.picture.value)).convert("L"), dtype=float)
    left = number * (SIDE + GAP)
    return page[HEAD : HEAD + SIDE, left : left + SIDE].mean() / 255


def test_the_lab_shows_what_it_says(sheet):
    scores = {"base": torch.tensor([1.0, 2.0]), "loud": torch.tensor([3.0, 4.0])}
    lab = ablation.variants_lab(sheet, scores, ("base", "loud"))
    assert [brightness(lab, k) for k in range(4)] == pytest.approx([0.5, 0.0, 1.0, 0.75], abs=0.01)
    assert "base <b>1.0 dB in the hole</b> · loud <b>3.0 dB in the hole</b>" in lab.words.value
    lab.controls["show"].value = "hole"
    assert [brightness(lab, k) for k in range(4)] == pytest.approx([0.5, 0.0, 0.5, 1.0], abs=0.01)
    lab.controls["face"].value, lab.controls["right"].value = 1, "base"
    assert brightness(lab, 2) == pytest.approx(0.0, abs=0.01) and "base <b>IoU 0.00</b>" in lab.words.value
    lab.controls["show"].value = "picture"
    assert "base <b>2.0 dB in the hole</b> · base" in lab.words.value
