"""Every system's own step: one process against two, and one run against an interrupted one."""

import dataclasses

import pytest
import torch

from facelab.occlude.irregular import irregular_holes
from facelab.seeding import generator, seed_all
from facelab.systems import frontalize, hog_inpaint, mask_removal, oagan, vis2nir
from facelab.train.engine import make_engine
from facelab.train.fit import fit
from facelab.train.launch import launch
from facelab.train.run import open_run
from facelab.train.state import State

SYSTEMS = {
    "oagan": (oagan, oagan.Config(
        size=32, channels=1, width=8, hole_width=8, critic_width=4, critic_downs=3, feature_net="none", batch=4,
        steps=6, adversarial_from=0.0, natural_every=2, classes=5, teacher=0.5, learning_rate=1e-4,
        critic_learning_rate=1e-4,
    )),
    "mask_removal": (mask_removal, mask_removal.Config(
        size=32, channels=1, width=8, hole_width=8, critic_width=4, critic_downs=3, feature_net="none", batch=4,
        steps=6, adversarial_from=0.0, region_from=0.4, natural_every=3, teacher=0.5, blocks=1, penalty_every=2,
        learning_rate=1e-4, critic_learning_rate=1e-4,
    )),
    "hog_inpaint": (hog_inpaint, hog_inpaint.Config(
        size=32, channels=1, width=8, blocks=1, predictor_width=8, predictor_blocks=1, critic_width=4, critic_downs=2,
        cell=4, feature_net="none", batch=4, steps=6, adversarial_from=0.0, joint=True, region=True,
        lambda_guide_adv=1.0, lambda_hog=10.0, penalty_every=2, learning_rate=1e-4, critic_learning_rate=1e-4, ema=0.9,
    )),
    "frontalize": (frontalize, frontalize.Config(
        size=32, channels=1, width=8, blocks=1, critic_width=4, feature_net="none", batch=4, steps=6,
        adversarial_from=0.0, critic_side=True, lambda_tv=0.01, penalty_every=2, learning_rate=1e-5,
        critic_learning_rate=1e-5, ema=0.9,  # behind heads that begin at zero its first gradients are hardly any
    )),
    "frontalize cvae": (frontalize, frontalize.Config(
        model="cvae", size=32, channels=1, width=8, feature_net="none", batch=4, steps=6, lambda_mse=1.0,
        learning_rate=1e-4, ema=0.9,
    )),
    "vis2nir": (vis2nir, vis2nir.Config(
        size=32, channels=1, width=8, blocks=1, critic_width=4, reach=16, feature_net="none", lambda_perceptual=0.0,
        lambda_identity_mapping=1.0, lambda_pixel=1.0, pool=0, batch=4, steps=6, learning_rate=1e-5,
        critic_learning_rate=1e-5, ema=0.9, norm="none", critic_norm="none",  # a bias before a norm moves by rounding
    )),
}  # fmt: skip
MATCHED = {  # what matches cost is a mean over all places of a batch that are seen: of two halves it is another one
    "frontalize, matched": (frontalize, dataclasses.replace(
        SYSTEMS["frontalize"][1], paint_from=0.6, adversarial_from=0.8, learning_rate=1e-4,
    )),
}  # fmt: skip
POOLED = {  # every process has pools of its own
    "vis2nir, pools": (vis2nir, dataclasses.replace(SYSTEMS["vis2nir"][1], pool=3, learning_rate=1e-4)),
}
EVERY = SYSTEMS | MATCHED | POOLED
OTHER = {
    "oagan": {"lambda_hidden": 5.0}, "mask_removal": {"lambda_l1": 50.0}, "hog_inpaint": {"lambda_l1": 50.0},
    "frontalize": {"lambda_l1": 50.0}, "frontalize cvae": {"lambda_kl": 9.0},
    "frontalize, matched": {"paint_from": 0.1}, "vis2nir": {"lambda_cyc": 9.0}, "vis2nir, pools": {"pool": 0},
}  # fmt: skip


def loader(step):
    random = generator(3, "batch", step)
    draw = lambda c: torch.rand(4, c, 32, 32, generator=random)  # noqa: E731
    batch = {name: draw(1) * 2 - 1 for name in ("truth", "occluded", "clean", "natural")}
    labels = torch.randint(5, (2, 4), generator=random)
    batch |= {"hole": draw(1).round(), "label": labels[0], "clean_label": labels[1]}
    batch |= {"side": batch["occluded"], "front": batch["truth"], "angle": labels[0]}
    return batch | {"vis": batch["occluded"], "nir": batch["natural"]}


def holes_loader(step):
    """With holes, not noise: some cells of a guide are known and some are not."""
    return loader(step) | {"hole": irregular_holes(4, generator(3, "hole", step), 32, (0.05, 0.3))}


def matched_loader(step):
    """With matches: first only they teach, then pictures too, then a critic."""
    flow = torch.rand(4, 2, 8, 8, generator=generator(3, "flow", step)) - 0.5
    return loader(step) | {"match": torch.cat([flow, (flow[:, :1] > 0).float()], 1)}


LOADERS = {"hog_inpaint": holes_loader, "frontalize, matched": matched_loader}


def run_steps(name, folder, steps, precision="fp32", rank_file=None, **changes):
    system, cfg = EVERY[name]
    cfg = dataclasses.replace(cfg, **changes)
    engine = make_engine("cpu", precision)
    seed_all(0)
    model = engine.prepare(system.build(cfg))
    opts = system.optimizers(model, cfg)
    state = State(0, cfg.steps, generator(0, "train"), cfg)
    run = open_run(folder, model, opts, state, engine=engine, note=lambda line: None)
    step = lambda batch: system.train_step(batch, model, opts, state, engine)  # noqa: E731
    fit(step, LOADERS.get(name, loader), steps, every=100, save_every=1, progress=False, prefetch=False, **run.hooks())
    if rank_file and engine.is_main:
        torch.save(model.state_dict(), rank_file)
    return model


def two_processes(name, folder, file):
    torch.set_num_threads(1)
    run_steps(name, folder, 3, rank_file=file)


@pytest.mark.parametrize("name", SYSTEMS)
def test_two_processes_equal_one(tmp_path, name):
    """With all critics, penalty, identity head and natural batches, at a small learning rate: after 3 fp32 steps, 1e-6.

    Adam divides by the gradient's own size, so rounding in gradients near zero shows as a share of the learning rate.
    """
    alone = run_steps(name, tmp_path / "one", 3).state_dict()
    launch(two_processes, name, tmp_path / "two", tmp_path / "two.pt", devices=2)
    pair = torch.load(tmp_path / "two.pt", weights_only=True)
    worst = max((alone[name].float() - pair[name].float()).abs().max().item() for name in alone)
    assert worst <= 1e-6
    untrained = SYSTEMS[name][0].build(SYSTEMS[name][1]).state_dict()
    assert max((alone[n].float() - untrained[n].float()).abs().max().item() for n in alone) > 1e-3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", EVERY)
def test_interrupted_run_continues_to_the_same_bits(tmp_path, name, precision):
    whole = run_steps(name, tmp_path / "whole", 6, precision=precision).state_dict()
    for stop in (2, 3, 6):
        parts = run_steps(name, tmp_path / "parts", stop, precision=precision).state_dict()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    other = run_steps(name, tmp_path / "other", 6, precision=precision, **OTHER[name]).state_dict()
    assert not all(torch.equal(whole[name], other[name]) for name in whole)
