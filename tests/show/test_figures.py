"""Figures show what they are given: read back from the drawn pixels, not from their existence."""

from __future__ import annotations

import io

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from facelab.images import to_unit
from facelab.metrics.image import psnr
from facelab.show import canvas, figures
from facelab.train.history import History


def drawn(figure: Figure, dpi: int = 100) -> np.ndarray:
    """The figure as (H, W, 3) in 0..1."""
    return np.asarray(Image.open(io.BytesIO(canvas.png(figure, dpi))).convert("RGB"), dtype=np.float64) / 255


def pictures(figure: Figure) -> list[np.ndarray]:
    """The arrays of all pictures in a figure, in drawing order."""
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.get_images()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def test_a_grid_shows_the_images_in_order_and_in_range(faces):
    shown = pictures(figures.face_grid(faces, columns=3))
    for picture, face in zip(shown, faces, strict=True):
        np.testing.assert_allclose(picture, to_unit(face).permute(1, 2, 0).numpy(), atol=1e-6)


def test_black_is_drawn_black_and_a_hole_white():
    black, full = -torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    for figure, value in ((figures.face_grid(black), 0.0), (figures.face_grid(full, hole=True), 1.0)):
        page = drawn(figure)
        assert page[page.shape[0] // 2, page.shape[1] // 2].tolist() == pytest.approx([value] * 3, abs=0.01)


@pytest.mark.parametrize("wrong", [127.5, 3.0])
def test_other_ranges_are_refused(faces, wrong):
    with pytest.raises(ValueError, match=r"an image is in \[-1, 1\]"):
        figures.face_grid(faces * wrong)


def test_an_image_given_as_a_hole_is_refused(faces):
    with pytest.raises(ValueError, match=r"a hole is in \[0, 1\]"):
        figures.rows({"its hole": faces[:, :1]})


def test_rows_tell_holes_by_their_label_and_stand_in_order(faces, hole):
    figure = figures.rows({"input": faces, "found\nhole": hole, "truth": faces.flip(0)}, list("abcd"), list("efgh"))
    shown = pictures(figure)
    assert len(shown) == 12
    np.testing.assert_allclose(shown[5], hole[1, 0].numpy(), atol=1e-6)
    np.testing.assert_allclose(shown[8], to_unit(faces[3]).permute(1, 2, 0).numpy(), atol=1e-6)
    assert {"input", "truth", *"abcdefgh"} <= set(words(figure))


def test_rows_of_different_length_are_refused(faces):
    with pytest.raises(ValueError, match="'b': 3"):
        figures.rows({"a": faces, "b": faces[:3]})


@pytest.mark.parametrize("wrong", [{"titles": ["one"]}, {"notes": list("abcde")}])
def test_words_that_do_not_fit_the_faces_are_refused(faces, wrong):
    with pytest.raises(ValueError, match="one and the same number"):
        figures.rows({"a": faces}, **wrong)


def test_nothing_to_show_is_refused(faces):
    for draw in (lambda: figures.face_grid(faces[:0]), lambda: figures.rows({"a": faces[:0]})):
        with pytest.raises(ValueError, match="at least one"):
            draw()
    with pytest.raises(ValueError, match="'titles': 3"):
        figures.face_grid(faces, ["a", "b", "c"])
    with pytest.raises(ValueError, match="'metric': 2"):
        figures.best_and_worst({"a": faces}, torch.zeros(2))


@pytest.mark.parametrize("draw", [figures.face_grid, lambda faces, title: figures.rows({"a": faces}, title=title)])
def test_a_long_title_ends_within_the_page(faces, draw):
    for words in (9, 30):
        page = drawn(draw(faces, title="restored " * words))
        assert (page[:25, -2:] > 0.99).all(), "nothing is cut off at the right"
        assert page[:25].min() < 0.5


def test_a_title_that_would_be_tiny_is_broken_into_lines(faces):
    long, short = "restored " * 12, "restored " * 4
    one, broken = (figures.rows({"a": faces[:3]}, title=title) for title in (short, long))
    said = [text for text in broken.axes[0].texts if "restored" in text.get_text()]
    assert len(said) > 1 and " ".join(text.get_text() for text in said) == long.strip()
    assert min(text.get_fontsize() for text in said) >= figures.LEAST
    assert broken.get_size_inches()[1] > one.get_size_inches()[1]
    assert sum("restored" in text.get_text() for text in one.axes[0].texts) == 1


def test_what_is_rounded_to_nothing_has_no_sign(faces):
    figure = figures.best_and_worst({"input": faces[:2]}, torch.tensor([0.001, -0.001]), unit="", form="+.2f")
    assert words(figure).count("0.00") == 2 and not {"-0.00", "+0.00"} & set(words(figure))


def test_few_colours_leave_a_plain_wall_plain(tmp_path):
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    photo[..., :32] = torch.tensor([0.31, 0.34, 0.42])[:, None, None]
    figure = figures.rows({"a": photo}, side=3.0)
    path = figures.save(figure, tmp_path / "a.png", limit=len(figures.png(figure)) - 1)
    with Image.open(path) as kept:
        assert kept.mode == "P"
        shown = np.asarray(kept.convert("RGB"))
    middle = shown[shown.shape[0] // 2, :, :]
    wall = middle[int(0.4 * 144) : int(1.4 * 144)]
    assert len(np.unique(wall, axis=0)) == 1


def test_a_white_picture_stands_out_from_the_white_page():
    page = drawn(figures.face_grid(torch.ones(1, 1, 16, 16)))
    assert page.min() < 0.9


@pytest.mark.parametrize(("higher", "expected"), [(True, [3, 2, 1, 0]), (False, [0, 1, 2, 3])])
def test_best_come_first_and_worst_last(faces, higher, expected):
    metric = torch.tensor([10.0, 20.0, 30.0, 40.0])
    figure = figures.best_and_worst({"input": faces}, metric, count=2, higher=higher)
    for picture, k in zip(pictures(figure), expected, strict=True):
        np.testing.assert_allclose(picture, to_unit(faces[k]).permute(1, 2, 0).numpy(), atol=1e-6)
    assert [w for w in words(figure) if w.endswith("dB")] == [f"{metric[k]:.3g} dB" for k in expected]


def test_best_and_worst_of_few_faces_never_shows_one_twice(faces):
    figure = figures.best_and_worst({"input": faces[:3]}, psnr(faces[:3] * 0.5, faces[:3]), count=4)
    assert len(pictures(figure)) == 2


def test_tint_colours_the_hole_and_nothing_else(faces, hole):
    tinted = figures.tinted(faces, hole, colour=(1.0, 0.0, 0.0), strength=1.0)
    outside, inside = (hole == 0).expand_as(faces), hole[:, 0] == 1
    assert torch.equal(tinted[outside], faces[outside])
    assert torch.allclose(tinted.permute(0, 2, 3, 1)[inside], torch.tensor([1.0, -1.0, -1.0]))


def test_comparison_draws_means_intervals_and_greys_baselines():
    results = {"input": 18.0, "net": {"mean": 25.0, "low": 24.0, "high": 26.5}, "other": {"mean": 20.0, "low": None}}
    axes = figures.comparison(results, baselines=("input",)).axes[0]
    assert [round(bar.get_width(), 2) for bar in axes.patches] == [18, 25, 20]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(results)
    assert list(axes.lines[1].get_xdata()) == [24.0, 26.5]
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[0] != colours[1] == colours[2]
    assert list(axes.lines[-1].get_xdata()) == [18.0, 18.0], "the baseline to beat is drawn through"


def test_numbers_stand_beyond_the_bars_on_both_sides():
    figure = figures.comparison({"up": 2.0, "down": -1.0}, baselines=())
    canvas.png(figure, round(figure.dpi))
    axes = figure.axes[0]
    up, down = (text.get_window_extent() for text in axes.texts)
    assert [text.get_text() for text in axes.texts] == ["2.0", "-1.0"]
    assert up.x0 > axes.patches[0].get_window_extent().x1
    assert down.x1 < axes.patches[1].get_window_extent().x0
    frame = axes.get_window_extent()
    assert frame.x0 <= down.x0 and up.x1 <= frame.x1, "and within the chart"


def test_only_many_rows_are_averaged_and_the_average_is_named():
    history = History()
    for step in range(1, 101):
        history.append(step, loss=1 / step, **({"val_gain": step / 10} if step % 10 == 0 else {}))
    loss, gain = figures.curves(history).axes
    assert len(loss.lines) == 2 and [t.get_text() for t in loss.get_legend().get_texts()] == ["running average"]
    assert len(gain.lines) == 1 and gain.lines[0].get_marker() == "."


def test_curves_draw_each_number_and_survive_an_empty_history():
    history = History()
    for step in range(1, 21):
        history.append(step, loss=1 / step, D=None if step < 5 else 2.0)
    figure = figures.curves(history)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "D"]
    assert list(figure.axes[0].lines[0].get_ydata()) == [1 / k for k in range(1, 21)]
    assert len(figure.axes[1].lines[0].get_xdata()) == 16
    assert figures.curves(History()).axes == []
    assert figures.curves(history, ["nothing"]).axes == []


def test_the_running_average_starts_where_the_numbers_start():
    from facelab.show.charts import smooth

    assert smooth([5.0] * 10) == pytest.approx([5.0] * 10)
    assert smooth([1.0, 3.0], memory=0.0) == pytest.approx([1.0, 3.0])


def test_histogram_leaves_out_and_counts_what_is_not_finite():
    figure = figures.histogram({"net": torch.tensor([20.0, 22.0, float("inf")]), "input": torch.tensor([15.0])})
    axes = figure.axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == 3
    assert "net (1 not finite)" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_figures_leave_nothing_open_and_matplotlib_as_it_was(faces, tmp_path):
    before = matplotlib.rcParams["axes.grid"], matplotlib.rcParams["font.size"]
    canvas.save(figures.face_grid(faces), tmp_path / "a.png")
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []
    assert (matplotlib.rcParams["axes.grid"], matplotlib.rcParams["font.size"]) == before


def test_a_figure_ends_a_cell_as_a_picture(faces):
    content, size = figures.face_grid(faces)._repr_png_()
    picture = Image.open(io.BytesIO(content))
    assert picture.format == "PNG" and picture.width == pytest.approx(size["width"] * canvas.DPI / 96, abs=2)


def test_saved_figures_fit_the_limit_and_are_the_same_each_time(tmp_path):
    noise = torch.rand(3, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole = len(canvas.png(figures.face_grid(noise)))
    paths = [canvas.save(figures.face_grid(noise), tmp_path / f"{k}.png", limit=whole // 2) for k in range(2)]
    assert paths[0].stat().st_size <= whole // 2
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(ValueError, match="does not fit"):
        canvas.save(figures.face_grid(noise), tmp_path / "c.png", limit=500)
    assert not (tmp_path / "c.png").exists()


def test_photographs_are_saved_as_jpeg_within_the_limit(faces, tmp_path):
    figure = figures.face_grid(faces)
    fine, small = (canvas.save(figure, tmp_path / f"{limit}.jpg", limit=limit) for limit in (10**6, 14_000))
    assert small.stat().st_size <= 14_000 < fine.stat().st_size
    picture = Image.open(fine)
    assert picture.format == "JPEG"
    difference = np.asarray(picture, dtype=np.float64) / 255 - drawn(figure, canvas.DPI)
    assert np.abs(difference).mean() < 0.01


@pytest.mark.parametrize("label", ["made", "mmmmmmmm", "850 nm, same lamps", "WWW"])
def test_no_label_is_cut_at_the_edge(label):
    figure = figures.rows({label: torch.zeros(3, 1, 16, 16), "x": torch.zeros(3, 1, 16, 16)})
    figure.canvas.draw()
    texts = [text for axes in figure.axes for text in axes.texts if text.get_text() == label]
    assert len(texts) == 1
    box = texts[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
