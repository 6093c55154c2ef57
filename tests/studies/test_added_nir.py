"""Translated pictures beside real ones: who is in which album, what is refused, and that all of it runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from facelab.data import splits
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset, Item
from facelab.errors import BadConfig, LayoutError
from facelab.images import to_channels
from facelab.seeding import seed_all
from facelab.studies import added_nir, infrared, recognition
from facelab.systems import vis2nir
from facelab.train.weights import write_weights

DATA, SIZE = "synth:20:nir", 32
CFG = dataclasses.replace(vis2nir.Config.for_profile("smoke"), width=4, critic_width=4, ema=0.0, norm="instance")


@pytest.fixture(scope="module")
def part():
    return infrared.domains(DATA, "test", SIZE)


@pytest.fixture(scope="module")
def pictures(part):
    return added_nir.gallery(part)


@pytest.fixture
def weights(tmp_path):
    def make(name, data=DATA, seed=0, **more):
        seed_all(seed)
        card = {"system": "vis2nir", "config": vars(CFG), "data": data, **more}
        return write_weights(tmp_path / f"{name}.safetensors", {"G": vis2nir.build(CFG).G}, card)

    return make


def test_each_person_has_pictures_of_each_kind_from_different_sittings(part, pictures):
    count = len(pictures.people)
    assert count > 1 and set(pictures.people) <= {part.identity(row) for row in part.vis}
    for album, each in ((pictures.real, added_nir.REAL), (pictures.test, added_nir.TESTED)):
        assert album.labels.bincount(minlength=count).tolist() == [each] * count
    assert torch.bincount(pictures.of["labels"], minlength=count).tolist() == [added_nir.MOST] * count
    sitting = lambda names: {tuple(name.split("/")[-2:]) for name in names}  # noqa: E731
    three = [sitting(names) for names in (pictures.real.files, pictures.test.files, pictures.of["files"])]
    assert not three[0] & three[1] and not three[2] & (three[0] | three[1])
    assert pictures.seen.shape[1] == 3 and pictures.truth.shape[1] == 1


def test_labels_are_the_people_of_the_pictures(part, pictures):
    rows = {part.cache.dataset.relative(int(part.cache.indices[row])): row for row in (*part.vis, *part.nir)}
    for names, labels in (
        (pictures.real.files, pictures.real.labels),
        (pictures.test.files, pictures.test.labels),
        (pictures.of["files"], pictures.of["labels"]),
    ):
        assert [part.identity(rows[name]) for name in names] == [pictures.people[k] for k in labels.tolist()]


def test_a_set_knows_what_was_added(pictures, weights):
    sets = added_nir.training_sets(pictures, {"A": weights("a")})
    assert list(sets) == [added_nir.GREY, "+ A", added_nir.BOUND]
    for album in sets.values():
        assert int(album.added.sum()) == len(pictures.seen) and len(album) == len(pictures.seen) + len(pictures.real)
        assert torch.equal(album.images[~album.added], pictures.real.images)
    grey, made, true = (album.images[album.added] for album in sets.values())
    assert torch.equal(grey, to_channels(pictures.seen, 1)) and torch.equal(true, pictures.truth)
    model, _ = vis2nir.load(weights("a"))
    torch.testing.assert_close(made, vis2nir.restore(model, pictures.seen).image, atol=1e-4, rtol=1e-3)


def test_the_counterpart_of_a_test_picture_is_never_used(part):
    """Were sittings counted wrongly, the colour half of a test picture would be translated."""
    backwards = dataclasses.replace(part, vis=part.vis[::-1])
    assert len(added_nir.gallery(backwards).people) > 1
    with pytest.raises(BadConfig, match="colour half"):
        added_nir.gallery(dataclasses.replace(backwards, counterpart={}))


def test_a_translator_that_knows_them_is_refused(pictures, weights, monkeypatch):
    real = splits.split
    monkeypatch.setattr(added_nir, "split", lambda dataset, name: real(dataset, "test"))
    with pytest.raises(BadConfig, match="trained on other people"):
        added_nir.translated(weights("a"), pictures)


def test_what_a_translator_began_with_counts_too(pictures, weights):
    """However far back: those people's pictures are in its weights."""
    began = {"data": DATA, "start": {"data": "folder", "start": {"data": "others"}}}
    known = {DATA: {"a"}, "folder": {"b"}, "others": {"c"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(added_nir, "open_dataset", lambda name: FaceDataset(name, Path("/x"), [
            Item(Path(f"/x/{who}.png"), who) for who in known[name]]))  # fmt: skip
        patch.setattr(added_nir, "split", lambda dataset, name: range(len(dataset)) if name == "train" else ())
        patch.setattr(added_nir, "domains", lambda *args: pytest.fail("nothing needs to be decoded"))
        assert added_nir.taught_by(began) == {"a", "b", "c"} and added_nir.taught_by(None) == set()
    real = open_dataset(DATA)
    assert added_nir.taught_by({"data": DATA}) == {real.items[i].who for i in splits.split(real, "train")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(added_nir, "taught_by", lambda card: {card["start"]["data"]} if "start" in card else set())
        added_nir.translated(weights("fresh"), pictures)
        with pytest.raises(BadConfig, match="trained on other people"):
            added_nir.translated(weights("begun", start={"data": pictures.people[0]}), pictures)


def test_the_command_says_what_is_wrong_in_one_line(weights, tmp_path, capsys):
    out, one = str(tmp_path / "out"), weights("a")
    for words, code in ((["A=nosuch.safetensors"], 1), ([f"A={one},{one}", f"B={one}"], 2)):
        asked = [out, *words, "--data", DATA, "--size", str(SIZE), "--classifiers", "lbp"]
        assert added_nir.main(asked) == code
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("facelab: ") and "Traceback" not in error
    with pytest.raises(SystemExit):
        added_nir.main([out, f"A={one}", "--classifiers", "lpb"])
    assert "invalid choice" in capsys.readouterr().err
    assert set(added_nir.USED) <= set(added_nir.CLASSIFIERS)


def test_too_few_pictures_are_refused(part):
    few = dataclasses.replace(part, nir=part.nir[::4])
    with pytest.raises(LayoutError, match="near-infrared pictures or more"):
        added_nir.gallery(few)


def test_without_counterparts_there_is_no_bound(part, weights):
    blind = added_nir.gallery(dataclasses.replace(part, counterpart={}))
    assert blind.truth is None and added_nir.BOUND not in added_nir.training_sets(blind, {"A": weights("a")})


def test_the_experiment_takes_the_kth_weights_for_seed_k_and_goes_on_where_it_was(weights, tmp_path):
    both = [weights("a", seed=0), weights("b", seed=1)]
    lines = []
    go = lambda: added_nir.added_nir(  # noqa: E731
        tmp_path / "out", DATA, {"A": both}, size=SIZE, classifiers=("lbp",), device="cpu", note=lines.append
    )
    found = go()
    assert len(lines) == 8 and len(found["rows"]) == 8 and go()["rows"] == found["rows"] and len(lines) == 8
    sets = [recognition.read(tmp_path / "out" / f"seed{k}")["header"]["sets"] for k in (0, 1)]
    assert sets[0]["+ A"] != sets[1]["+ A"] and sets[0][added_nir.GREY] == sets[1][added_nir.GREY]
    table = recognition.summary(found["rows"], found["header"]["people"])["lbp"]
    assert set(table) == {recognition.REAL, added_nir.GREY, "+ A", added_nir.BOUND} and table["+ A"]["seeds"] == 2
    kept = recognition.read(added_nir.write_record(found, tmp_path / "r.jsonl"))
    assert kept == {"header": found["header"], "rows": found["rows"]} and len(kept["header"]["weights"]["A"]) == 2
    with pytest.raises(BadConfig, match="one a seed"):
        added_nir.added_nir(tmp_path / "x", DATA, {"A": both, "B": both[:1]}, size=SIZE)


def test_the_command_prints_a_table_and_keeps_a_record(weights, tmp_path, capsys):
    asked = [str(tmp_path / "out"), f"A={weights('a')},{weights('b', seed=1)}", "--data", DATA, "--size", str(SIZE)]
    record = tmp_path / "r.jsonl"
    assert added_nir.main([*asked, "--classifiers", "lbp", "--people", "2", "--record", str(record)]) == 0
    out, err = capsys.readouterr()
    kept = recognition.read(record)
    assert out.strip() == recognition.as_text(recognition.summary(kept["rows"], kept["header"]["people"]))
    assert out.startswith("| classifier ") and "| lbp | + A | " in out and err.count(", lbp, seed ") == 8
    assert len(set(kept["header"]["people"])) == 2 and len(kept["header"]["weights"]["A"]) == 2


def test_the_command_refuses_damaged_weights_and_unfit_sets_in_one_line(weights, tmp_path, capsys):
    good, bad = weights("a"), tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    common = ["--data", DATA, "--size", str(SIZE), "--classifiers", "lbp"]
    for said, code, what in (
        ([f"A={bad}", *common], 1, "bad."),
        ([f"A={good}", *common, "--data", "nothing"], 2, "dataset = 'nothing'"),
        ([f"A={good}", *common, "--data", "orl"], 1, "near-infrared"),
    ):
        assert added_nir.main([str(tmp_path / "out"), *said]) == code
        out, err = capsys.readouterr()
        assert out == "" and what in err and len(err.strip().splitlines()) == 1
    assert not list((tmp_path / "out").rglob("*.jsonl"))


@pytest.mark.parametrize("said", [["A"], ["A="], ["=a"], []])
def test_the_command_wants_names_and_files(tmp_path, capsys, said):
    with pytest.raises(SystemExit, match="2"):
        added_nir.main([str(tmp_path / "out"), *said])
    assert "usage: python -m facelab.studies.added_nir" in capsys.readouterr().err and not (tmp_path / "out").exists()
