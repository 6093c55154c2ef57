"""Turned faces: the batches, the trials and their gallery, and how they are measured."""

from __future__ import annotations

import dataclasses
import json
import types
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from facelab.data import matches, splits
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import Item
from facelab.data.synth import open_synth, write_synth
from facelab.data.turned import turned
from facelab.errors import BadCheckpoint, BadConfig, BadWeights, LayoutError
from facelab.metrics.baselines import mean_face
from facelab.nets.face_network import FaceNetwork
from facelab.restoration import Restoration
from facelab.studies import evaluation, face_network, protocol, training, turning, turning_trials
from facelab.studies.ablation import stock
from facelab.studies.tasks import task
from facelab.systems import frontalize
from facelab.train.engine import Engine

DATA, SIZE = "synth:16", 32
CFG = types.SimpleNamespace(size=SIZE, channels=3)


@pytest.fixture(scope="module")
def part():
    return turning.pairs(DATA, "train", SIZE, matched=True)


@pytest.fixture(scope="module")
def trials():
    return turning_trials.turned_trials(DATA, CFG, 4)


def place_of(part, batch, k):
    """Which pair the k-th of a batch is, and whether it is mirrored, by its frontal face."""
    for place, (_, front) in enumerate(part.rows):
        picture = part.cache.batch([front])[0]
        for mirrored in (False, True):
            if torch.equal(batch["front"][k], picture.flip(-1) if mirrored else picture):
                yield place, mirrored


# ------------------------------------------------------------------------------------------- batches
def test_batches_are_a_pure_function_of_the_step(part):
    load, again = (turning.turning_loader(part, 5, 3) for _ in range(2))
    later = {step: load(step) for step in (7, 2, 90)}
    for step in (90, 2, 7):
        one = again(step)
        assert one.keys() == {"side", "front", "angle", "who", "match"}
        assert all(torch.equal(one[name], later[step][name]) for name in one)
    assert not torch.equal(later[2]["side"], later[7]["side"])
    assert not torch.equal(turning.turning_loader(part, 5, 4)(2)["side"], later[2]["side"]), "another seed"
    assert later[2]["side"].shape == (5, 3, SIZE, SIZE) and later[2]["angle"].dtype == torch.int64
    assert later[2]["side"].abs().max() <= 1 and later[2]["match"].shape == (5, 3, 32, 32)


def test_the_frontal_face_is_never_moved(part, monkeypatch):
    monkeypatch.setattr(turning, "GREY", 0.0)
    load = turning.turning_loader(part, 6, 0, view_until=2)
    for step, still in ((0, False), (1, False), (2, True), (3, True)):
        batch = load(step)
        for k in range(6):
            found = list(place_of(part, batch, k))
            assert found, "the frontal face, or its mirror image, to the last bit"
            sides = [part.cache.batch([part.rows[place][0]])[0] for place, _ in found]
            sides = [side.flip(-1) if mirrored else side for side, (_, mirrored) in zip(sides, found, strict=True)]
            assert any(torch.equal(side, batch["side"][k]) for side in sides) == still


def angles_fit(part, batch):
    """Whether every angle is that of its pair, mirrored with the picture."""
    fits = []
    for k, angle in enumerate(batch["angle"].tolist()):
        found = [(place, m) for place, m in place_of(part, batch, k) if _is_side(part, batch, k, place, m)]
        fits.append(any(angle == (12 - part.angles[place] if m else part.angles[place]) for place, m in found))
    return all(fits)


def _is_side(part, batch, k, place, mirrored):
    side = part.cache.batch([part.rows[place][0]])[0]
    return torch.equal(batch["side"][k], side.flip(-1) if mirrored else side)


def test_the_angle_is_mirrored_with_the_picture(part, monkeypatch):
    monkeypatch.setattr(turning, "GREY", 0.0)
    batch = turning.turning_loader(part, 16, 0, view_until=0)(0)
    assert angles_fit(part, batch)
    assert len(set(batch["angle"].tolist())) > 3
    keep = turning.mirrored
    monkeypatch.setattr(turning, "mirrored", lambda given, which: keep(given, which) | {"angle": given["angle"]})
    broken = turning.turning_loader(part, 16, 0, view_until=0)(0)
    assert torch.equal(broken["side"], batch["side"]) and not angles_fit(part, broken), "the control"


def test_who_is_shown_is_the_person_of_the_pair(part, monkeypatch):
    monkeypatch.setattr(turning, "GREY", 0.0)
    assert len(set(zip(part.who, part.identities, strict=True))) == len(set(part.who)) == len(set(part.identities)) > 3
    batch = turning.turning_loader(part, 12, 0)(0)
    assert batch["who"].dtype == torch.int64
    for k, who in enumerate(batch["who"].tolist()):
        assert who in {part.who[place] for place, _ in place_of(part, batch, k)}


def test_some_pairs_lose_their_colour_on_both_sides(part):
    batch = turning.turning_loader(part, 64, 0)(0)
    spread = lambda pictures: (pictures.amax(1) - pictures.amin(1)).amax((1, 2))  # noqa: E731
    colourless = [spread(batch[name]) < 1e-6 for name in ("side", "front")]
    assert torch.equal(*colourless) and 1 <= colourless[0].sum() <= 20
    grey = {"side": batch["side"][:, :1], "front": batch["front"][:, :1]}
    assert turning.greyed(grey, torch.ones(64, dtype=torch.bool)) is grey


def found_again(batch, match):
    """How like the frontal face the turned one is, read where a match says, at places that are seen."""
    here = turning.places(32, 32)[None]
    read = F.grid_sample(batch["side"], (here + match[:, :2]).permute(0, 2, 3, 1), align_corners=False)
    seen = (match[:, 2:] > 0.5).expand_as(read)
    front = F.interpolate(batch["front"], (32, 32), mode="area")
    return torch.corrcoef(torch.stack([read[seen], front[seen]]))[0, 1].item()


def test_matches_are_moved_and_mirrored_with_the_pictures(part):
    batch = turning.turning_loader(part, 32, 0)(1)
    right = found_again(batch, batch["match"])
    opposite = batch["match"] * torch.tensor([-1.0, 1.0, 1.0]).view(1, 3, 1, 1)
    nothing = batch["match"] * torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    assert right > 0.6 and right > found_again(batch, nothing) + 0.1 > found_again(batch, opposite)


def test_nobody_is_in_two_splits():
    people = [set(turning.pairs(DATA, name, SIZE).identities) for name in splits.SPLITS]
    assert all(people) and sum(map(len, people)) == len(set.union(*people)) == 16


def test_an_angle_is_that_of_the_nearest_camera(part):
    dataset = part.cache.dataset
    for place in range(0, len(part), 9):
        yaw = dataset.known_yaw(int(part.cache.indices[part.rows[place][0]]))
        assert abs(90 - 15 * part.angles[place] - yaw) <= 7.5


def test_what_has_no_pairs_or_nobody_is_refused():
    with pytest.raises(LayoutError, match="synth:600, lfw:turned"):
        turning.pairs("orl", "train", SIZE)
    assert len(turning.pairs("synth:1", "val", SIZE)) == 0, "a card may say 0"
    for ask in (turning_trials.held_out_trial, turning_trials.turned_trials):
        with pytest.raises(LayoutError, match="larger set"):
            ask("synth:1", CFG, 4, 0)
    with pytest.raises(BadConfig, match="cutouts"):
        task("frontalize").loader(DATA, CFG, 0, [object()])


# ------------------------------------------------------------------------------------------- trials
def aside(points):
    """How far the tips of noses (N,) lie to the right of the middle of the faces, pixels."""
    return points[:, 30, 0] - points[:, :17, 0].mean(1)


def test_everybody_once_a_yaw_and_sides_in_turn(trials):
    assert list(trials) == ["45°", "15°", "30°", "60°", "75°", "90°", turning_trials.LIT]
    people = trials["45°"].identities
    assert list(people) == turning_trials.judged_people(DATA, 4) and len(set(people)) == 4 == len(people)
    held_out = {open_dataset(DATA).items[k].identity for k in splits.split(open_dataset(DATA), "test")}
    assert set(people) <= held_out
    for name, test in trials.items():
        assert test.whole and not test.given and test.identities == people and set(test.kinds) == {name}
        assert torch.equal(test.truth, trials["45°"].truth), "one gallery"
        assert test.hole.shape == (4, 1, SIZE, SIZE) and test.hole.all()
        turn = aside(test.shown_points)
        if name == turning_trials.LIT:
            assert turn.abs().max() < 2 and not torch.equal(test.occluded, test.truth)
        else:
            assert (turn[1::2] > 0).all() and (turn[::2] < 0).all(), "odd places to the image's right"
    assert (aside(trials["60°"].shown_points).abs() > aside(trials["15°"].shown_points).abs()).all()


def test_the_gallery_is_of_different_people(trials):
    truth = trials["45°"].truth
    apart = (truth[:, None] - truth[None]).abs().flatten(2).mean(2)
    assert (apart + torch.eye(4) > 0.03).all()


def test_trials_are_the_same_again_and_lights_follow_the_seed(trials):
    again, other = (turning_trials.turned_trials(DATA, CFG, 4, seed) for seed in (1, 2))
    assert torch.equal(again["30°"].occluded, trials["30°"].occluded)
    assert not torch.equal(other["30°"].occluded, trials["30°"].occluded)
    assert torch.equal(other["30°"].truth, trials["30°"].truth)


def test_photographs_are_turned_by_so_much(monkeypatch):
    pytest.importorskip("dlib")
    orl = open_dataset("orl")
    held_out = [item for item in orl.items if splits.split_of("orl", item) == "test"]
    faces = turned(dataclasses.replace(orl, items=held_out[::4]))
    found = turning_trials.photo_trials(faces, "test", SIZE, 1, 5)
    assert list(found) == ["45°", "15°", "30°", "60°"], "no further than photographs can be turned"
    people = found["45°"].identities
    assert len(set(people)) == 5 == len(people) and set(people) <= {item.identity for item in held_out}
    for name, test in found.items():
        for k, who in enumerate(people):
            first = next(j for j, item in enumerate(faces.items) if item.identity == who)
            assert torch.equal(test.truth[k], faces.at(first, SIZE, 1)), "the first photograph, as it is"
        moved = aside(test.shown_points) - aside(test.points)
        assert (moved[1::2] > 0).all() and (moved[::2] < 0).all() and test.whole
        assert (test.occluded - test.truth).abs().mean() > 0.02, name
    monkeypatch.setattr(turning_trials, "open_dataset", lambda name: faces)
    assert turning_trials.judged_people("orl:turned", 5) == list(people)
    assert list(turning_trials.turned_trials("orl:turned", types.SimpleNamespace(size=SIZE, channels=1), 5)) == list(
        found
    )


def test_trials_of_a_set_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    rendered = open_synth(12, 14)
    kept = [k for k, shot in enumerate(rendered.shots) if shot.is_target or shot.camera in (1, 4, 10, 13, 14, 15)]
    few = dataclasses.replace(
        rendered, items=[rendered.items[k] for k in kept], shots=[rendered.shots[k] for k in kept]
    )
    write_synth(tmp_path / "kface", few, 16, lambda done, total: None)
    found = turning_trials.turned_trials("kface", types.SimpleNamespace(size=16, channels=3), 100)
    assert set(found) <= {"45°", "90°"} and found, "yaws that the set has, seen from the height of the eyes"
    dataset = open_dataset("kface")
    held_out = {dataset.items[k].identity for k in splits.split(dataset, "test")}
    for test in found.values():
        assert test.whole and len(set(test.identities)) == len(test) and set(test.identities) <= held_out
    first = next(iter(found.values()))
    assert turning_trials.judged_people("kface", 100) == list(first.identities)


def toy_part(*seen):
    """Pairs of people seen from some yaws, (who, yaw) each."""
    dataset = types.SimpleNamespace(
        items=[Item(Path(f"{k}.jpg")) for k in range(len(seen))], known_yaw=lambda index: seen[index][1], root="toy"
    )
    cache = types.SimpleNamespace(dataset=dataset, indices=range(len(seen)))
    return turning.Pairs(cache, tuple((k, 0) for k in range(len(seen))), (), tuple(who for who, _ in seen))


def test_sides_alternate_where_a_set_has_both():
    both = [(who, yaw) for who in "abcd" for yaw in (45.0, -45.0, 30.0)]
    chosen = turning_trials._of_each_yaw(toy_part(*both), 9)
    assert {yaw: [both[k] for k in places] for yaw, places in chosen.items()} == {
        45: [("a", -45.0), ("b", 45.0), ("c", -45.0), ("d", 45.0)],
        30: [(who, 30.0) for who in "abcd"],
    }
    assert list(chosen) == [45, 30] and len(turning_trials._of_each_yaw(toy_part(*both), 2)[45]) == 2
    with pytest.raises(LayoutError, match="turned by 45°"):
        turning_trials._of_each_yaw(toy_part(("a", 5.0)), 9)


def test_a_trial_survives_the_stock(tmp_path, trials):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE)
    path = stock.fill_trials(tmp_path / "trials.pt", "frontalize", DATA, cfg, 4)
    kept = stock.trials(path)
    assert list(kept) == list(trials)
    for name, (test, known) in kept.items():
        for key, value in vars(trials[name]).items():
            same = torch.equal(value, vars(test)[key]) if isinstance(value, torch.Tensor) else value == vars(test)[key]
            assert same, key
        assert known is None or known.shape == (4, 128)


def test_the_mean_face_is_of_training_people_from_the_front(part):
    mean = turning_trials.mean_frontal(DATA, SIZE, 3)
    fronts = sorted({front for _, front in part.rows})
    people = {part.cache.dataset.items[int(part.cache.indices[row])].identity for row in fronts}
    assert people == set(part.identities), "of everybody who is trained on, and of nobody else"
    assert all(part.cache.dataset.shots[int(part.cache.indices[row])].is_target for row in fronts)
    assert torch.equal(mean, mean_face(part.cache, fronts))
    assert not torch.allclose(mean, mean_face(part.cache, range(len(part.cache))), atol=0.02), "the control"


# ------------------------------------------------------------------------------------------- measures
def test_rank1_known_answers():
    gallery = torch.randn(30, 128, generator=torch.Generator().manual_seed(0))
    assert evaluation.rank1(gallery, gallery).equal(torch.ones(30))
    assert evaluation.rank1(gallery.roll(1, 0), gallery).equal(torch.zeros(30))
    half = torch.cat([gallery[:15], gallery[15:].roll(1, 0)])
    assert evaluation.rank1(half, gallery).tolist() == [1.0] * 15 + [0.0] * 15
    near = gallery[:2] + torch.tensor([[1e-4], [0.0]])
    assert evaluation.rank1(torch.stack([gallery[0], gallery[0]]), torch.stack([gallery[0], near[0]])).tolist() == [
        1,
        0,
    ]


def test_an_answer_that_is_no_number_is_nobody():
    gallery = torch.randn(3, 128, generator=torch.Generator().manual_seed(0))
    broken = torch.full((3, 128), torch.nan)
    assert evaluation.rank1(broken, gallery).sum() == 0
    assert evaluation.rank1(gallery, torch.cat([broken[:1], gallery[1:]])).tolist() == [0.0, 1.0, 1.0]


def test_rows_of_a_whole_trial(trials):
    pytest.importorskip("dlib")
    test = trials["45°"]
    models = {
        "perfect": lambda shown: Restoration(test.truth, None, test.truth),
        "somebody else": lambda shown: Restoration(test.truth.roll(1, 0), None, test.truth.roll(1, 0)),
    }
    mean = turning_trials.mean_frontal(DATA, SIZE, 3)
    nothing = lambda shown: Restoration(shown, None, shown)  # noqa: E731
    table, values = evaluation.evaluate(models | {"nothing": nothing}, test, mean=mean, net=None)
    assert list(table) == ["input", "mean face", *models, "nothing"], "no biharmonic row, none of raw outputs"
    assert table["perfect"]["rank1"]["mean"] == 1 and table["perfect"]["identity"]["mean"] < 1e-6
    assert torch.isinf(values["perfect"]["psnr"]).all()
    assert table["somebody else"]["identity"]["mean"] > 0.1
    assert "iou" not in table["perfect"] and table["nothing"]["psnr_gain"]["mean"] == 0
    assert torch.equal(values["nothing"]["psnr"], values["input"]["psnr"])
    assert not torch.equal(values["nothing"]["identity"], values["input"]["identity"]), "the input's own landmarks"
    blind = evaluation.evaluate(models, test, net=None, identity=False)[0]
    assert list(blind) == ["input", *models] and "rank1" not in blind["perfect"]


def test_only_whole_trials_ask_who_it_is(trials):
    test = dataclasses.replace(trials["45°"], whole=False)
    known = torch.zeros(4, 128)
    measured = lambda one: evaluation.measure(one.truth, one, known=known)  # noqa: E731
    pytest.importorskip("dlib")
    assert "rank1" not in measured(test) and "rank1" in measured(trials["45°"])
    assert list(evaluation.fills(test, None, biharmonic=False)) == ["input"]


# ------------------------------------------------------------------------------------------- runs
@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, blocks=1, steps=6, batch=4, feature_net="none")
    training.train("frontalize", cfg, DATA, out=folder, device="cpu", progress=False)
    return folder


def test_copies_are_not_trained_on_what_has_no_matches(monkeypatch):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE)
    monkeypatch.setattr(turning, "matches", lambda dataset: None)
    with pytest.raises(BadConfig, match="copy=false"):
        turning.training_loader(DATA, cfg, 0)
    batch = turning.training_loader(DATA, dataclasses.replace(cfg, copy=False), 0)(0)
    assert "match" not in batch


def test_a_run_is_not_gone_on_with_beside_another_face_network(tmp_path, monkeypatch):
    nets = iter(FaceNetwork(3, 8).eval() for _ in range(2))
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, blocks=1, steps=4, batch=4, face_steps=2, face_width=8)
    monkeypatch.setattr(face_network, "face_network", lambda *_: next(nets))
    training.train("frontalize", cfg, DATA, out=tmp_path, device="cpu", progress=False, seconds=0.0)
    with pytest.raises(BadCheckpoint, match="nets"):
        training.train("frontalize", cfg, DATA, out=tmp_path, device="cpu", progress=False)


def test_a_run_that_begins_with_weights_hears_their_face_network(tmp_path, monkeypatch):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, blocks=1, steps=2, batch=4, face_steps=2, face_width=8)
    cfg = dataclasses.replace(cfg, face_told=True)
    net = FaceNetwork(3, 8).eval()
    monkeypatch.setattr(face_network, "face_network", lambda *_: net)
    quiet = dict(device="cpu", progress=False)
    training.train("frontalize", cfg, DATA, out=tmp_path / "a", **quiet)
    monkeypatch.delattr(face_network, "face_network")  # none is trained
    begun = dict(start=tmp_path / "a" / "weights.safetensors", **quiet)
    _, model = training.train("frontalize", dataclasses.replace(cfg, size=2 * SIZE), DATA, out=tmp_path / "b", **begun)
    for face in (model.embed[0], model.G.face):
        apart = [(a - b).abs().max() for a, b in zip(face.parameters(), net.parameters(), strict=True)]
        assert max(apart) < 1e-3, "the same, in half precision"
    with pytest.raises(BadWeights, match="another network.*--set face_width=8$"):
        training.train("frontalize", dataclasses.replace(cfg, face_width=16), DATA, out=tmp_path / "c", **begun)
    with pytest.raises(BadWeights, match="--set width=8 --set encoder=none$"):
        other = dataclasses.replace(cfg, width=16, encoder="effnet-lite0")
        training.train("frontalize", other, DATA, out=tmp_path / "c", **begun)


def test_a_face_network_that_the_decoder_is_not_told_by_is_trained_anyhow(monkeypatch):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, face_steps=2, face_width=8)
    monkeypatch.setattr(face_network, "face_network", lambda *_: "trained")
    monkeypatch.setattr(face_network, "told_by", lambda *_: "told")
    nets = lambda cfg, start: task("frontalize").nets(DATA, cfg, Engine(), start)["embed"]  # noqa: E731
    told = dataclasses.replace(cfg, face_told=True)
    found = [nets(cfg, None), nets(cfg, "w"), nets(told, None), nets(told, "w")]
    assert found == ["trained", "trained", "trained", "told"]


def test_a_run_that_begins_with_weights_makes_pictures_at_once(tmp_path):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, blocks=1, steps=4, batch=4, paint_from=0.5)
    quiet = dict(device="cpu", progress=False)
    training.train("frontalize", cfg, DATA, out=tmp_path / "a", **quiet)
    training.train("frontalize", cfg, DATA, out=tmp_path / "b", start=tmp_path / "a" / "weights.safetensors", **quiet)
    first = [json.loads((tmp_path / run / "history.jsonl").read_text("utf-8").splitlines()[0]) for run in "ab"]
    assert "l1" not in first[0] and "l1" in first[1]
    assert json.loads((tmp_path / "b" / "metrics.json").read_text("utf-8"))["config"]["paint_from"] == 0.0


def test_a_run_stopped_while_only_flows_learn_goes_on_to_the_same_bits(tmp_path):
    cfg = frontalize.Config.for_profile("smoke", size=SIZE, blocks=1, steps=6, batch=4, paint_from=0.5)
    quiet = dict(device="cpu", progress=False, every=2)
    _, whole = training.train("frontalize", cfg, DATA, out=tmp_path / "whole", **quiet)
    with pytest.raises(KeyboardInterrupt):
        training.train("frontalize", cfg, DATA, out=tmp_path / "two", watch=_stop_at(2), **quiet)
    _, two = training.train("frontalize", cfg, DATA, out=tmp_path / "two", **quiet)
    parts = zip(whole.state_dict().values(), two.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in parts)


def _stop_at(step):
    def watch(model, cfg, held_out, engine):
        def look(done):
            if done > step:
                raise KeyboardInterrupt
            return {}

        return look

    return watch


def test_sets_of_which_none_knows_its_matches_know_none_together():
    part = types.SimpleNamespace(parts=(), pairs=[(0, 1)], known_match=lambda index, size: None)
    assert matches.matches(types.SimpleNamespace(parts=(part, part))) is None


def test_a_run_is_trained_and_says_what_of(run):
    card = json.loads((run / "metrics.json").read_text("utf-8"))
    sizes = {name: len(turning.pairs(DATA, name, SIZE)) for name in splits.SPLITS}
    assert card["split"] == sizes and card["people"] == 16 and card["doubtful_in_training"] == {}
    assert (
        card["kinds"] == ["turned faces"] and "val_gain" in card["validation"] and "val_iou" not in card["validation"]
    )
    assert list(run.glob("grid_*.png"))


def test_weights_are_evaluated_on_every_trial(run):
    found = protocol.evaluate_system("frontalize", run / "weights.safetensors", DATA, count=3, identity=False)
    assert list(found["trials"])[0] == "45°" and list(found["trials"])[-1] == turning_trials.LIT
    for name, trial in found["trials"].items():
        assert list(trial["rows"]) == ["input", "mean face", "frontalize"], name
        assert trial["count"] == trial["people"] == 3 and trial["kinds"] == {name: 3}
    assert "turned" in found["what"]
