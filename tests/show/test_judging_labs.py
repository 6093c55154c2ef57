"""Labs of lesson 10: every control changes what it should, every pair opens, and known answers come out."""

import dataclasses
import io
import itertools
import re

import numpy as np
import pytest
import torch
from PIL import Image

from facelab.images import composite, to_channels
from facelab.metrics.image import psnr, ssim
from facelab.restoration import Restoration
from facelab.seeding import generator
from facelab.show import judges_lab as judges
from facelab.show import side_by_side_lab as sides
from facelab.show.lab import HEAD, SIDE, _font
from facelab.studies.judging import ATTACKS, ELSE, attacked
from facelab.studies.side_by_side import Contestant
from facelab.studies.trials import Trial

PX = 32


def made_up(damage="occluder", count=6, channels=1):
    """Smooth faces of as many people, the same for each damage."""
    noise = torch.rand(count, channels, 6, 6, generator=generator(0, "people")) * 1.6 - 0.8
    truth = torch.nn.functional.interpolate(noise, size=PX, mode="bilinear")
    hole = torch.zeros(count, 1, PX, PX)
    if damage != "nothing":
        hole[:, :, 16:30, 4:28] = 1
    points = torch.full((count, 68, 2), torch.nan)
    who = tuple(f"s{k}" for k in range(count))
    return Trial(composite(truth, torch.ones(()), hole), truth, hole, points, (damage,) * count, who)


class Net(torch.nn.Module):
    """Features that are cheap: the means of quarters."""

    def pooled(self, images):
        return torch.nn.functional.adaptive_avg_pool2d(to_channels(images, 1), 2).flatten(1)


@pytest.fixture(autouse=True)
def without_dlib(monkeypatch):
    """No descriptor, and no feature net to be read: labs are asked here what they draw."""
    for module in (judges, sides):
        monkeypatch.setattr(module, "available", lambda: False)
    monkeypatch.setattr(judges, "feature_net", lambda name: Net())


def put(lab, **values):
    for name, value in values.items():
        lab.controls[name].value = value
    return lab._last


def fits(lab):
    """Every label is narrower than its picture."""
    return all(_font().getlength(label.strip()) <= SIDE for label in lab._last[0])


def page(lab):
    return np.asarray(Image.open(io.BytesIO(lab.still())).convert("RGB"))


@pytest.mark.parametrize(("control", "value"), [("face", 2), ("attack", "noise"), ("level", 1.0)])
def test_every_control_of_the_judges_changes_the_picture_and_the_words(control, value):
    lab = judges.judges_lab(made_up())
    assert set(lab.controls) == {"face", "attack", "level"}
    before = lab.picture.value, lab.words.value
    put(lab, **{control: value})
    assert lab.picture.value != before[0] and lab.words.value != before[1]


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_shown_as_the_library_makes_it(attack):
    test = made_up()
    lab = judges.judges_lab(test)
    panels, words = put(lab, attack=attack, level=1.0, face=3)
    wanted = attacked(test, attack, ATTACKS[attack].levels[1])[3:4]
    truth, after, apart = panels.values()
    assert torch.equal(truth, test.truth[3]) and torch.equal(after, wanted[0])
    error = (wanted[0] - test.truth[3]).abs().mean(0, keepdim=True) / 2
    torch.testing.assert_close((apart + 1) / 2, (error / judges.WHITE).clamp(max=1))
    assert f"PSNR <b>{psnr(wanted, test.truth[3:4]).item():.1f} dB" in words
    assert f"SSIM <b>{ssim(wanted, test.truth[3:4]).item():.2f}" in words
    assert ATTACKS[attack].harm in words and fits(lab)
    assert lab.controls["level"].disabled == (ATTACKS[attack].levels == (1.0, 1.0))


@pytest.mark.parametrize("attack", [name for name, attack in ATTACKS.items() if attack.unit])
def test_at_level_nothing_nothing_is_done_and_everybody_is_content(attack):
    panels, words = put(judges.judges_lab(made_up()), attack=attack, level=0.0)
    assert torch.equal(*list(panels.values())[:2]) and "PSNR <b>∞ dB" in words
    assert "Not content: nobody" in words and "0.0</b>" in words
    assert "we say: <b>the truth itself</b>" in words and ATTACKS[attack].harm not in words.split("we say")[1]


def test_whoever_asks_for_more_than_there_is_is_not_content():
    words = put(judges.judges_lab(made_up()), attack="somebody else", level=1.0)[1]
    numbers, verdicts = words.split("Content: ")
    assert "PSNR (wants 25 dB or more)" in verdicts and "SSIM (wants 0.85 or more)" in verdicts
    assert "could be at 0" in numbers and "(few: all 6 faces" in numbers and "<b>0.0</b>" in numbers, (
        "the very same set of faces"
    )
    assert "Fréchet" not in verdicts, "no set judges one picture"


@pytest.mark.parametrize(("places", "told"), [([0], "1 of 1"), ([0, 0, 1], "3 of 2"), ([], "0 of 0")])
def test_too_few_faces_for_the_judges_are_refused_by_their_number(places, told):
    with pytest.raises(ValueError, match=f"nobody in more than half of them, not {told} people"):
        judges.judges_lab(made_up().at(places))
    assert len(judges.judges_lab(made_up().at([0, 1]))._last[0]) == 3


def test_the_set_is_measured_once_a_level(monkeypatch):
    asked = []
    monkeypatch.setattr(judges, "frechet", lambda *features: asked.append(1) or 0.5)
    lab = judges.judges_lab(made_up())
    before = len(asked)
    put(lab, face=1), put(lab, face=2), put(lab, level=1.0), put(lab, level=0.5)
    assert len(asked) - before == 1


def test_a_face_alone_is_that_face_of_the_trial():
    test = made_up()
    one = test.at([4])
    assert len(one) == 1 and one.identities == ("s4",) and one.kinds == ("occluder",)
    for name in ("occluded", "truth", "hole"):
        assert torch.equal(getattr(one, name)[0], getattr(test, name)[4])
    told = dataclasses.replace(test, told=(torch.arange(6.0),), doubts=tuple("abcdef"), shown_points=test.points + 1)
    some = told.at([4, 1])
    assert some.identities == ("s4", "s1") and some.doubts == ("e", "b") and some.told[0].tolist() == [4, 1]
    assert some.shown_points.shape == (2, 68, 2) and torch.equal(some.hole, test.hole[[4, 1]])
    assert test.at([-1]).identities == ("s5",) and test.at([0]).shown_points is None


def grey(level, name, **more):
    """A system that paints the hole grey; it finds the hole where it is not told."""

    def restore(pictures, hole):
        raw = torch.full_like(pictures, level)
        where = hole if hole is not None else (pictures == 1).all(1, keepdim=True).float()
        return Restoration(composite(pictures, raw, where), where, raw)

    return Contestant(name, restore, **more)


@pytest.fixture
def systems():
    whole = Contestant("frontalize", lambda pictures, hole: Restoration(-pictures, None, -pictures), whole=True)
    grey_only = lambda pictures, hole: Restoration(pictures[:, :1], None, pictures[:, :1])  # noqa: E731
    light = Contestant("vis2nir", grey_only, whole=True, pixelwise=False)
    return {"oagan": grey(0.0, "oagan"), "frontalize": whole, "vis2nir": light,
            "hog_inpaint": grey(0.5, "hog_inpaint", given=True)}  # fmt: skip


@pytest.fixture
def trials():
    return {damage: made_up(damage, channels=3) for damage in ("occluder", "irregular hole", "nothing")}


@pytest.mark.parametrize(
    ("control", "value"),
    [("face", 1), ("damage", "nothing"), ("left", "hog_inpaint"), ("right", "input"), ("view", "raw"),
     ("view", "difference from the truth")],
)  # fmt: skip
def test_every_control_changes_the_picture(trials, systems, control, value):
    lab = sides.side_by_side_lab(trials, systems)
    assert set(lab.controls) == {"face", "damage", "left", "right", "view"}
    before = lab.picture.value
    put(lab, **{control: value})
    assert lab.picture.value != before


def test_every_pair_opens_on_every_damage_in_every_view(trials, systems):
    lab = sides.side_by_side_lab(trials, systems)
    lab.page = lambda panels, foot=(): b""  # what is drawn is looked at elsewhere
    options = lab.controls["left"].options
    assert set(options) == {*systems, *sides.NOBODY} == set(lab.controls["right"].options)
    for damage, view in itertools.product(trials, sides.VIEWS):
        for left, right in itertools.product(options, options):
            panels, words = put(lab, damage=damage, view=view, left=left, right=right)
            assert len(panels) == 4 and fits(lab)
            assert words.count(f"<b>{left}</b>") == 1 and words.count(f"<b>{right}</b>") == 1


def test_sides_show_what_was_answered(trials, systems):
    lab = sides.side_by_side_lab(trials, systems)
    panels, _ = put(lab, face=2, left="oagan", right="hog_inpaint")
    test, shown = trials["occluder"], list(panels.values())
    assert torch.equal(shown[0], test.occluded[2]) and torch.equal(shown[3], test.truth[2])
    for picture, level in zip(shown[1:3], (0.0, 0.5), strict=True):
        torch.testing.assert_close(picture, composite(test.truth[2:3], torch.tensor(level), test.hole[2:3])[0])
    panels, _ = put(lab, view="raw")
    assert (list(panels.values())[1] == 0).all() and (list(panels.values())[2] == 0.5).all()
    panels, _ = put(lab, view=sides.VIEWS[1], left="truth", right=sides.MEAN)
    assert (list(panels.values())[1] == -1).all(), "the truth is nowhere off"
    outside = test.hole[2] == 0
    assert (list(panels.values())[2][outside] == -1).all() and (list(panels.values())[2][~outside] > -1).any()


def test_the_mean_face_is_that_of_the_other_faces(trials):
    """With the face itself in it, the mean would know a part of the answer."""
    panels, words = put(sides.side_by_side_lab(trials, {}), face=2, left=sides.MEAN, right="input")
    test = trials["occluder"]
    others = test.truth[[0, 1, 3, 4, 5]].mean(0)
    torch.testing.assert_close(list(panels.values())[1], composite(test.truth[2], others, test.hole[2]))
    assert words.count("of the other faces shown") == 1
    alone = {damage: some.at([2]) for damage, some in trials.items()}
    panels, _ = put(sides.side_by_side_lab(alone, {}), left=sides.MEAN, right="input")
    assert list(panels.values())[1].isfinite().all()


def test_words_say_who_was_told_and_who_answers_another_question(trials, systems):
    lab = sides.side_by_side_lab(trials, systems)
    words = put(lab, left="oagan", right="hog_inpaint")[1]
    assert "another question" not in words and words.count("told the hole") == 1
    assert "IoU of the hole 1.00" in words.split("<br>")[0] and "IoU" not in words.split("<br>")[1]
    words = put(lab, damage="irregular hole")[1].split("<br>")
    assert "another question" in words[0] and "another question" not in words[1]
    words = put(lab, damage="occluder", left="frontalize", right="vis2nir")[1].split("<br>")
    assert "from the front" in words[0] and "near infrared" in words[1]
    framed = dataclasses.replace(systems["frontalize"], cut="eyes")
    assert "not that of the truth shown" in sides.about(framed, "occluder")
    assert "not that of the truth shown" not in sides.about(systems["vis2nir"], "occluder")
    assert "PSNR" in words[0] and "PSNR" not in words[1], "another light is not compared pixel by pixel"
    words = put(lab, damage="nothing", left="oagan", right="frontalize")[1].split("<br>")
    assert "equal to the truth" in words[0] and "0% of the pixels" in words[0] and "harm" in words[0]
    assert float(re.search(r"(\d+)% of the pixels", words[1])[1]) > 80


def test_numbers_are_those_of_the_face(trials, systems):
    words = put(sides.side_by_side_lab(trials, systems), face=5, left="oagan", right=ELSE)[1]
    test = trials["occluder"]
    answer = composite(test.truth, torch.zeros(()), test.hole)
    assert f"PSNR {psnr(answer, test.truth)[5].item():.1f} dB" in words.split("<br>")[0]
    other = attacked(test, ELSE, 1.0)
    assert f"PSNR {psnr(other, test.truth)[5].item():.1f} dB" in words.split("<br>")[1]


def test_a_system_is_asked_once_a_face_and_damage(trials, systems):
    asked = []
    real = systems["oagan"].restore
    counted = Contestant("oagan", lambda pictures, hole: asked.append(len(pictures)) or real(pictures, hole))
    lab = sides.side_by_side_lab(trials, systems | {"oagan": counted})
    put(lab, face=1), put(lab, face=0), put(lab, view="raw"), put(lab, right="truth")
    assert asked == [1, 1], "one face at a time, and none twice"


def test_without_weights_guesses_can_still_be_compared(trials):
    lab = sides.side_by_side_lab(trials, {})
    assert list(lab.controls["left"].options) == list(sides.NOBODY) and len(lab._last[0]) == 4
    with pytest.raises(ValueError, match="'b': 5"):
        sides.side_by_side_lab({"a": made_up(), "b": made_up(count=5)}, {})
    with pytest.raises(ValueError, match="at least one"):
        sides.side_by_side_lab({}, {})


def test_where_all_faces_are_one_persons_there_is_no_stranger(trials, systems):
    alone = {damage: dataclasses.replace(test, identities=("s0",) * len(test)) for damage, test in trials.items()}
    lab = sides.side_by_side_lab(alone, {})
    assert ELSE not in lab.controls["left"].options and lab.controls["right"].value == "input"
    panels, _ = put(lab, left="input", right=sides.MEAN, face=2)
    assert torch.equal(list(panels.values())[1], alone["occluder"].untouched[2])


def test_the_input_is_shown_without_asking_for_guesses(trials, monkeypatch):
    lab = put(found := sides.side_by_side_lab(trials, {}), left="truth", right="truth") and found
    monkeypatch.setattr(sides, "guesses", lambda *args, **options: 1 / 0)
    panels, _ = put(lab, left="input")
    assert torch.equal(list(panels.values())[1], trials["occluder"].untouched[0])


def test_the_still_picture_has_room_for_all_words(trials, systems):
    for lab in (sides.side_by_side_lab(trials, systems), judges.judges_lab(made_up())):
        sheet = page(lab)
        assert (sheet[HEAD + SIDE :, -2:] == 255).all(), "no line of words reaches the edge"
