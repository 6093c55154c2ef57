"""Irregular holes in faces: the batches, the trials, and that whoever is judged on them is told the hole."""

import math

import pytest
import torch

from facelab.occlude.irregular import BUCKETS
from facelab.restoration import Restoration
from facelab.studies import evaluation, inpainting
from facelab.studies.parts import faces
from facelab.studies.tasks import task
from facelab.studies.training import configure, train
from facelab.studies.validation import validator
from facelab.systems import hog_inpaint
from facelab.train.engine import Engine


@pytest.fixture(scope="module")
def part():
    return faces("orl", "train", 32)


def test_a_step_gives_the_same_batch_again_and_another_another(part):
    load = inpainting.inpainting_loader(part, 6, 3)
    one, again, other = load(4), load(4), load(5)
    assert all(torch.equal(one[name], again[name]) for name in one) and set(one) == {"truth", "hole"}
    assert not torch.equal(one["truth"], other["truth"]) and not torch.equal(one["hole"], other["hole"])
    assert not torch.equal(one["truth"], inpainting.inpainting_loader(part, 6, 4)(4)["truth"])


def test_shares_follow_the_configuration():
    cfg = hog_inpaint.Config(size=32, batch=16, share_low=0.3, share_high=0.4)
    share = inpainting.training_loader("orl", cfg, 0)(0)["hole"].mean((1, 2, 3))
    assert share.min() >= 0.299 and share.max() <= 0.401


def test_early_steps_see_windows_of_the_same_pictures(part):
    load = inpainting.inpainting_loader(part, 4, 0, crop=16, crop_until=2)
    whole, small = inpainting.inpainting_loader(part, 4, 0)(1), load(1)
    assert small["truth"].shape == (4, 1, 16, 16) and load(2)["truth"].shape == (4, 1, 32, 32)
    for row in range(4):
        views = whole["truth"][row].unfold(1, 16, 1).unfold(2, 16, 1)[0]
        holes = whole["hole"][row].unfold(1, 16, 1).unfold(2, 16, 1)[0]
        there = (views == small["truth"][row, 0]).all(-1).all(-1) & (holes == small["hole"][row, 0]).all(-1).all(-1)
        assert there.any(), "cut out of picture and hole at one place"


def test_trials_are_fixed_told_and_of_nobody_trained_on(part):
    cfg = hog_inpaint.Config(size=32)
    trials = task("hog_inpaint").trials("orl", cfg, 12, 1, None)
    assert list(trials)[0] == "holes of 20 to 30 %" and len(trials) == len(BUCKETS)
    again = inpainting.hole_trials("orl", cfg, 12, 1)
    for label, trial in trials.items():
        assert trial.given and torch.equal(trial.hole, again[label].hole)
        assert not set(trial.identities) & {part.identity(place) for place in range(len(part))}
        low, high = (float(x) / 100 for x in label.removeprefix("holes of ").removesuffix(" %").split(" to "))
        share = trial.hole.mean((1, 2, 3))
        assert (share >= low - 1e-3).all() and (share <= high + 1e-3).all()
        hidden = trial.hole.expand_as(trial.truth) > 0
        assert trial.occluded[hidden].abs().max() == 0 and torch.equal(trial.occluded[~hidden], trial.truth[~hidden])


def test_who_is_judged_is_shown_the_hole():
    test = inpainting.hole_trial(faces("orl", "test", 32), 20, 0)

    def oracle(images, hole):
        place = (test.occluded[:, None] == images[None]).all(-1).all(-1).all(-1).float().argmax(0)
        truth = test.truth[place]
        assert torch.equal(hole, test.hole[place])
        return Restoration(truth, hole, truth)

    table, _ = evaluation.evaluate({"oracle": oracle}, test, net=None, identity=False, biharmonic=False)
    assert table["oracle"]["l1_hole"]["mean"] == 0 < table["input"]["l1_hole"]["mean"]
    assert "iou" not in table["oracle"], "it was told"
    found = validator(oracle, test, Engine())(0)
    assert math.isinf(found["psnr"]) and "iou" not in found


def test_a_short_run_learns_what_grey_does_not_know(tmp_path):
    cfg = configure("hog_inpaint", "smoke", "orl", {"start": "empty", "steps": 120})
    _, model = train("hog_inpaint", cfg, "orl", out=tmp_path, progress=False)
    test = inpainting.hole_trial(faces("orl", "test", 32), 20, 0)
    seen = {}
    untrained = hog_inpaint.build(cfg).eval()
    for name, net in (("trained", model.eval()), ("untrained", untrained)):
        out = hog_inpaint.restore(net, *test.shown)
        seen[name] = evaluation.measure(out.image, test)["psnr"].mean().item()
    assert seen["trained"] > seen["untrained"] + 2
    shown = hog_inpaint.load(tmp_path / "weights.safetensors")[0]
    torch.testing.assert_close(
        hog_inpaint.restore(shown, *test.shown).image, hog_inpaint.restore(model, *test.shown).image, atol=0.02, rtol=0
    )


def test_a_run_is_watched_with_what_a_user_has():
    cfg = hog_inpaint.Config(size=32, cell=4, critic_downs=3, true_until=1.0, feature_net="none")
    watched = task("hog_inpaint").held_out("orl", cfg, 4, 0)
    assert len(watched.shown) == 2, "the true guide is told in comparisons alone"
    assert len(inpainting.with_oracle(watched, cfg).shown) == 3
