"""The README's figures are those of the cards and of the record."""

import json

import pytest

from facelab.errors import BadWeights, LayoutError
from facelab.results import BEGIN, COLUMNS, END, LEGENDS, TRUTHS, WHOLE, read_cards, render, renewed, up_to_date
from facelab.studies.tasks import TASKS
from facelab.systems import frontalize, hog_inpaint, mask_removal
from facelab.systems.oagan import Config

CARD = {
    "system": "oagan", "data": "lfw", "steps": 12000, "device": "cpu", "seed": 0,
    "metrics": {"data": "lfw", "trials": {"trained kinds": {"count": 256, "people": 90, "rows": {
        "input": {"psnr": {"mean": 14.123, "low": 13.9, "high": 14.3}, "psnr_gain": {"mean": 0.0}},
        "oagan": {"psnr": {"mean": 25.678}, "psnr_gain": {"mean": 11.555}, "iou": {"mean": 0.94, "low": 0.9, "high": 1},
                  "identity": {"mean": 0.31}, "identity_gain": {"mean": 0.0123}},
        "oagan, raw": {"psnr": {"mean": 20.0}},
    }}}},
}  # fmt: skip


def test_the_readme_is_up_to_date(repo):
    text = (repo / "README.md").read_text(encoding="utf-8")
    assert text == up_to_date(text), "renew it: .venv/bin/python -m facelab.results"


def test_nothing_in_the_readme_is_still_to_be_filled_in(repo):
    text = (repo / "README.md").read_text(encoding="utf-8")
    assert not [line for line in text.splitlines() if "⟨" in line or "⟩" in line]


def test_a_known_card_gives_a_known_table():
    text = render({"oagan": CARD})
    assert "**oagan, trained kinds**: 256 pictures of 90 people of `lfw`" in text and "12,000 steps on cpu" in text
    lines = text.splitlines()
    assert "| input | 14.12 | 0.00 |  |  |" in lines
    assert any(f"| oagan | 25.68 | {gain} | 0.940 [0.900, 1.000] | 0.012 |" in lines for gain in ("11.55", "11.56"))
    assert "raw |" not in text


def test_trials_that_differ_in_one_thing_stand_side_by_side():
    row = lambda value: {"psnr": {"mean": value, "low": value - 1, "high": value + 1}, "frechet_second": {"mean": 9.0}}  # noqa: E731
    part = lambda value: {"count": 9, "people": 3, "rows": {"input": row(value), "x": row(value + 5), "x, raw": row(0)}}  # noqa: E731
    trials = {"holes of 20 to 30 %": part(20.0), "holes of 0 to 10 %": part(30.0)}
    text = render({"hog_inpaint": CARD | {"system": "hog_inpaint", "metrics": {"data": "lfw", "trials": trials}}})
    assert "**hog_inpaint, holes of 20 to 30 %**" in text and "**hog_inpaint, holes of 0 to 10 %**" not in text
    assert "| | holes of 0 to 10 % | holes of 20 to 30 % |" in text
    assert "| x | 35.00 [34.00, 36.00] | 25.00 [24.00, 26.00] |" in text and "| x | 9.00 | 9.00 |" in text


def test_turned_faces_stand_by_yaw_and_set():
    keys = ("psnr", "psnr_hole", "rank1")
    row = lambda value: {key: {"mean": value, "low": value - 0.1, "high": value + 0.1} for key in keys}  # noqa: E731
    part = lambda value: {"count": 9, "people": 9, "rows": {"input": row(value), "frontalize": row(value + 0.5)}}  # noqa: E731
    trials = {f"{name}, {yaw}": part(value) for name, yaw, value in
              (("synth:9", "45°", 0.3), ("lfw:turned", "45°", 0.1), ("synth:9", "15°", 0.4))}  # fmt: skip
    card = CARD | {"system": "frontalize", "data": "synth:9+lfw:turned"}
    text = render({"frontalize": card | {"metrics": {"data": card["data"], "trials": trials}}})
    assert text.count("**frontalize") == 1 and "Rank-1 on `synth:9`, by yaw" in text
    assert "| | 15° | 45° |" in text and "| | 45° |" in text
    assert "| frontalize | 0.900 [0.800, 1.000] | 0.800 [0.700, 0.900] |" in text and "in the hole" not in text
    alone = {"15°": part(0.2), "45°": part(0.1)}
    text = render({"frontalize": CARD | {"system": "frontalize", "metrics": {"data": "synth", "trials": alone}}})
    assert "PSNR on `synth`, by yaw" in text and "| input | 0.20 [0.10, 0.30] | 0.10 [0.00, 0.20] |" in text


def infrared_card(**truths):
    keys = ("psnr", "psnr_hole", "identity", "rank1")
    row = lambda value: {key: {"mean": value, "low": value - 0.1, "high": value + 0.1} for key in keys}  # noqa: E731
    trials = {label: {"count": 9, "people": 9, "rows": {"input": row(0.3), "vis2nir": row(0.8)}} | (
        {"truth": truth} if truth else {}) for label, truth in truths.items()}  # fmt: skip
    metrics = {"data": "+".join(truths), "size": 64, "trials": trials}
    return CARD | {"system": "vis2nir", "data": metrics["data"], "metrics": metrics}


def test_infrared_faces_have_rank_1_and_distance_and_say_what_their_truth_is():
    text = render({"vis2nir": infrared_card(**{"synth:9:nir": "rendered", "lfw:nir": "simulated", "casia": ""})})
    assert text.count("**vis2nir") == 3, "a table a set"
    heads = "| | PSNR | identity distance | rank-1 |"
    assert text.splitlines().count(heads) == 3 and "in the hole" not in text
    assert "| vis2nir | 0.80 | 0.800 [0.700, 0.900] | 0.800 [0.700, 0.900] |" in text
    for label, words in (("synth:9:nir", "truth rendered"), ("lfw:nir", "truth simulated from the photograph")):
        part = text[text.index(f"**vis2nir, {label}**") :].partition("\n")[0]
        assert f"faces in visible light, {words};" in part
    assert "truth" not in text[text.index("**vis2nir, casia**") :].partition("\n")[0]
    assert LEGENDS["vis2nir"] in text and LEGENDS["frontalize"] not in text and "by yaw" not in text


def test_a_degree_in_a_label_does_not_make_a_turned_head():
    text = render({"vis2nir": infrared_card(**{"lamps at 45°": "rendered"})})
    assert "by yaw" not in text and LEGENDS["frontalize"] not in text


def test_every_system_that_makes_pictures_anew_has_its_words():
    assert set(LEGENDS) == {name for name, task in TASKS.items() if task.whole}
    assert set(TRUTHS) == {"rendered", "simulated", "another picture"}


def test_a_fair_pair_is_told_in_its_own_numbers():
    row = lambda value: {key: {"mean": value} for key in ("psnr", "sharpness", "frechet")}  # noqa: E731
    text = render({"oagan": CARD | {"twins": {"what": "", "trained kinds": {"without": row(1), "with": row(2)}}}})
    assert "PSNR from 1.00 to 2.00 dB, sharpness from 1.00 to 2.00, Fréchet from 1.0 to 2.0" in text
    assert "fair pair" not in render({"oagan": CARD})


def test_every_column_is_measured(repo):
    """A heading without its metric would be an empty column nobody misses."""
    for name, card in read_cards(repo / "weights").items():
        for trial in card["metrics"]["trials"].values():
            wanted = COLUMNS + (WHOLE if name in LEGENDS else ())
            missing = {metric for _, metric, _ in wanted} - set(trial["rows"][name])
            allowed = {"oagan": {"frechet_second"}, "hog_inpaint": {"iou"}, "frontalize": {"iou"}}.get(name, set())
            allowed |= {"iou", "frechet", "frechet_second"} if name == "vis2nir" else set()  # too few people for it
            assert missing <= allowed, (name, missing)


def test_a_stale_table_is_seen():
    text = f"a\n{BEGIN}\nold\n{END}\nb"
    assert renewed(text, "new") == f"a\n{BEGIN}\nnew\n{END}\nb" != text


@pytest.mark.parametrize("text", ["no markers", f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_lost_markers_are_refused(text):
    with pytest.raises(LayoutError, match="markers"):
        renewed(text, "new")


def test_without_cards_it_says_so():
    assert "No measured weights" in render({}) and "No measured weights" in render({"a": {"system": "a"}})


def test_a_broken_card_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(BadWeights, match=r"x\.json"):
        read_cards(tmp_path)


def test_the_laptop_sentence_is_the_record_of_the_profile_as_it_is(repo):
    text = (repo / "README.md").read_text(encoding="utf-8")
    record = json.loads((repo / "notebooks/figures/04_results.json").read_text(encoding="utf-8"))
    assert Config(**record["config"]) == Config.for_profile("laptop", channels=1)
    rows, unseen = record["rows"], record["unseen_rows"]["OA-GAN"]["psnr_gain"]
    gain, mean = rows["OA-GAN"]["psnr_gain"], rows["mean face in the true hole"]["psnr_gain"]["mean"]
    words = " ".join(text.split())
    for claim in (
        f"{record['steps']:,} steps, one seed ({record['seed']})",
        f"{record['faces']} pictures of {record['people']} people",
        f"they gain {gain['mean']:.1f} dB [{gain['low']:.1f}, {gain['high']:.1f}], {gain['mean'] - mean:.1f} dB above",
        f"sharpness of {rows['OA-GAN']['sharpness']['mean']:.2f}",
        f"kinds {unseen['mean']:.1f} dB [{unseen['low']:.1f}, {unseen['high']:.1f}]",
    ):
        assert claim in words, claim


def test_what_is_said_of_photographs_is_in_the_card(repo):
    words = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    card = read_cards(repo / "weights")["mask_removal"]
    found, (near, far) = card["metrics"]["natural"], card["metrics"]["trials"].values()
    good = round(found["share"] * found["count"])
    drop = near["rows"]["mask_removal"]["psnr"]["mean"] - far["rows"]["mask_removal"]["psnr"]["mean"]
    assert far["rows"]["mask_removal"]["identity_gain"]["high"] < 0 and "129, 129 and 131" in card["photographs"]
    for claim in (
        f"Of {found['count']} photographs", f"{good} get a hole", f"cost {drop:.1f} dB",
        f"{found['share']:.1%} [{found['low']:.1%}, {found['high']:.1%}]".replace("%", " %"),
        f"face in {found['face_before']['share']:.0%} of them before and in {found['face_after']['share']:.0%}".replace(
            "%", " %"),
    ):  # fmt: skip
        assert claim in words, claim


def test_so_is_the_sentence_about_facemasks(repo):
    words = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    record = json.loads((repo / "notebooks/figures/06_results.json").read_text(encoding="utf-8"))
    assert mask_removal.Config(**record["config"]) == mask_removal.Config.for_profile("laptop", channels=1)
    row, mean = record["rows"]["mask removal"], record["rows"]["mean face in the true hole"]["psnr_gain"]["mean"]
    gain = row["psnr_gain"]
    assert gain["mean"] >= 5 and gain["mean"] - mean >= 1.5, "the lesson's goal"
    for claim in (
        f"for facemasks, {record['steps']:,} steps",
        f"they gain {gain['mean']:.1f} dB [{gain['low']:.1f}, {gain['high']:.1f}], {gain['mean'] - mean:.1f} dB above",
        f"a sharpness of {row['sharpness']['mean']:.2f} and holes",
        f"overlap the true ones by {row['iou']['mean']:.2f}",
    ):
        assert claim in words, claim


def test_so_is_the_sentence_about_turned_heads(repo):
    words = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    record = json.loads((repo / "notebooks/figures/07_results.json").read_text(encoding="utf-8"))
    assert frontalize.Config(**record["config"]) == frontalize.Config.for_profile("laptop", channels=3)
    rank = {name: row["rank1"]["mean"] for name, row in record["rows"].items()}
    theirs = max(rank[name] for name in ("AE", "pix2pix", "DCGAN", "CVAE"))
    claim = (
        f"five networks of {record['steps']:,} steps each ([its record](notebooks/figures/07_results.json)): of "
        f"{record['people']} people never seen, turned by {record['judged']}, a face network recognises "
        f"{rank['ours']:.0%} in our answers, at most {theirs:.0%} in those of the source's four, and "
        f"{rank['input']:.0%} in the turned pictures"
    )
    assert claim.replace("%", " %") in words


def test_so_are_the_sentences_about_irregular_holes(repo):
    words = " ".join((repo / "README.md").read_text(encoding="utf-8").split())
    record = json.loads((repo / "notebooks/figures/09_results.json").read_text(encoding="utf-8"))
    assert hog_inpaint.Config(**record["config"]) == hog_inpaint.Config.for_profile("laptop", channels=1)
    row, smooth = record["rows"]["guide"], record["rows"]["biharmonic in the true hole"]
    gain, above = row["psnr_gain"], row["psnr"]["mean"] - smooth["psnr"]["mean"]
    trials = read_cards(repo / "weights")["hog_inpaint"]["metrics"]["trials"]
    middle, large = (trials[f"holes of {name} %"]["rows"] for name in ("20 to 30", "50 to 60"))
    ours, l1 = (middle[name] for name in ("hog_inpaint", "finished with L1 alone"))
    mean = lambda row, key, digits: f"{row[key]['mean']:.{digits}f}"  # noqa: E731
    both = lambda key, digits, ours=ours, l1=l1: f"{mean(ours, key, digits)} in place of {mean(l1, key, digits)}"  # noqa: E731
    far, smoothly = (large["hog_inpaint"], large["finished with L1 alone"]), middle["biharmonic in the true hole"]
    for claim in (
        f"irregular holes of 20 to 30 %, {record['steps']:,} steps",
        f"they gain {gain['mean']:.1f} dB [{gain['low']:.1f}, {gain['high']:.1f}], {above:.1f} dB above a smooth fill",
        f"with a sharpness of {mean(row, 'sharpness', 2)}. ",
        f"is {ours['psnr']['mean'] - smoothly['psnr']['mean']:.1f} dB above a smooth fill;",
        f"gives up {l1['psnr']['mean'] - ours['psnr']['mean']:.2f} dB for a sharpness of {both('sharpness', 2)}",
        f"distance is {both('frechet', 0)}, on a net that none of its terms knows {both('frechet_second', 0)}, in the "
        f"largest holes {both('frechet_second', 0, *far)}",
        f"its person, by {far[1]['identity_gain']['mean']:.3f} in place of {mean(far[0], 'identity_gain', 3)}",
    ):
        assert claim in words, claim
