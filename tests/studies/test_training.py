"""From a name to trained weights, and the evaluation of what came out."""

import dataclasses
import json
import shlex

import pytest
import torch
from safetensors.torch import load_file

from facelab import cli
from facelab.errors import BadCheckpoint, BadConfig, FacelabError, MissingPart
from facelab.studies import batches, evaluation, protocol, release, training, validation
from facelab.systems import mask_removal, oagan
from facelab.train.fit import Outcome
from facelab.train.weights import read_card


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cfg = training.configure("oagan", "smoke", "orl", {"steps": 12})
    training.train("oagan", cfg, "orl", out=folder, progress=False, every=6)
    return folder


def test_a_run_leaves_weights_card_history_and_pictures(run):
    card = read_card(run / "weights.safetensors")
    assert (card["system"], card["data"], card["steps"], card["seed"]) == ("oagan", "orl", 12, 0)
    assert card["split"]["test"] == 80
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert "val_gain" in rows[-1]
    assert len(list(run.glob("grid_*.png"))) == 2
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["val_gain"] == rows[-1]["val_gain"]
    assert (metrics["data"], metrics["seed"], metrics["steps"]) == ("orl", 0, 12)


def test_a_sparse_history_counts_the_steps_between_its_rows():
    every = [{"step": step, "seconds": 0.5} for step in range(1, 21)]
    assert training.training_seconds(every) == training.training_seconds(every[9::10]) == 10.0
    assert training.training_seconds([]) == 0.0


def test_evaluation_has_baselines_intervals_and_both_trials(run):
    result = protocol.evaluate_system("oagan", run / "weights.safetensors", "orl", count=8, identity=False)
    assert set(result["trials"]) == {"trained kinds", "unseen kinds"}
    for part in result["trials"].values():
        assert list(part["rows"])[:3] == ["input", "mean face in the true hole", "biharmonic in the true hole"]
        assert part["rows"]["input"]["psnr_gain"]["mean"] == 0
        assert part["rows"]["oagan"]["psnr"]["low"] <= part["rows"]["oagan"]["psnr"]["mean"]
        assert "iou" in part["rows"]["oagan"] and "iou" not in part["rows"]["input"]
    json.dumps(result, allow_nan=False)
    assert "| oagan |" in evaluation.table_text(part["rows"])


def test_a_run_is_released_with_what_was_measured(run, tmp_path, monkeypatch):
    fast = lambda *args, **more: protocol.evaluate_system(*args, identity=False, biharmonic=False, **more)  # noqa: E731
    monkeypatch.setattr(release, "evaluate_system", fast)
    monkeypatch.setattr(release, "weights_path", lambda name: tmp_path / f"{name}.safetensors")
    card = release.release("oagan", run, "orl", count=4)
    assert (tmp_path / "oagan.safetensors").read_bytes() == (run / "weights.safetensors").read_bytes()
    assert json.loads((tmp_path / "oagan.json").read_text("utf-8")) == card
    assert card["metrics"]["trials"]["trained kinds"]["count"] == 4 and "not measured" in card["metrics"]["natural"]


def test_without_dlib_the_holes_of_photographs_are_judged_all_the_same(run, monkeypatch):
    def study(restore, size, look_for_faces=False):
        if look_for_faces:
            raise MissingPart("dlib", "Install it")
        return {"share": 0.9}, ()

    monkeypatch.setattr(release, "masked_photographs_here", lambda channels: True)
    monkeypatch.setattr(release, "masked_study", study)
    found = release._natural("oagan", run / "weights.safetensors")
    assert found["share"] == 0.9 and "dlib" in found["faces not looked for"]


def test_a_row_beside_it_must_be_of_the_same_kind():
    card = {"data": "lfw", "config": {"size": 128, "channels": 3}}
    protocol.refuse_unlike(card, card, "L1 only", ["oagan"])
    for other in (card | {"data": "orl"}, card | {"config": {"size": 64, "channels": 3}}):
        with pytest.raises(BadConfig, match="L1 only"):
            protocol.refuse_unlike(card, other, "L1 only")
    with pytest.raises(BadConfig, match="no other row"):
        protocol.refuse_unlike(card, card, "oagan", ["oagan"])


def test_fid_stands_in_a_column_of_its_own(monkeypatch):
    """On a stand-in network: both distances are measured, and neither under the other's name."""
    from facelab.studies.parts import faces
    from facelab.studies.trials import trial

    test = trial(faces("orl", "test", 32), 100, 1)
    judge = lambda pictures: (pictures.float().mean((2, 3)),)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "FRECHET_LEAST", 10)
        table, _ = evaluation.evaluate({}, test, identity=False, biharmonic=False, inception=judge)
    assert table["input"]["fid"]["mean"] > 0 and table["input"]["frechet"]["mean"] != table["input"]["fid"]["mean"]
    plain, _ = evaluation.evaluate({}, test, identity=False, biharmonic=False)
    assert "fid" not in plain["input"]


def test_fid_is_refused_before_anything_is_fetched_and_a_trial_too_small_for_it_says_so(run, monkeypatch):
    fetched = []
    monkeypatch.setattr(protocol, "inception", lambda **more: fetched.append(more))
    ask = lambda **more: protocol.evaluate_system(  # noqa: E731
        "oagan", run / "weights.safetensors", "orl", identity=False, biharmonic=False, with_fid=True, **more
    )
    for count in (99, 256):  # orl has 80 test pictures, whatever is asked for
        with pytest.raises(BadConfig, match="FID"):
            ask(count=count)
    assert not fetched
    monkeypatch.setattr(protocol, "FRECHET_LEAST", 6)
    real = protocol.task("oagan").trials("orl", system_config(run), 8, 1, None)
    few = {label: shortened(test, 8 - 3 * place) for place, (label, test) in enumerate(real.items())}
    monkeypatch.setattr(protocol, "task", lambda name, own=protocol.task: dataclasses.replace(
        own(name), trials=lambda *args: few))  # fmt: skip
    trials = ask(count=8)["trials"]
    assert fetched and [trials[label].get("fid", "") for label in few] == [
        "",
        "not measured: 6 pictures or more are needed",
    ]
    assert not any("truth" in part for part in trials.values())


def system_config(run):
    return oagan.load(run / "weights.safetensors")[1]


def shortened(test, count):
    cut = lambda value: value[:count] if isinstance(value, torch.Tensor | tuple) and len(value) else value  # noqa: E731
    return type(test)(**{name: cut(value) for name, value in vars(test).items()})


def test_a_perfect_and_a_reversed_restorer():
    """Positive and negative control of the protocol itself."""
    from facelab.studies.parts import faces
    from facelab.studies.trials import trial

    test = trial(faces("orl", "test", 32), 12, 1)
    answers = iter([(test.truth, test.hole, test.truth), (test.truth, 1 - test.hole, test.truth)])
    table, values = {}, {}
    for name in ("perfect", "reversed"):
        image, hole, raw = next(answers)
        restore = lambda images, image=image, hole=hole, raw=raw: (image, hole, raw)  # noqa: E731
        part, some = evaluation.evaluate({name: restore}, test, net=None, identity=False, biharmonic=False)
        table |= part
        values |= some
    assert table["perfect"]["iou"]["mean"] == 1.0
    assert table["reversed"]["iou"]["mean"] < 0.05
    assert table["perfect"]["ssim"]["mean"] == pytest.approx(1, abs=1e-6)
    assert table["perfect"]["sharpness"]["mean"] == pytest.approx(1, abs=1e-6)
    best, worst = evaluation.best_and_worst({"psnr_gain": torch.tensor([3.0, 1.0, 2.0, 0.0])}, count=2)
    assert (best, worst) == ([0, 2], [3, 1])


def test_identity_gain_tells_a_small_step_for_everybody_from_a_shuffle(monkeypatch):
    """Two restorers with one mean distance: only the one that moves each face a little closer is surely better."""
    from facelab.studies.parts import faces
    from facelab.studies.trials import trial

    test = trial(faces("orl", "test", 32), 12, 1)
    apart = torch.linspace(0.1, 0.6, 12)
    distances = {"truth": torch.zeros(12), "input": apart, "closer": apart - 0.02, "shuffled": apart.flip(0) - 0.02}
    pictures = {"truth": test.truth, "input": test.occluded, "closer": test.truth + 0, "shuffled": test.truth + 0}

    def descriptors(images, points):
        name = next(name for name, picture in pictures.items() if picture is images)
        return torch.cat([distances[name][:, None], torch.zeros(12, 127)], 1)

    monkeypatch.setattr(evaluation, "descriptors", descriptors)
    monkeypatch.setattr(evaluation, "run_restore", lambda restore, images: (pictures[restore], test.hole, images * 0))
    table, _ = evaluation.evaluate({n: n for n in ("closer", "shuffled")}, test, net=None, biharmonic=False)
    gain = {name: row["identity_gain"] for name, row in table.items() if "identity_gain" in row}
    assert gain["closer"]["low"] == pytest.approx(0.02, abs=1e-4) == gain["shuffled"]["mean"]
    assert gain["shuffled"]["low"] < 0 == gain["input"]["mean"]


def test_own_cutouts_are_trained_with_named_in_the_card_and_kept_on_resume(tmp_path):
    import numpy as np
    from PIL import Image

    own = tmp_path / "own"
    own.mkdir()
    disc = np.full((16, 16, 4), 255, np.uint8)
    Image.fromarray(disc).save(own / "cup_1.png")
    cfg = training.configure("oagan", "smoke", "orl", {"steps": 4, "batch": 4})
    run = lambda **more: training.train("oagan", cfg, "orl", out=tmp_path / "run", progress=False, **more)  # noqa: E731
    with pytest.raises(FacelabError, match="no such folder"):
        run(cutouts=tmp_path / "nowhere")
    run(cutouts=own, seconds=0.0)
    with pytest.raises(BadCheckpoint, match=r"about cutouts \['cup_1 .*, not \[\]"):
        run()
    run(cutouts=own)
    assert read_card(tmp_path / "run" / "weights.safetensors")["kinds"][-1] == "cutouts (1 of your own)"


def weights_of(folder):
    return load_file(folder / "weights.safetensors")


def test_a_run_cut_again_and_again_ends_with_the_same_bits(tmp_path):
    """Loader, stages, small pictures and schedules with it, not only the nets."""
    changes = {"steps": 9, "batch": 4, "small_size": 32, "small_until": 0.4, "adversarial_from": 0.6}
    cfg = training.configure("oagan", "smoke", "orl", {**changes, "size": 64})
    run = lambda name, **more: training.train("oagan", cfg, "orl", out=tmp_path / name, progress=False, **more)  # noqa: E731
    run("whole")
    while run("cut", seconds=0.0)[0].step < 9:
        pass
    whole, cut = weights_of(tmp_path / "whole"), weights_of(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    steps = [json.loads(line)["step"] for line in (tmp_path / "cut" / "history.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 10))


def test_a_run_is_not_resumed_with_other_data_or_another_seed(tmp_path):
    cfg = training.configure("oagan", "smoke", "orl", {"steps": 4, "batch": 4})
    training.train("oagan", cfg, "orl", out=tmp_path, progress=False, seconds=0.0)
    with pytest.raises(BadCheckpoint, match="about seed 0, not 7"):
        training.train("oagan", cfg, "orl", out=tmp_path, progress=False, seed=7)
    with pytest.raises(BadCheckpoint, match="about data orl, not synth"):
        training.train("oagan", cfg, "synth", out=tmp_path, progress=False)


def test_looking_leaves_every_mode_as_it_was():
    net = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.BatchNorm2d(2).eval())
    seen = []
    look = validation.as_judged(net, lambda step: seen.append([part.training for part in net.modules()]))
    look(1)
    assert seen == [[False, False, False]]
    assert [part.training for part in net.modules()] == [True, True, False]


def test_an_identity_head_learns_from_the_people_trained_on(tmp_path):
    changes = {"steps": 3, "batch": 4, "complete_from": 0.0, "adversarial_from": 0.0, "natural_every": 0}
    people = 21  # of orl, without those kept for natural pictures
    with pytest.raises(BadConfig, match=f"classes.*{people}"):
        cfg = training.configure("oagan", "smoke", "orl", {**changes, "classes": 7})
        training.train("oagan", cfg, "orl", out=tmp_path)
    cfg = training.configure("oagan", "smoke", "orl", {**changes, "classes": people})
    training.train("oagan", cfg, "orl", out=tmp_path, progress=False)
    assert json.loads((tmp_path / "history.jsonl").read_text().splitlines()[-1])["class"] > 0


def test_the_command_names_its_run_folder_and_how_to_measure_what_lies_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *args, **more: (Outcome("done", 3, 1.25, {}), None))
    training.train_system("oagan", "smoke", "orl", out=tmp_path / "my run")
    said, advice = capsys.readouterr()
    record = json.loads(said)
    assert record == {
        "stopped": "done", "step": 3, "seconds": 1.2,
        "run": str(tmp_path / "my run"), "weights": str(tmp_path / "my run" / "weights.safetensors"),
    }  # fmt: skip
    words = shlex.split(advice.partition(": ")[2])
    args = cli.parser("evaluate").parse_args(words[1:])
    assert (words[0], args.system, args.weights, args.data) == ("facelab", "oagan", record["weights"], "orl")
    monkeypatch.setenv("RANK", "1")  # several processes, one line
    training.train_system("oagan", "smoke", "orl", out=tmp_path / "my run")
    assert capsys.readouterr() == ("", "")


def test_training_stops_resampling_when_its_configuration_says_so(tmp_path, monkeypatch):
    given, real = [], batches.occlusion_loader
    monkeypatch.setattr(batches, "occlusion_loader", lambda *a, **k: (given.append(k["view_until"]), real(*a, **k))[1])
    cfg = training.configure("oagan", "smoke", "orl", {"steps": 2, "view_until": 0.5})
    training.train("oagan", cfg, "orl", out=tmp_path, resume="never")
    assert given == [1] == [cfg.view_steps]


def test_unknown_system_is_refused():
    with pytest.raises(BadConfig, match="oagan"):
        training.system("oagon")


def test_a_network_trained_a_little_beats_an_untrained_one():
    from functools import partial

    from facelab.seeding import seed_all
    from facelab.studies.parts import faces
    from facelab.studies.trials import trial
    from facelab.train.engine import make_engine

    cfg = training.configure("oagan", "smoke", "orl", {"adversarial_from": 1.0})
    test = trial(faces("orl", "val", cfg.size), 16, 1)
    engine = make_engine("cpu", "fp32")
    seed_all(0)
    fresh = oagan.build(cfg)
    untrained = validation.validator(partial(oagan.restore, fresh), test, engine)(0)
    load = batches.training_loader("orl", cfg, 0)
    from facelab.train.state import State

    opts, state = oagan.optimizers(fresh, cfg), State(0, cfg.steps, cfg=cfg)
    for step in range(cfg.steps):
        state.step = step
        oagan.train_step(load(step), fresh, opts, state, engine)
    trained = validation.validator(partial(oagan.restore, fresh), test, engine)(cfg.steps)
    assert trained["psnr"] > untrained["psnr"] + 1


def test_a_run_begins_with_the_weights_it_is_given(tmp_path):
    """The generator, its average too; the card says with which, and going on with others is refused."""
    tiny = mask_removal.Config(
        size=32, width=8, hole_width=8, blocks=1, outline_blocks=0, encoder="none", critic_width=4, critic_downs=3,
        feature_net="none", batch=4, steps=2, learning_rate=1e-9, critic_learning_rate=1e-9,
    )  # fmt: skip
    quiet = {"progress": False, "device": "cpu"}
    _, first = training.train("mask_removal", tiny, "orl", out=tmp_path / "a", **quiet)
    begin = tmp_path / "a" / "weights.safetensors"
    _, second = training.train("mask_removal", tiny, "orl", seed=5, out=tmp_path / "b", start=begin, **quiet)
    _, fresh = training.train("mask_removal", tiny, "orl", seed=5, out=tmp_path / "c", **quiet)
    for net in (second.G, second.average):
        for name, value in net.state_dict().items():
            torch.testing.assert_close(value, first.best_generator().state_dict()[name], rtol=1e-2, atol=1e-3)
    far = [(fresh.G.state_dict()[n] - v).abs().max() for n, v in second.G.state_dict().items() if "weight" in n]
    assert max(far) > 0.05
    card = json.loads((tmp_path / "b" / "weights.json").read_text("utf-8"))
    assert card["start"]["sha256"] == json.loads(begin.with_suffix(".json").read_text("utf-8"))["sha256"]
    with pytest.raises(BadCheckpoint, match="start"):
        other = tmp_path / "c" / "weights.safetensors"
        training.train("mask_removal", tiny, "orl", seed=5, out=tmp_path / "b", start=other, **quiet)
