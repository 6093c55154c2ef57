"""Two heaps of faces: nobody is in both, the truth stays hidden, and the trials hold what is said of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facelab import cli
from facelab.data.aligned import AlignedFaces, FinelyDrawn
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset, Item
from facelab.data.infrared import InfraredPhotographs
from facelab.data.joined import JoinedFaces
from facelab.data.splits import split
from facelab.errors import BadConfig, LayoutError, MissingPart
from facelab.faces import landmarks
from facelab.faces.equalise import equalised
from facelab.images import to_channels, to_pil
from facelab.studies import evaluation, infrared, training, validation
from facelab.studies.tasks import task
from facelab.systems import vis2nir
from facelab.train.engine import Engine

DATA, SIZE = "synth:20:nir", 32
CFG = dataclasses.replace(vis2nir.Config.for_profile("smoke"), equalise=False, batch=5)


@pytest.fixture(scope="module")
def part():
    return infrared.domains(DATA, "train", SIZE)


def people(part, rows):
    return {part.identity(row) for row in rows}


def picture_of(part, images, rows, channels):
    """Which row each picture comes from, by the smallest difference; pictures are moved a little, perhaps mirrored."""
    pool = to_channels(part.cache.batch(rows), channels)
    both = torch.stack([pool, pool.flip(-1)])
    apart = (both[None] - images[:, None, None]).abs().mean((3, 4, 5)).amin(1)
    return [rows[int(place)] for place in apart.argmin(1)]


# ------------------------------------------------------------------------------------------- who is where
def test_nobody_who_is_trained_on_in_one_light_is_in_the_other(part):
    vis, nir = infrared.divided(part)
    assert vis and nir and not people(part, vis) & people(part, nir)
    assert people(part, vis) | people(part, nir) == people(part, part.vis)
    assert set(vis) <= set(part.vis) and set(nir) <= set(part.nir)
    assert not {part.counterpart[row] for row in vis} & set(nir), "no counterpart lies in the other heap"


def test_splits_are_those_of_the_set(part):
    dataset = open_dataset(DATA)
    wanted = {str(dataset.items[index].identity) for index in split(dataset, "train")}
    assert people(part, part.vis) == people(part, part.nir) == wanted
    held = [people(other, other.vis) for other in (infrared.domains(DATA, name, SIZE) for name in ("val", "test"))]
    assert all(held) and not held[0] & held[1] and not (held[0] | held[1]) & wanted


def test_a_set_without_both_lights_is_refused():
    with pytest.raises(LayoutError, match="synth:nir"):
        infrared.domains("synth:20", "train", SIZE)


# ------------------------------------------------------------------------------------------- batches
def test_batches_are_a_pure_function_of_the_step_and_hold_no_truth(part):
    load, again = (infrared.translating_loader(part, CFG, 3) for _ in range(2))
    later = {step: load(step) for step in (7, 2, 90)}
    for step in (90, 2, 7):
        one = again(step)
        assert one.keys() == {"vis", "nir"}
        assert all(torch.equal(one[name], later[step][name]) for name in one)
    assert not torch.equal(later[2]["vis"], later[7]["vis"])
    assert not torch.equal(infrared.translating_loader(part, CFG, 4)(2)["nir"], later[2]["nir"]), "another seed"
    assert later[2]["vis"].shape == (5, 3, SIZE, SIZE) and later[2]["nir"].shape == (5, 1, SIZE, SIZE)


def test_each_heap_gives_its_own_people(part, monkeypatch):
    monkeypatch.setattr(type(CFG), "view", 0.0)
    (vis, nir), load = infrared.divided(part), infrared.translating_loader(part, CFG, 0)
    for step in range(3):
        batch = load(step)
        assert set(picture_of(part, batch["vis"], part.vis, 3)) <= set(vis)
        assert set(picture_of(part, batch["nir"], part.nir, 1)) <= set(nir)


def test_the_truth_is_that_of_each_picture_and_moves_with_it(part):
    told = dataclasses.replace(CFG, lambda_pixel=1.0)
    batch = infrared.translating_loader(part, told, 0)(1)
    assert batch["truth"].shape == batch["nir"].shape
    rows = picture_of(part, batch["vis"], part.vis, 3)
    assert [part.counterpart[row] for row in rows] == picture_of(part, batch["truth"], part.nir, 1)
    plain = infrared.translating_loader(part, CFG, 0)(1)
    assert torch.equal(plain["vis"], batch["vis"]), "being told changes nothing else"
    itself = dataclasses.replace(part, counterpart={row: row for row in part.vis})
    same = infrared.translating_loader(itself, told, 0)(1)
    torch.testing.assert_close(same["truth"], to_channels(same["vis"], 1), atol=0.03, rtol=0)
    few = dict(list(part.counterpart.items())[:9])
    for known in ({}, few):  # a set without any, and one joined with another that has none
        with pytest.raises(BadConfig, match="no pairs of"):
            infrared.translating_loader(dataclasses.replace(part, counterpart=known), told, 0)


def test_only_visible_pictures_are_equalised_and_after_they_were_moved(part):
    plain, made = (
        infrared.translating_loader(part, dataclasses.replace(CFG, equalise=on), 0)(4) for on in (False, True)
    )
    assert torch.equal(plain["nir"], made["nir"]) and not torch.equal(plain["vis"], made["vis"])
    torch.testing.assert_close(made["vis"], equalised(plain["vis"]))


def test_an_empty_heap_is_refused(part):
    with pytest.raises(LayoutError):
        infrared.translating_loader(dataclasses.replace(part, nir=()), CFG, 0)
    with pytest.raises(LayoutError):
        infrared.translating_loader(dataclasses.replace(part, vis=()), CFG, 0)


# ------------------------------------------------------------------------------------------- trials
def test_a_trial_shows_everybody_once_beside_the_counterpart():
    held = infrared.domains(DATA, "test", SIZE)
    trial = infrared.nir_trials(DATA, CFG)[DATA]
    assert sorted(trial.identities) == sorted(people(held, held.vis)) and trial.whole
    assert trial.occluded.shape[1:] == (3, SIZE, SIZE) and trial.truth.shape[1:] == (1, SIZE, SIZE)
    rows = picture_of(held, trial.occluded, held.vis, 3)
    assert torch.equal(trial.truth, to_channels(held.cache.batch([held.counterpart[row] for row in rows]), 1))
    assert tuple(infrared.judged_people(DATA, 100)) == trial.identities
    assert len(infrared.nir_trials(DATA, CFG, 2)[DATA]) == 2


def test_every_variant_is_judged_on_the_same_aligned_faces():
    raw = dataclasses.replace(CFG, align=False)
    one, other = (infrared.nir_trials(DATA, cfg)[DATA] for cfg in (CFG, raw))
    assert torch.equal(one.occluded, other.occluded) and torch.equal(one.points, other.points)
    eyes = one.points[:, 36:48].mean(1)
    assert (eyes - eyes.mean(0)).abs().max() < 0.5, "eyes at one place"
    looked = [infrared.held_out_trial(DATA, cfg, 8, 0) for cfg in (CFG, raw)]
    assert not torch.equal(looked[0].occluded, looked[1].occluded), "while training it is looked at as it learns"


@pytest.fixture(scope="module")
def blind():
    """Test people without counterparts; the first infrared picture of each is that of another pose."""
    held = infrared.domains(DATA, "test", SIZE, align=False)
    return dataclasses.replace(held, counterpart={}, nir=held.nir[::-1])


def test_without_counterparts_another_picture_of_the_same_person_stands_in(blind):
    trial = infrared.nir_trial(blind, 9, 3, "t")
    shown, found = picture_of(blind, trial.occluded, blind.vis, 3), picture_of(blind, trial.truth, blind.nir, 1)
    assert tuple(blind.identity(row) for row in found) == trial.identities
    assert trial.truth_is == "another picture" and not trial.pixelwise
    for rows, points in ((shown, trial.shown_points), (found, trial.points)):
        assert torch.equal(points, torch.stack([blind.points(row, SIZE) for row in rows]))
    assert not torch.equal(trial.points, trial.shown_points)
    known = infrared.nir_trial(infrared.domains(DATA, "test", SIZE), 9, 3, "t")
    assert known.truth_is == "rendered" and known.pixelwise and known.made_points is known.points


def test_another_picture_is_not_held_against_an_answer_pixel_by_pixel(blind, monkeypatch):
    trial, cut = infrared.nir_trial(blind, 9, 3, "t"), []
    described = lambda images, points: cut.append(points) or torch.eye(len(images), 128)  # noqa: E731
    monkeypatch.setattr(evaluation, "descriptors", described)
    restore = lambda images: (to_channels(images, 1), None, to_channels(images, 1))  # noqa: E731
    table, _ = evaluation.evaluate({"m": restore}, trial, net=None)
    assert set(table["m"]) == set(table["input"]) == {"sharpness", "identity", "rank1", "identity_gain"}
    assert torch.equal(cut[0], trial.points) and all(torch.equal(points, trial.shown_points) for points in cut[1:])
    assert "| m |" in evaluation.table_text(table)
    assert set(validation.validator(restore, trial, Engine())(0)) == {"sharpness"}


def test_whoever_has_a_counterpart_keeps_it_beside_people_of_a_set_without():
    held = infrared.domains(DATA, "test", SIZE)
    first = held.identity(held.vis[0])
    half = {row: other for row, other in held.counterpart.items() if held.identity(row) == first}
    trial = infrared.nir_trial(dataclasses.replace(held, counterpart=half), 99, 3, "t")
    assert set(trial.identities) == people(held, held.vis) and not trial.pixelwise
    row = picture_of(held, trial.occluded[[trial.identities.index(first)]], held.vis, 3)[0]
    mine = trial.truth[trial.identities.index(first)]
    assert torch.equal(mine, to_channels(held.cache.batch([held.counterpart[row]]), 1)[0])


def test_a_truth_that_was_computed_from_a_photograph_is_called_simulated(part):
    photos = InfraredPhotographs("p:nir", Path("/p"), [Item(Path("/p/a"), "a")] * 2)
    other = open_dataset(DATA)
    cases = {
        "simulated": photos, "rendered": other, "": FaceDataset("casia", Path("/c"), photos.items),
    }  # fmt: skip
    for word, dataset in cases.items():
        for whole in (
            dataset,
            AlignedFaces("x", Path("/x"), dataset.items, base=dataset),
            FinelyDrawn("f", Path("/f"), dataset.items, base=dataset),
        ):
            both = JoinedFaces("j", Path("/j"), dataset.items + other.items, parts=[whole, other])
            for last in (whole, both):
                cache = dataclasses.replace(part.cache, dataset=last, indices=np.array([0, 1]))
                assert infrared.Domains(cache, (0,), (1,), {}).made(1) == word


def test_the_row_of_whoever_does_nothing_is_luminance():
    trial = infrared.nir_trials(DATA, CFG)[DATA]
    assert torch.equal(trial.untouched, to_channels(trial.occluded, 1))
    mean = task("vis2nir").mean(DATA, SIZE, 3)
    rows = evaluation.fills(trial, mean)
    assert mean.shape == (1, SIZE, SIZE) and set(rows) == {"input", "mean face"}
    assert all(row.shape == trial.truth.shape for row in rows.values())
    values = evaluation.measure(rows["input"], trial)
    assert values["psnr_gain"].abs().max() == 0 and values["psnr"].isfinite().all()


# ------------------------------------------------------------------------------------------- a run
def test_a_short_run_writes_weights_and_its_card(tmp_path):
    cfg = dataclasses.replace(CFG, steps=3, width=4, critic_width=4)
    outcome, _ = training.train("vis2nir", cfg, DATA, out=tmp_path, progress=False)
    card = json.loads((tmp_path / "metrics.json").read_text())
    assert outcome.step == 3 and card["people"] == 20 and card["kinds"] == ["visible and near-infrared faces, unpaired"]
    part = infrared.domains(DATA, "train", SIZE)
    heaps = zip(("vis", "nir"), infrared.divided(part), strict=True)
    said = {kind: {"pictures": len(rows), "people": len(people(part, rows))} for kind, rows in heaps}
    assert card["split"]["train"] == said and said["vis"]["pictures"] + said["nir"]["pictures"] == len(part)
    assert len(part) + card["split"]["val"] + card["split"]["test"] == 160 and "val_psnr" in card["validation"]
    model, read = vis2nir.load(tmp_path / "weights.safetensors")
    assert read == cfg and list(tmp_path.glob("grid_*.png"))
    with pytest.raises(BadConfig, match="draws nothing"):
        task("vis2nir").loader(DATA, cfg, 0, ["a cutout"])


@pytest.fixture
def casia(tmp_path, monkeypatch):
    """Rendered people in CASIA's tree, two pictures of each in each light, never the same moment."""
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    source, names = open_dataset("synth:14:nir"), {"vis": ("VIS", "jpg"), "nir": ("NIR", "bmp")}
    for kind, first in (("vis", 0), ("nir", 2)):
        folder, ending = names[kind]
        for who in range(14):
            for k in range(2):
                picture = to_pil(source.at(source.groups[kind][8 * who + first + k], 64, 3))
                path = tmp_path / "data" / "casia" / "s1" / folder / f"{who + 1:05d}" / f"{k + 1:03d}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)


def test_who_owns_casia_trains_with_one_command(casia, tmp_path, capsys, monkeypatch):
    def missing(*args):
        raise MissingPart("dlib", "Install it")

    monkeypatch.setattr(landmarks, "find_landmarks", missing)  # a run that aligns nothing needs none of it
    part = infrared.domains("casia", "train", SIZE, align=False)
    vis, nir = infrared.divided(part)
    assert vis and nir and not part.counterpart
    words = "train vis2nir --profile smoke --data casia --steps 2 --set align=false --set width=4 --set critic_width=4"
    assert cli.main([*words.split(), "--out", str(tmp_path / "run")]) == 0
    card = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert card["data"] == "casia" and card["people"] == 14 and card["split"]["val"] > 0
    assert card["split"]["train"]["vis"] == {"pictures": len(vis), "people": len(people(part, vis))}
    assert set(card["validation"]) == {"step", "val_sharpness"}, "nothing is held against another picture"
    refused = [*words.split(), "--set", "lambda_pixel=1.0", "--out", str(tmp_path / "told")]
    assert cli.main(refused) == 2 and "no pairs of" in capsys.readouterr().err and not (tmp_path / "told").exists()
    aligned = [*words.split(), "--set", "align=true", "--out", str(tmp_path / "aligned")]
    assert cli.main(aligned) == 1 and "dlib" in capsys.readouterr().err and not (tmp_path / "aligned").exists()
    wanted = {"train": dataclasses.replace(CFG, lambda_pixel=1.0), "": CFG}
    assert [infrared.lacking(cfg, "casia") for cfg in wanted.values()] == ["no pairs in casia", ""]
    assert not infrared.lacking(wanted["train"], DATA)


def test_weights_are_kept_where_their_card_cannot_be_finished(tmp_path, monkeypatch):
    def lost(*args):
        raise LayoutError("/data", "pictures", "none", "They were there a minute ago.")

    monkeypatch.setattr(training, "training_card", lost)
    cfg = dataclasses.replace(CFG, steps=2, width=4, critic_width=4)
    with pytest.raises(LayoutError, match="a minute ago"):
        training.train("vis2nir", cfg, DATA, out=tmp_path, progress=False)
    assert vis2nir.load(tmp_path / "weights.safetensors")[1] == cfg
