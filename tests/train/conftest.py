"""A tiny GAN whose training touches everything a checkpoint must hold; seconds, not minutes."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy
import pytest
import torch
from torch import nn

from facelab import seeding
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.optim import adam
from facelab.train.state import State


class TinyG(nn.Module):
    def __init__(self, width: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(width, 3, 3, padding=1)
        )

    def forward(self, x):
        return torch.tanh(self.body(x))


class TinyD(nn.Module):
    """A biased last layer and an auxiliary head: a gradient penalty reaches neither the bias nor the head."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, width, 3, 2, 1))
        self.logit = nn.Linear(width * 4, 1)
        self.head = nn.Linear(width * 4, 2)

    def forward(self, x):
        features = torch.nn.functional.leaky_relu(self.body(x), 0.2).flatten(1)
        return self.logit(features), self.head(features)


class TinyGAN(nn.Module):
    def __init__(self, width: int = 8, dropout: float = 0.1):
        super().__init__()
        self.G, self.D = TinyG(width, dropout), TinyD(width)
        self.average = ema.copy_of(self.G)
        self.average.requires_grad_(False)


def build(seed: int = 0, width: int = 8, dropout: float = 0.1, total: int = 10, engine: Engine | None = None):
    """(model, opts, state): everything a run needs, made from one seed."""
    seeding.seed_all(seed)
    model = (engine or Engine()).prepare(TinyGAN(width, dropout))
    opts = {"G": adam(model.G.parameters(), 1e-3), "D": adam(model.D.parameters(), 1e-3)}
    cfg = {"width": width, "dropout": dropout, "net": {"depth": 2}}
    return model, opts, State(total_steps=total, generator=seeding.generator(seed, "state"), cfg=cfg)


def penalty(D, real, fake, alpha, engine):
    with engine.full_precision():
        mixed = (alpha * real.float() + (1 - alpha) * fake.float()).requires_grad_(True)
        (slope,) = torch.autograd.grad(D(mixed)[0].sum(), mixed, create_graph=True)
    return 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()


def gan_step(model, opts, state, engine, globals_too: bool = True):
    """A step with a critic update, a separate penalty update and a generator update."""

    def step(batch):
        occluded, truth = batch["occluded"], batch["truth"]
        if globals_too:  # draws from all three global generators, and a pool that outlives the step
            occluded = occluded + 0.01 * torch.rand(1) + 0.01 * numpy.random.rand() + 0.01 * random.random()
            state.tensors["pool"] = occluded[:2].detach().float().clone() + 0.5 * state.tensors.get("pool", 0)
        with engine.autocast():
            fake = model.G(occluded).detach()
            real_logit, real_head = model.D(truth)
            fake_logit, _ = model.D(fake)
        loss_d = fake_logit.float().mean() - real_logit.float().mean() + real_head.float().square().mean()
        engine.backward(loss_d)
        engine.step(opts["D"])
        alpha = engine.rand((len(truth), 1, 1, 1), state.generator)
        loss_gp = penalty(model.D, truth, fake, alpha, engine)
        engine.backward(loss_gp)
        engine.step(opts["D"])
        with engine.autocast():
            fake = model.G(occluded)
            logit, _ = model.D(fake)
        loss_g = (fake.float() - truth).abs().mean() - 0.1 * logit.float().mean()
        engine.backward(loss_g, inputs=model.G.parameters())
        engine.step(opts["G"], clip=1.0)
        ema.update(model.average, model.G, 0.99, state.step)
        return engine.mean({"d": loss_d, "gp": loss_gp, "g": loss_g})

    return step


def loader(number: int):
    """The global batch of a step: 8 pictures of 8×8."""
    generator = seeding.generator(1, "batch", number)
    truth = torch.rand((8, 3, 8, 8), generator=generator) * 2 - 1
    return {"truth": truth, "occluded": truth * (torch.rand((8, 1, 8, 8), generator=generator) > 0.3)}


def snapshot(model, opts, state):
    """Everything that must be equal after a resume, as a flat dict of tensors."""
    flat = dict(model.state_dict()) | {f"pool.{k}": v for k, v in state.tensors.items()}
    for name, opt in opts.items():
        for index, kept in opt.state_dict()["state"].items():
            flat |= {f"{name}.{index}.{k}": v for k, v in kept.items()}
    flat["generator"], flat["torch"] = state.generator.get_state(), torch.get_rng_state()
    flat["numpy"] = torch.from_numpy(numpy.random.get_state()[1].astype("int64"))
    flat["python"] = torch.tensor(random.getstate()[1])
    flat["step"] = torch.tensor(state.step)
    return {name: torch.as_tensor(value).detach().clone() for name, value in flat.items()}


def differing(a, b):
    """Names whose tensors are not equal bit for bit."""
    apart = set(a) ^ set(b)
    return sorted(apart | {name for name in set(a) & set(b) if not torch.equal(a[name], b[name])})


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny():
    return SimpleNamespace(
        build=build, step=gan_step, loader=loader, snapshot=snapshot, differing=differing, penalty=penalty, GAN=TinyGAN
    )
