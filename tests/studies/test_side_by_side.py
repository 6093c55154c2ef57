"""Systems side by side: the same faces for all, who is told what, and controls that have to lose."""

import dataclasses
import json

import pytest
import torch

from facelab.errors import BadConfig, MissingPart
from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_centres
from facelab.faces.models import available
from facelab.images import to_channels
from facelab.metrics.image import psnr
from facelab.restoration import Restoration
from facelab.studies import cards, side_by_side, side_by_side_record
from facelab.studies import contestants as asked
from facelab.studies.judging import ELSE
from facelab.studies.parts import faces
from facelab.studies.side_by_side import DAMAGES, JOBS, Contestant, answers, cut_for, damaged, entitled, harm, paired
from facelab.studies.tasks import TASKS
from facelab.train.weights import read_card

SIZE = 128


@pytest.fixture(scope="module")
def part():
    return faces("orl", "test", SIZE)


@pytest.fixture(scope="module")
def trials(part):
    return {damage: damaged(part, damage, 6) for damage in DAMAGES}


@pytest.fixture(scope="module")
def who():
    return side_by_side.contestants()


# ------------------------------------------------------------------------------------------- damages
def test_the_same_faces_are_damaged_in_four_ways(trials):
    first = trials["occluder"]
    for test in trials.values():
        assert torch.equal(test.truth, first.truth) and test.identities == first.identities and len(test) == 6


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_hole_is_where_the_damage_is(trials, damage):
    """A flipped hole would hide the untouched part."""
    test = trials[damage]
    apart, hidden = (test.occluded - test.truth).abs(), test.hole
    inside = (apart * hidden).sum() / hidden.sum().clamp(min=1)
    outside = (apart * (1 - hidden)).sum() / (1 - hidden).sum()
    share = hidden.mean().item()
    low, high = {"occluder": (0.08, 0.22), "facemask": (0.1, 0.5), "irregular hole": (0.19, 0.31)}.get(damage, (0, 0))
    assert low <= share <= high and outside < 0.02
    assert inside > 0.1 if damage != "nothing" else torch.equal(test.occluded, test.truth)


def test_another_seed_is_another_damage_of_the_same_faces(part, trials):
    other = damaged(part, "facemask", 6, seed=2)
    assert torch.equal(other.truth, trials["facemask"].truth) and not torch.equal(other.hole, trials["facemask"].hole)


def test_an_unknown_damage_is_refused(part):
    with pytest.raises(BadConfig, match="occluder"):
        damaged(part, "rain", 2)


# ------------------------------------------------------------------------------------------- contestants
def test_contestants_come_in_the_order_of_their_tasks(who):
    assert list(who) == [name for name in TASKS if name in who] and set(JOBS) <= set(who)
    assert [name for name, one in who.items() if one.given] == ["hog_inpaint"]
    assert list(side_by_side.contestants(["hog_inpaint", "oagan"])) == ["oagan", "hog_inpaint"]
    with pytest.raises(BadConfig):
        side_by_side.contestants(["nobody"])


def test_weights_that_are_not_here_are_left_out(monkeypatch):
    there = asked.weights_path
    monkeypatch.setattr(asked, "weights_path", lambda name: there("none" if name == "oagan" else name))
    assert "oagan" not in side_by_side.contestants(["oagan", "mask_removal"])


def test_whose_job_it_is():
    one = {name: Contestant(name, lambda pictures, hole: None) for name in TASKS}
    jobs = {name: [damage for damage in DAMAGES if entitled(one[name], damage)] for name in TASKS}
    assert jobs == {
        "oagan": ["occluder", "facemask", "nothing"], "mask_removal": ["facemask", "nothing"],
        "hog_inpaint": list(DAMAGES), "frontalize": ["nothing"], "vis2nir": ["nothing"],
    }  # fmt: skip


@pytest.mark.parametrize(("size", "channels"), [(128, 1), (64, 3), (150, 1)])
def test_answers_have_the_size_and_channels_of_the_question(who, size, channels):
    test = damaged(faces("orl", "test", size, channels), "facemask", 2)
    for name, answer in answers(who, test).items():
        if name != "vis2nir":
            assert answer.image.shape == answer.raw.shape == test.truth.shape
        assert (answer.hole is None) == who[name].whole
        if answer.hole is not None:
            seen = (answer.hole == 0).expand_as(answer.image)
            assert answer.hole.shape == test.hole.shape and seen.any()
            assert torch.equal(answer.image[seen], test.occluded[seen]), "what is not hidden is left as it is"
        assert answer.image.abs().max() <= 1


def test_a_black_and_white_photograph_stored_in_colour_stays_without(who, trials):
    grey = trials["facemask"].occluded[:2]
    answer = who["mask_removal"].restore(to_channels(grey, 3), None).image
    assert answer.shape[1] == 3 and (answer - answer.mean(1, keepdim=True)).abs().max() < 1e-5


def test_an_answer_in_another_light_keeps_its_one_channel():
    ask = lambda batch: Restoration(batch[:, :1], None, batch[:, :1])  # noqa: E731
    answer = asked._at_any_size(ask, 32, 3, False, torch.rand(2, 3, 48, 48))
    assert answer.image.shape == (2, 1, 48, 48) and answer.hole is None


def test_who_is_told_the_hole_does_not_look_at_what_is_in_it(who, trials):
    test = trials["occluder"]
    noisy = torch.where(test.hole > 0, torch.rand(test.truth.shape) * 2 - 1, test.occluded)
    other, hidden = dataclasses.replace(test, occluded=noisy), (test.hole == 1).expand_as(test.truth)
    one, again = (answers(who, shown, ["hog_inpaint", "oagan"]) for shown in (test, other))
    torch.testing.assert_close(one["hog_inpaint"].image[hidden], again["hog_inpaint"].image[hidden])
    assert (one["oagan"].image - again["oagan"].image)[hidden].abs().max() > 0.1, "who must find it has to look"
    assert torch.equal(one["hog_inpaint"].hole, test.hole) and not torch.equal(one["oagan"].hole, test.hole)


def test_everybody_improves_what_is_his_job(who, trials):
    for damage in DAMAGES[:3]:
        test = trials[damage]
        mine = [name for name, one in who.items() if entitled(one, damage)]
        assert list(answers(who, test, mine)) == mine
        before = psnr(test.untouched, test.truth).mean()
        for name, answer in answers(who, test, mine).items():
            assert psnr(answer.image, test.truth).mean() > before + 2, (damage, name)


# ------------------------------------------------------------------------------------------- harm, differences
def _moving(by, share=0.25):
    def restore(pictures, hole):
        moved = pictures.clone()
        moved[..., : int(share * pictures.shape[-1])] += 2 * by
        return Restoration(moved, torch.full_like(pictures[:, :1], 0.5), moved)

    return restore


def test_harm_counts_what_moved_by_more_than_four_levels(trials):
    cases = {"a lot": _moving(5 / 255), "too little to see": _moving(3 / 255), "nothing": _moving(0)}
    found = harm({name: Contestant(name, how) for name, how in cases.items()}, trials["nothing"], identity=False)
    assert [found[name]["changed"]["mean"] for name in cases] == [0.25, 0, 0]
    assert [found[name]["touched"]["mean"] for name in cases] == [1, 0, 0]
    assert found["nothing"]["psnr"] == {"mean": None, "low": None, "high": None, "left_out": 6}
    assert found["a lot"]["psnr"]["mean"] < found["too little to see"]["psnr"]["mean"]
    assert found["a lot"]["hole"]["mean"] == 0.5


def test_another_light_or_a_turned_head_is_no_harm_pixel_by_pixel(trials):
    whole = lambda pictures, hole: Restoration(-pictures, None, -pictures)  # noqa: E731
    both = {"vis2nir": Contestant("vis2nir", whole, whole=True, pixelwise=False),
            "frontalize": Contestant("frontalize", whole, whole=True)}  # fmt: skip
    assert harm(both, trials["nothing"], False) == {"vis2nir": {}, "frontalize": {}}
    assert "changed" in harm({"a": Contestant("a", whole)}, trials["nothing"], False)["a"], "whoever fills holes"


def test_who_makes_faces_anew_is_shown_them_as_it_knows_them(trials):
    test, same = trials["nothing"], lambda pictures, hole: Restoration(pictures, None, pictures)
    eyes = cut_for(Contestant("vis2nir", same, whole=True, cut="eyes"), test)
    wanted = (torch.tensor([0.5 - EYE_DISTANCE / 2, 0.5 + EYE_DISTANCE / 2]) * SIZE - 0.5, EYE_HEIGHT * SIZE - 0.5)
    for marks in eyes.points:
        torch.testing.assert_close(eye_centres(marks)[:, 0], wanted[0], atol=0.5, rtol=0)
        assert (eye_centres(marks)[:, 1] - wanted[1]).abs().max() < 0.5
    assert eyes.truth.shape == test.truth.shape and not torch.equal(eyes.truth, test.truth)
    assert torch.equal(eyes.truth, eyes.occluded) and eyes.hole.abs().max() == 0
    upright = cut_for(Contestant("frontalize", same, whole=True, cut="portrait"), test)
    assert not torch.equal(upright.truth, eyes.truth)
    assert cut_for(Contestant("oagan", same), test) is test


def test_without_landmarks_a_face_stays_as_it_is(trials):
    test = trials["nothing"]
    blind = dataclasses.replace(test, points=torch.full_like(test.points, torch.nan))
    same = lambda pictures, hole: Restoration(pictures, None, pictures)  # noqa: E731
    torch.testing.assert_close(cut_for(Contestant("a", same, cut="eyes"), blind).truth, test.truth, atol=1e-3, rtol=0)


def test_harm_is_done_to_the_cut_and_held_against_it(trials):
    same = lambda pictures, hole: Restoration(pictures, None, pictures)  # noqa: E731
    found = harm({"a": Contestant("a", same, whole=True, cut="eyes")}, trials["nothing"])["a"]
    assert set(found) == {"identity"} and found["identity"]["mean"] == 0


def test_systems_told_that_nothing_is_hidden_change_nothing(who, trials):
    found = harm({"hog_inpaint": who["hog_inpaint"]}, trials["nothing"], identity=False)["hog_inpaint"]
    assert found["touched"]["mean"] == found["hole"]["mean"] == 0


def test_a_paired_difference_is_narrower_than_an_unpaired_one():
    base = torch.arange(40.0) % 17
    people = [str(place // 2) for place in range(40)]
    same, ahead = paired(base, base, people), paired(base + 1, base, people)
    assert same == {"mean": 0, "low": 0, "high": 0} and ahead == {"mean": 1, "low": 1, "high": 1}
    mixed = paired(base + 1, base[torch.randperm(40, generator=torch.Generator().manual_seed(0))], people)
    assert mixed["mean"] == pytest.approx(1, abs=1e-4) and mixed["low"] < 0 < mixed["high"]
    assert paired(base, base + 1, people)["mean"] == -1


def test_a_picture_that_lacks_a_value_is_left_out_of_the_pair():
    found = paired(torch.tensor([1.0, torch.inf, torch.nan]), torch.tensor([0.0, 0.0, 0.0]), "abc")
    assert found == {"mean": 1, "low": 1, "high": 1, "left_out": 2}
    none = paired(torch.tensor([torch.inf, torch.nan]), torch.tensor([torch.inf, 0.0]), "ab")
    assert none == {"mean": None, "low": None, "high": None, "left_out": 2}, "two perfect pictures have no difference"
    assert json.dumps(none, allow_nan=False)


# ------------------------------------------------------------------------------------------- protocol
@pytest.fixture(scope="module")
def protocol(who):
    return side_by_side.protocol("orl", count=6, identity=False, nets=(), biharmonic=False)


def test_the_protocol_says_who_was_told_and_can_be_written_down(protocol):
    assert json.loads(json.dumps(protocol)) == protocol and list(protocol) == list(DAMAGES[:3])
    for damage, found in protocol.items():
        systems = [name for name in TASKS if damage in JOBS.get(name, ())]
        assert list(found["rows"]) == ["input", "mean face in the true hole", ELSE, *systems]
        assert found["told"] == ["hog_inpaint"] and found["count"] == found["people"] == 6
        assert ["iou" in found["rows"][name] for name in systems] == [name != "hog_inpaint" for name in systems]


def test_another_persons_pixels_are_sharp_and_wrong(protocol):
    for found in protocol.values():
        rows = {name: {metric: cell["mean"] for metric, cell in row.items()} for name, row in found["rows"].items()}
        assert 0.8 < rows[ELSE]["sharpness"] < 1.3
        systems = [name for name in rows if name in TASKS]
        assert all(rows[name]["psnr"] > rows[ELSE]["psnr"] + 1 for name in systems)
        assert all(found["apart"][f"{name} − {ELSE}"]["psnr"]["low"] > 0 for name in systems)


def test_two_systems_are_held_against_each_other_once(protocol):
    pairs = list(protocol["facemask"]["apart"])
    assert "mask_removal − oagan" in pairs and "oagan − mask_removal" not in pairs


def test_where_all_faces_are_one_persons_nobody_elses_pixels_are_put_in(trials):
    alone = trials["facemask"].at([0, 0, 0])
    assert ELSE in side_by_side.guesses(trials["facemask"], biharmonic=False)
    assert list(side_by_side.guesses(alone, biharmonic=False)) == ["input"]
    found = side_by_side._on(alone, "facemask", {}, alone.truth[0], False, (), False)
    assert list(found["rows"]) == ["input", "mean face in the true hole"]


@pytest.mark.skipif(not available(), reason="dlib is not here")
def test_whether_people_are_recognised_is_a_difference_too(part):
    test = damaged(part, "facemask", 8)
    twice = test.at([*range(4), *range(4)])  # two photographs of each, as far as anybody can tell
    same = Contestant("mask_removal", lambda pictures, hole: Restoration(pictures, test.hole, pictures))
    known = torch.zeros(1, *test.truth.shape[2:])
    found = side_by_side._on(twice, "facemask", {"mask_removal": same}, known, True, (), False)
    assert {"same", "recognised"} <= set(found["apart"][f"mask_removal − {ELSE}"])


@pytest.mark.skipif(not available(), reason="dlib is not here")
def test_the_protocol_measures_whose_face_it_is():
    found = side_by_side.protocol("orl", count=6, names=["mask_removal"], nets=(), damages=["facemask"],
                                  biharmonic=False)["facemask"]  # fmt: skip
    apart = found["apart"][f"mask_removal − {ELSE}"]
    assert {"identity", "same"} <= set(apart) and "recognised" not in apart, "of everybody there is one photograph"
    found = found["rows"]
    assert all(0 <= row["same"]["mean"] <= 1 for row in found.values())
    assert found["input"]["identity_gain"]["mean"] == 0 and found["mask_removal"]["identity"]["mean"] > 0.2
    assert found[ELSE]["to_donor"]["mean"] > 0.3 and "to_donor" not in found["input"]


# ------------------------------------------------------------------------------------------- cards, record
def test_cards_give_one_row_a_trial_with_their_own_numbers():
    rows = side_by_side.from_cards()
    assert {row["system"] for row in rows} >= set(JOBS)
    for row in rows:
        recorded = read_card(row["system"])["metrics"]["trials"][row["trial"]]["rows"]
        assert row["answer"] == recorded[row["system"]] and row["input"] == recorded["input"]
        assert row["gain"]["identity"] == recorded[row["system"]]["identity_gain"]
        assert row["baseline"] in recorded and row["guess"] == recorded[row["baseline"]]
        if "psnr" in row["answer"]:
            guesses = [cells["psnr"]["mean"] for name, cells in recorded.items() if name in cards.GUESSES]
            assert row["guess"]["psnr"]["mean"] == max(guesses)
    assert [row["told"] for row in rows if row["system"] == "hog_inpaint"][0]


def test_attacks_of_one_psnr_are_recorded_beside_those_without_a_level(trials):
    found = side_by_side_record.at_equal_psnr(trials["occluder"], 24.0, (), identity=False)
    levelled = [row for row in found.values() if row["level"] is not None]
    assert len(levelled) >= 4 and all(row["metrics"]["psnr"]["mean"] == pytest.approx(24, abs=0.1) for row in levelled)
    assert found["somebody else"]["level"] is None and found["somebody else"]["harm"] == "another face"
    assert all(row["reached"] == 6 for row in levelled) and "reached" not in found["somebody else"]


@pytest.fixture
def quick(monkeypatch):
    """The command, its parts done in no time; what is asked of each part."""
    asked = {}
    nothing = {"protocol": {"occluder": 1}, "harm": {}, "at_equal_psnr": {}, "frechet_bias": {}}
    for name, value in nothing.items():
        said = lambda *args, value=value, name=name, **options: asked.setdefault(name, (args, options)) and value  # noqa: E731
        monkeypatch.setattr(side_by_side_record, name, said)
    monkeypatch.setattr(side_by_side_record, "available", lambda: True)
    return asked


def test_the_command_keeps_parts_beside_the_record_and_replaces_it_at_the_end(tmp_path, quick, monkeypatch, capsys):
    target, beside = tmp_path / "10.json", tmp_path / "10.json.part"
    target.write_text("what ships")
    monkeypatch.setattr(side_by_side_record, "at_equal_psnr", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        side_by_side_record.main(["orl", "--count", "4", "--out", str(target)])
    assert target.read_text() == "what ships" and json.loads(beside.read_text())["protocol"] == {"occluder": 1}
    assert "judges" not in json.loads(beside.read_text()) and len(capsys.readouterr().err.splitlines()) == 3
    monkeypatch.setattr(side_by_side_record, "at_equal_psnr", lambda *args, **options: {})
    assert side_by_side_record.main(["orl", "--count", "4", "--out", str(target)]) == 0
    found = json.loads(target.read_text())
    assert found["data"] == "orl" and found["count"] == 4 and found["protocol"] == {"occluder": 1}
    assert found["runs"] == 1 and "agreement" not in found and not beside.exists()
    assert set(found["weights"]) >= set(JOBS) and len(capsys.readouterr().err.splitlines()) == 4


def test_the_record_knows_who_is_shown_and_holds_no_nan(tmp_path, quick, monkeypatch):
    arguments = ["orl", "--count", "4", "--out", str(tmp_path / "10.json")]
    assert side_by_side_record.main(arguments) == 0
    (_, truth, *_), options = quick["frechet_bias"]
    assert len(options["identities"]) == len(truth) > len(set(options["identities"]))
    monkeypatch.setattr(side_by_side_record, "harm", lambda *args: {"mean": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        side_by_side_record.main(arguments)


def test_without_dlib_the_command_says_so_before_it_begins(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(side_by_side_record, "available", lambda: False)
    arguments = ["orl", "--count", "4", "--out", str(tmp_path / "10.json")]
    with pytest.raises(MissingPart, match="--no-identity"):
        side_by_side_record.main(arguments)
    assert not quick and not list(tmp_path.iterdir())
    assert side_by_side_record.main([*arguments, "--no-identity"]) == 0
    assert quick["protocol"][1]["identity"] is quick["harm"][0][2] is quick["at_equal_psnr"][1]["identity"] is False
