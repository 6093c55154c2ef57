"""Figures of lesson 10: the right number in the right colour at the right place, and nothing cut at an edge."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from scipy.stats import kendalltau

from facelab.images import composite, to_unit
from facelab.metrics.image import psnr
from facelab.seeding import generator
from facelab.show import curated, judging_reference, reference
from facelab.show import judging_figures as figures
from facelab.show.agreement_chart import as_pair, by_chance
from facelab.show.canvas import COLOURS, GREY, png
from facelab.show.verdicts import NAMES, bound, content, mean_of, number, places, shade, there
from facelab.studies.judging import ATTACKS, SIDES, equal_psnr
from facelab.studies.trials import Trial

COUNT, PX = 6, 32


@pytest.fixture(scope="module")
def trial():
    noise = torch.rand(COUNT, 3, 6, 6, generator=generator(0, "people")) * 1.2 - 0.6
    truth = torch.nn.functional.interpolate(noise, size=PX, mode="bilinear")
    hole = torch.zeros(COUNT, 1, PX, PX)
    hole[:, :, 10:26, 4:28] = 1
    who = tuple(map(str, range(COUNT)))
    return Trial(composite(truth, torch.ones(()), hole), truth, hole, torch.zeros(COUNT, 68, 2), ("x",) * COUNT, who)


def texts(figure):
    """Every text that is drawn: its words and its box in pixels."""
    png(figure, round(figure.dpi))
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        found += [*axes.texts, *(visible_ticks(axes) if axes.axison else ())]
    return [(text.get_text(), text.get_window_extent()) for text in found if text.get_text() and text.get_visible()]


def visible_ticks(axes):
    """Words of the ticks within the limits, and of the axis itself."""
    for axis, ends in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        places = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)
        yield from (label for place, label in places if min(ends) <= place <= max(ends))
        yield axis.label


def nothing_cut(figure):
    width, height = figure.get_size_inches() * figure.dpi
    cut = [words for words, box in texts(figure) if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]
    return cut == []


def said(figure):
    return [words for words, _ in texts(figure)]


def cells(axes):
    """Cells of a table: words at their middle → colour."""
    boxes = [patch for patch in axes.patches if patch.get_facecolor()[3] and patch.get_height() == figures.ROW]
    out = {}
    for box in boxes:
        x, y = box.get_x(), box.get_y()
        inside = [
            t
            for t in axes.texts
            if x < t.get_position()[0] < x + box.get_width() and y < t.get_position()[1] < y + figures.ROW
        ]
        out[inside[0].get_text()] = box.get_facecolor()[:3]
    return out


def test_places_follow_each_judges_own_side():
    assert places("psnr", [20.0, 30.0, 25.0]).tolist() == [1.0, 0.0, 0.5]
    assert places("identity", [0.2, 0.6, 0.4]).tolist() == [0.0, 1.0, 0.5]
    assert places("sharpness", [1.0, 0.5, 1.5]).tolist() == [0.0, 1.0, 0.5], "twice as soft is worse than half as sharp"
    assert places("psnr", [20.01, 20.04]).tolist() == [0.5, 0.5], "what is written alike is alike"
    assert np.isnan(places("psnr", [math.nan, 20.0])).all() and places("psnr", [math.inf, 20.0]).tolist() == [0.0, 1.0]
    assert [metric for metric in SIDES if metric not in NAMES] == [], "every judge has its words"


def test_best_is_blue_worst_red_and_the_middle_white():
    white = (1.0, 1.0, 1.0)
    assert shade(0.5) == shade(math.nan) == white
    blue, red = shade(0.0), shade(1.0)
    assert np.argmax(blue) == 2 and np.argmax(red) == 0 and min(blue) > min(to_rgb(COLOURS[0]))
    assert sum(shade(0.25)) > sum(blue)


def test_who_is_content_and_what_is_asked_for():
    assert content("sharpness", 0.696) and number("sharpness", 0.696) == "0.70", "as it is written"
    assert content("psnr", 25.0) and not content("psnr", 24.9) and content("psnr", math.inf)
    assert content("identity", 0.6) and not content("identity", 0.61)
    assert content("sharpness", 1.0) and not content("sharpness", 0.5) and not content("sharpness", 1.5)
    assert content("psnr", math.nan) is None and content("frechet", 1.0) is None
    assert (bound("psnr"), bound("identity"), bound("sharpness")) == ("25 dB or more", "0.6 or less", "0.7 to 1.3")


def test_numbers_are_read_and_written_as_the_protocol_has_them():
    assert mean_of({"mean": 2.5, "low": 1.0}) == 2.5 and mean_of(3) == 3
    assert (
        mean_of(torch.tensor([1.0, 3.0, math.nan, math.inf])) == 2.0 and mean_of(torch.tensor([math.inf])) == math.inf
    )
    assert mean_of({"mean": None, "left_out": 4}) == math.inf and math.isnan(mean_of({"mean": None}))
    assert math.isnan(mean_of(None))
    assert number("psnr", 21.26, unit=True) == "21.3 dB" and number("ssim", 0.256) == "0.26"
    assert number("psnr", math.inf) == "∞" and number("psnr", math.nan) == "–"
    assert there(("psnr", "frechet", "ssim"), {"a": {"frechet_few": 1, "psnr": 2}}) == ["psnr", "frechet_few"]


def table(names):
    random = np.random.default_rng(0)
    return {name: {metric: {"mean": random.random()} for metric in figures.JUDGES} for name in names}


def test_the_strip_shows_truth_and_attacks_and_every_number(trial):
    found = equal_psnr(trial, 22.0, ["moved", "brighter", "noise"])
    values = table(found)
    figure = figures.equal_psnr_strip(trial, found, values, faces=(1, 4), title="made up")
    axes = figure.axes[0]
    shown = [np.asarray(image.get_array()) for image in axes.get_images()]
    wanted = [strip[face] for strip in (trial.truth, *(picture for _, picture in found.values())) for face in (1, 4)]
    assert len(shown) == len(wanted) == 8
    for picture, face in zip(shown, wanted, strict=True):
        np.testing.assert_allclose(picture, to_unit(face.clamp(-1, 1)).permute(1, 2, 0).numpy(), atol=1e-6)
    words = said(figure)
    for name, row in values.items():
        assert name in words and ATTACKS[name].harm in words
        assert {number(metric, row[metric]["mean"], unit=True) for metric in row} <= set(words)
    own = [f"{value:.1f} dB" for _, picture in found.values()
           for value in psnr(picture, trial.truth)[[1, 4]].tolist()]  # fmt: skip
    below = [t.get_text() for t in axes.texts if t.get_fontsize() == 8]
    assert below == ["its own PSNR:"] * 2 + own and set(own) == {"22.0 dB"}
    assert nothing_cut(figure) and "truth" in words and "we say" in words
    harmed = figures.equal_psnr_strip(trial, {"noise": (0.1, trial.truth * 0.5)}, table(["noise"]), faces=(2,))
    assert number("psnr", psnr(trial.truth * 0.5, trial.truth)[2].item(), unit=True) in said(harmed)


def test_the_strip_colours_by_rank_and_leaves_equal_psnr_white(trial):
    found = equal_psnr(trial, 22.0, ["moved", "brighter", "noise"])
    ssims = dict(zip(found, (0.9, 0.5, 0.7), strict=True))
    values = {name: {"psnr": 22.0 + 0.001 * k, "ssim": ssims[name]} for k, name in enumerate(found)}
    coloured = cells(figures.equal_psnr_strip(trial, found, values).axes[0])
    assert coloured["22.0 dB"] == (1, 1, 1) == coloured["0.70"], "one PSNR is no merit"
    assert coloured["0.90"] == pytest.approx(shade(0.0)) and coloured["0.50"] == pytest.approx(shade(1.0))


def test_a_table_of_attacks_says_what_a_person_says():
    values = table(ATTACKS)
    figure = figures.attack_table(values, title="How each judge ranks what was done")
    words = said(figure)
    assert nothing_cut(figure) and set(ATTACKS) <= set(words) and {a.harm for a in ATTACKS.values()} <= set(words)
    swapped = {name: {"psnr": 1.0 + k} for k, name in enumerate(("a", "b"))}
    coloured = cells(figures.attack_table(swapped, ("psnr",), harms={"a": "fine"}).axes[0])
    assert coloured["2.0"] == pytest.approx(shade(0.0)) and coloured["1.0"] == pytest.approx(shade(1.0))


def test_the_worst_face_is_the_one_a_judge_likes_least():
    assert figures.worst("psnr", torch.tensor([20.0, math.nan, 10.0, 30.0])) == 2
    assert figures.worst("identity", torch.tensor([0.2, 0.9, 0.4])) == 1
    assert figures.worst("sharpness", torch.tensor([1.4, 0.5, 1.0])) == 1
    assert figures.worst("psnr", torch.tensor([math.inf, 10.0, math.inf])) == 1
    with pytest.raises(ValueError, match="no finite value"):
        figures.worst("psnr", torch.tensor([math.nan, math.inf]))


def test_a_gallery_shows_the_worst_of_each_system_by_each_judge(trial):
    answers = {"a": (trial.truth * 0.5, None, trial.truth), "b": (-trial.truth, None, trial.truth)}
    values = {"a": {"psnr": torch.arange(6.0), "identity": torch.arange(6.0)},
              "b": {"identity": torch.tensor([0.1, 0.2, 0.9, 0.4, 0.5, 0.6])}}  # fmt: skip
    trials = dict.fromkeys(answers, trial)
    figure = figures.failure_gallery(trials, answers, ("psnr", "identity"), values=values, title="worst of six")
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].get_images()]
    wanted = [(trial.occluded, 0), (answers["a"][0], 0), (trial.truth, 0), (trial.occluded, 5),
              (answers["a"][0], 5), (trial.truth, 5), (trial.occluded, 2), (answers["b"][0], 2),
              (trial.truth, 2)]  # fmt: skip
    assert len(shown) == len(wanted), "b has no PSNR, and no faces for it"
    for picture, (strip, face) in zip(shown, wanted, strict=True):
        np.testing.assert_allclose(picture, to_unit(strip[face]).permute(1, 2, 0).numpy(), atol=1e-6)
    words = said(figure)
    assert "not measured" in words and "0.0 dB · face 0 of 6" in words and "0.90 · face 2 of 6" in words
    assert nothing_cut(figure)
    with pytest.raises(ValueError, match="at least one"):
        figures.failure_gallery({}, {})


def test_a_gallery_measures_where_nothing_was(trial):
    figure = figures.failure_gallery({"a": trial}, {"a": (trial.occluded, None, None)}, "psnr_hole")
    assert len(figure.axes[0].get_images()) == 3 and nothing_cut(figure)


def cell(mean, wide=0.5):
    return {"mean": mean, "low": mean - wide, "high": mean + wide}


PROTOCOL = {
    "occluder": {"count": 9, "people": 9, "told": ["hog_inpaint"], "rows": {
        "input": {"psnr": cell(18.0), "identity": cell(0.4, 0.1)},
        "somebody else in the hole": {"psnr": cell(20.0), "identity": cell(0.5, 0.1)},
        "oagan": {"psnr": cell(27.0), "identity": cell(0.2, 0.1)},
        "hog_inpaint": {"psnr": {"mean": None, "left_out": 9}}}},
    "facemask": {"count": 9, "people": 9, "told": [], "rows": {
        "input": {"psnr": cell(15.0)}, "oagan": {"psnr": cell(30.0)}}},
}  # fmt: skip


def test_the_protocol_is_drawn_at_its_numbers_on_one_axis_a_judge():
    figure = figures.protocol_plot(PROTOCOL, told=["hog_inpaint"], title="made up")
    assert len(figure.axes) == 4, "two damages by the two judges that were asked"
    first = figure.axes[0]
    dots = [(line.get_xdata()[0], line.get_color()) for line in first.lines if line.get_marker() == "o"]
    assert dots == [(18.0, GREY), (20.0, GREY), (27.0, COLOURS[0])]
    bars = [list(line.get_xdata()) for line in first.lines if line.get_linewidth() == 3.2]
    assert bars == [[17.5, 18.5], [19.5, 20.5], [26.5, 27.5]]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() != figure.axes[2].get_xlim()
    assert [label.get_text() for label in first.get_yticklabels()][-1] == "hog_inpaint (told)"
    assert "untouched: equal" in said(figure) and {"occluder", "facemask"} <= set(said(figure))
    assert nothing_cut(figure)
    words = " ".join(said(figure))
    for claim in ("interval over people", "one training each", "rows without a network", "0.6, dlib's same person",
                  "more is better →", "← less is better"):  # fmt: skip
        assert claim in words, claim
    assert "sharpness 1" not in words and "best at 1" not in words, "what is not shown is not explained"
    sharp = {"occluder": {"rows": {"input": {"sharpness": cell(0.8)}}}}
    words = " ".join(said(figures.protocol_plot(sharp, ["sharpness"])))
    assert "best at 1" in words and "1, the truth's sharpness" in words


def test_harm_is_drawn_in_shares_and_says_how_many_are_untouched():
    harm = {"oagan": {"changed": cell(0.02, 0.01), "psnr": {**cell(44.0), "left_out": 7}, "identity": cell(0.02, 0.01)},
            "frontalize": {"changed": cell(0.7, 0.01), "psnr": cell(22.0), "identity": cell(0.3, 0.02)},
            "vis2nir": {"identity": cell(0.35, 0.02)}}  # fmt: skip
    figure = figures.harm_plot(harm, title="Faces with nothing wrong")
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "share of pixels changed", "PSNR to the input (dB)", "identity distance to the input"
    ]  # fmt: skip
    words = said(figure)
    assert "100%" in words and "7 more: equal" in words and "–" in words and nothing_cut(figure)
    harm["oagan"]["identity"]["left_out"] = 3
    assert "3 more: equal" not in said(figures.harm_plot(harm)), "a face without landmarks has no distance at all"


def found(tau, variants=40, seeds=(1, 6)):
    return {"tau": tau, "variants": variants, "seeds": list(seeds)}


def test_agreement_is_drawn_at_tau_and_hollow_where_chance_gives_as_much():
    taus = {"05_orl": {"psnr_hole | identity": found(0.8), "psnr_hole | sharpness": found(0.05)},
            "05_lfw": {"psnr_hole | identity": found(0.8, 4)}}  # fmt: skip
    figure = figures.agreement_plot(taus, title="made up")
    (axes,) = figure.axes
    dots = {(line.get_xdata()[0], line.get_color()): line.get_markerfacecolor() for line in axes.lines
            if len(line.get_xdata()) == 1}  # fmt: skip
    assert dots == {(0.8, COLOURS[0]): COLOURS[0], (0.05, COLOURS[0]): "white", (0.8, COLOURS[1]): "white"}
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["PSNR in the hole and identity distance", "PSNR in the hole and sharpness"]
    words = set(said(figure))
    assert {"lesson 05, orl: 40 variants", "lesson 05, lfw: 4 variants", "reversed", "same order"} <= words
    assert {"Kendall's tau; hollow: could be chance", "A dot ranks means over 1 to 6 seeds."} <= words
    assert nothing_cut(figure)
    one = figures.agreement_plot(taus, pairs=[("psnr_hole", "sharpness")])
    assert [label.get_text() for label in one.axes[0].get_yticklabels()] == labels[1:]


def test_where_all_is_hidden_no_hole_is_spoken_of():
    turned = {"07_lfw": {"psnr_hole | identity": found(0.8, seeds=(3, 3))},
              "05_lfw": {"psnr_hole | ssim": found(0.2, seeds=(3, 3))}}  # fmt: skip
    figure = figures.agreement_plot(turned)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["PSNR and identity distance", "PSNR in the hole and SSIM"] and nothing_cut(figure)
    words = " ".join(said(figure))
    assert "over 3 seeds" in words and "lessons 07 and 08 all of a picture is hidden" in words


def test_chance_reaches_less_the_more_are_put_in_order():
    random = np.random.default_rng(0)
    taus = [abs(kendalltau(random.random(12), random.random(12)).statistic) for _ in range(400)]
    assert np.mean(np.array(taus) > by_chance(12)) == pytest.approx(0.05, abs=0.025)
    assert by_chance(3) > 1 > by_chance(10) > by_chance(40)


def test_pairs_are_read_from_the_record():
    assert as_pair("psnr_hole | ssim") == ("psnr_hole", "ssim") == as_pair(("psnr_hole", "ssim"))
    with pytest.raises(ValueError, match="no pair"):
        as_pair("psnr")


RECORD = {
    "data": "orl", "size": PX, "count": COUNT, "people": COUNT, "device": "cpu", "seed": 1, "protocol": PROTOCOL,
    "judges": {"damage": "occluder", "psnr": 22.0, "attacks": {
        name: {"harm": one.harm, "unit": one.unit, "level": one.levels[1] / 2 if one.unit else None,
               "metrics": {metric: {"mean": 0.1} for metric in figures.JUDGES}} for name, one in ATTACKS.items()}},
}  # fmt: skip


@pytest.fixture
def recorded(monkeypatch, trial):
    monkeypatch.setattr(judging_reference, "recorded", lambda: json.loads(json.dumps(RECORD)))
    monkeypatch.setattr(judging_reference, "FACES", (0, 3))
    monkeypatch.setattr(judging_reference, "faces", lambda *words: words)
    monkeypatch.setattr(judging_reference, "damaged", lambda part, damage, count, seed: trial)
    monkeypatch.setattr(judging_reference, "records", lambda: "sweeps")
    taus = {"05_orl": {"psnr_hole | identity": found(0.8), "psnr_hole | frechet": found(0.1)}}
    monkeypatch.setattr(judging_reference, "agreement", {"sweeps": taus}.get)


def test_figures_of_the_record_need_nothing_but_the_record(recorded, tmp_path):
    for name in ("10_protocol", "10_agreement"):
        figure = curated.FIGURES[name]()
        assert nothing_cut(figure)
        assert curated.save(figure, tmp_path / f"{name}.png").stat().st_size < 150 * 1024
    assert "PSNR in the hole and Fréchet distance" not in said(figure), "only the pairs that are shown"


def test_judges_are_drawn_at_the_recorded_psnr_beside_two_without(recorded, trial):
    figure = reference.FIGURES["10_judges"][1]()
    words, (level, _) = said(figure), equal_psnr(trial, RECORD["judges"]["psnr"], ["moved"])["moved"]
    assert {"moved", f"mean {level:.1f} px", "noise", "mirrored"} <= set(words) and "mean face" not in words
    assert len(figure.axes[0].get_images()) == 2 * (1 + sum(bool(a.unit) for a in ATTACKS.values()) + 2)
    assert nothing_cut(figure)


def test_failures_are_named_with_the_photographs_that_were_asked(monkeypatch, trial):
    cards = {"oagan": {"data": "lfw"}, "frontalize": {"data": "lfw+synth:600"}, "mask_removal": {"data": "orl"}}
    monkeypatch.setattr(judging_reference, "read_card", cards.get)
    monkeypatch.setattr(judging_reference, "weights_path", lambda name: here if name in cards else gone)
    monkeypatch.setattr(judging_reference, "asked", lambda name: (trial, (trial.truth * 0.5, None, trial.truth)))
    monkeypatch.setattr("facelab.show.failures.descriptors", lambda images, points: images.flatten(1)[:, :128])
    here, gone = Path(__file__), Path("nowhere")
    words = said(figure := reference.FIGURES["10_failures"][1]())
    assert {"oagan\nlfw", "frontalize\nsynth:600", "mask_removal\nlfw"} <= set(words) and nothing_cut(figure)
    title = next(line for line in words if "never seen" in line)
    assert f"the worst of {COUNT} faces" in title and "lfw" not in title


def test_without_a_record_figures_are_left_as_they_are(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(judging_reference, "recorded", lambda: {})
    monkeypatch.setattr(curated, "FIGURES", {"10_protocol": judging_reference.protocol_10})
    assert curated.main(tmp_path) == 0 and not list(tmp_path.iterdir())
    assert "side_by_side" in capsys.readouterr().err
