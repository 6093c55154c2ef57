"""OA-GAN: take an occluder off a face without being told where it is.

Source: Dong et al., "Occlusion-Aware GAN for face de-occlusion", IEEE TIFS 16, 2021, and its released code. By default
its faults are corrected: one joint critic step for adversarial term and penalty, the known holes supervise the hole
head, paired and natural batches have their own rhythm, features get the range they were trained on. ``Config.released``
gives back the behaviour as released.
Taught in: lesson 04; its variants in lesson 05.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.images import composite
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.losses.perceptual import perceptual, style
from facelab.losses.reconstruction import hole_bce, hole_dice, masked_l1, total_variation
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.nets.features import feature_net
from facelab.nets.oagan import Guess, OAGANDiscriminator, OAGANGenerator, OAGANUNet
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.optim import adam
from facelab.train.schedule import cosine_decay
from facelab.train.state import State
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "oagan"


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms; the comment gives the released value where it differs.
    """

    model: str = "unet"  # "published": the 13.9 M-parameter network of the paper (at width 64)
    size: int = 64  # pixels
    channels: int = 1
    width: int = 40  # published: 64
    hole_width: int = 32  # of the "unet" model's hole net
    critic_width: int = 16  # published: 64
    critic_downs: int = 4  # published: 6
    critic_norm: str = "none"
    classes: int = 0  # outputs of the identity head; 0 leaves it out
    loss: str = "wgan"
    penalty: str = "gp"
    lambda_penalty: float = 10.0
    lambda_adv: float = 0.05  # released: 1
    lambda_class: float = 1.0
    lambda_hidden: float = 6.0
    lambda_visible: float = 1.0
    lambda_hole: float = 1.0  # released: 0, the holes are known but not used
    lambda_perceptual: float = 0.05
    lambda_style: float = 0.5  # released: 120, on VGG16 maps of another scale
    lambda_area: float = 0.02  # released: 1; pulls a natural picture's hole towards empty
    lambda_tv: float = 1e-6  # released: 1e-5
    feature_net: str = "effnet-lite0"  # "none": no perceptual and style terms; released: vgg16
    teacher: float = 0.5  # share of each batch whose gate is given the true hole; released: 0
    adversarial_from: float = 0.3  # share of the run after which the critic joins; released: 0
    n_critic: int = 1  # critic steps per generator step; released: 5
    natural_every: int = 4  # every so many generator steps one is natural; released: 2
    two_step_penalty: bool = False  # released: True, an Adam step of its own for the penalty
    batch: int = 16
    small_size: int = 0  # pixels; early steps at this size are cheap, and the networks are fully convolutional; 0: none
    small_until: float = 0.0  # share of the run at the small size
    steps: int = 1500
    learning_rate: float = 4e-4  # released: 1e-4
    critic_learning_rate: float = 2e-4  # released: 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.6  # share of the run after which the learning rate falls to zero on a cosine
    ema: float = 0.995  # 0: no average of the generator

    def __post_init__(self):
        allowed = {
            "model": ("unet", "published"), "channels": (1, 3), "loss": tuple(PAIRS), "penalty": tuple(PENALTIES),
            "critic_norm": ("none", "instance", "spectral"), "feature_net": ("none", *FEATURE_NETS),
        }  # fmt: skip
        for field, values in allowed.items():
            if getattr(self, field) not in values:
                raise BadConfig(field, getattr(self, field), "one of " + ", ".join(map(str, values)))
        if self.size % 8 or not 32 <= self.size <= 512:
            raise BadConfig("size", self.size, "a multiple of 8 from 32 to 512")
        if self.size % 2**self.critic_downs:
            raise BadConfig("critic_downs", self.critic_downs, f"so few halvings that {self.size} divides evenly")
        for field in ("width", "hole_width"):
            if getattr(self, field) < 8 or getattr(self, field) % 8:
                raise BadConfig(field, getattr(self, field), "a multiple of 8")
        for field in ("batch", "steps", "n_critic"):
            if getattr(self, field) < 1:
                raise BadConfig(field, getattr(self, field), "1 or more")
        for field in ("teacher", "adversarial_from", "decay_from", "ema"):
            if not 0 <= getattr(self, field) <= 1:
                raise BadConfig(field, getattr(self, field), "a number from 0 to 1")
        if self.learning_rate <= 0 or self.critic_learning_rate <= 0:
            raise BadConfig("learning_rate", self.learning_rate, "a positive number")

    @classmethod
    def for_profile(cls, profile: str, **changes: object) -> Config:
        """Settings of ``smoke``, ``laptop`` or ``gpu``, with ``changes`` on top."""
        profiles = {
            "smoke": dict(size=32, width=8, hole_width=8, batch=8, steps=60, feature_net="none", critic_downs=3),
            "laptop": dict(size=64, width=32, hole_width=16, batch=16, steps=1500),
            "gpu": dict(size=128, width=40, hole_width=32, batch=32, steps=24_000, ema=0.999),
        }
        if profile not in profiles:
            raise BadConfig("profile", profile, "one of " + ", ".join(profiles))
        return cls(**{**profiles[profile], **changes})

    @classmethod
    def released(cls, **changes: object) -> Config:
        """The behaviour of the released code, faults included (its labels excepted)."""
        values = dict(
            model="published", size=128, channels=3, width=64, critic_width=64, critic_downs=6, lambda_adv=1.0,
            lambda_style=120.0, lambda_area=1.0, lambda_tv=1e-5, lambda_hole=0.0, feature_net="vgg16", teacher=0.0, adversarial_from=0.0, n_critic=5, natural_every=2,
            two_step_penalty=True, learning_rate=1e-4, critic_learning_rate=1e-4, ema=0.0, batch=16,
        )  # fmt: skip
        return cls(**{**values, **changes})


class Restoration(NamedTuple):
    """``image`` the composite, ``hole`` where it was filled (N, 1, H, W), ``raw`` the generator's whole picture."""

    image: Tensor
    hole: Tensor | None
    raw: Tensor


class OAGAN(nn.Module):
    """Generator, critic, the generator's running average, and the frozen feature net (never saved)."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.G = (
            OAGANGenerator(cfg.channels, cfg.width)
            if cfg.model == "published"
            else OAGANUNet(cfg.channels, cfg.width, cfg.hole_width)
        )
        self.D = OAGANDiscriminator(
            cfg.channels, cfg.critic_width, cfg.critic_downs, cfg.classes, cfg.size, cfg.critic_norm
        )
        self.average = ema.copy_of(self.G) if cfg.ema else None
        self.features = [feature_net(cfg.feature_net)] if cfg.feature_net != "none" else []  # a list hides it from saving

    def best_generator(self) -> nn.Module:
        """The averaged generator where there is one."""
        return self.G if self.average is None else self.average


def build(cfg: Config) -> OAGAN:
    """Networks with fresh weights, drawn from torch's global generator."""
    return OAGAN(cfg)


def optimizers(model: OAGAN, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for ``G`` and ``D``; with the two-step penalty the critic's one Adam serves both steps, as released."""
    betas = (cfg.beta1, cfg.beta2)
    return {
        "G": adam(model.G.parameters(), cfg.learning_rate, betas),
        "D": adam(model.D.parameters(), cfg.critic_learning_rate, betas),
    }


def gate(guess_hole: Tensor, truth: Tensor | None, teacher: float) -> Tensor:
    """The hole the composite uses: true in the first ``teacher`` share of the batch, predicted in the rest."""
    if truth is None or teacher == 0:
        return guess_hole
    count = round(len(truth) * teacher)
    return torch.cat([truth[:count], guess_hole[count:]])


def guess(G: nn.Module, occluded: Tensor, truth: Tensor | None, teacher: float) -> tuple[Guess, Tensor]:
    """Run the generator once; returns its guess (fp32) and the hole used for the composite."""
    count = 0 if truth is None else round(len(occluded) * teacher)
    if count == 0:
        out = G(occluded)
    elif count == len(occluded):
        out = G(occluded, truth)
    else:
        parts = G(occluded[:count], truth[:count]), G(occluded[count:])
        out = Guess(*(torch.cat(pair) for pair in zip(*parts, strict=True)))
    out = Guess(out.hole_logits.float(), out.raw.float())
    return out, gate(torch.sigmoid(out.hole_logits), truth, teacher)


def train_step(
    batch: dict[str, Tensor], model: OAGAN, opts: dict[str, torch.optim.Optimizer], state: State, engine: Engine
) -> dict[str, float]:
    """One critic step and, every ``n_critic`` steps, one generator step.

    Args:
        batch: ``occluded truth clean`` (N, C, H, W), ``hole`` (N, 1, H, W); optionally ``natural`` (M, C, H, W), and
            ``label``, ``clean_label`` (N,) with the identity head.
        model, opts: from :func:`build` and :func:`optimizers`.
        state: its ``step`` decides about stages, rhythm and learning rate.

    Returns:
        Each loss term by name, as floats.
    """
    cfg: Config = state.cfg
    factor = cosine_decay(state.progress, cfg.decay_from)
    for name, rate in (("G", cfg.learning_rate), ("D", cfg.critic_learning_rate)):
        for group in opts[name].param_groups:
            group["lr"] = rate * factor
    adversarial = state.progress >= cfg.adversarial_from and cfg.lambda_adv > 0
    turn, rest = divmod(state.step, cfg.n_critic)
    update_G = rest == cfg.n_critic - 1
    natural = update_G and adversarial and "natural" in batch and (turn + 1) % max(1, cfg.natural_every) == 0
    occluded = batch["natural"] if natural else batch["occluded"]
    truth_hole = None if natural else batch["hole"]
    logs: dict[str, float] = {}
    with engine.autocast(), contextlib.nullcontext() if update_G else torch.no_grad():
        out, hole = guess(model.G, occluded, truth_hole, 0.0 if natural else cfg.teacher)
    restored = composite(occluded, out.raw, hole)
    if adversarial:
        logs |= critic_step(batch, restored.detach(), model, opts["D"], state, engine, labelled=not natural)
    if update_G:
        terms = natural_terms(hole, restored, cfg) if natural else paired_terms(batch, out, restored, model, cfg, engine)
        if adversarial:
            terms |= adversarial_terms(batch, restored, model, cfg, engine, labelled=not natural)
        logs |= generator_step(terms, model, opts["G"], state, engine)
    return logs


def critic_step(
    batch: dict[str, Tensor], fake: Tensor, model: OAGAN, opt: torch.optim.Optimizer, state: State, engine: Engine,
    labelled: bool = True,
) -> dict[str, float]:  # fmt: skip
    """Move D: adversarial loss and penalty in one step (two with ``two_step_penalty``); G is not touched."""
    cfg: Config = state.cfg
    real = batch["clean"][: len(fake)]
    loss_d = PAIRS[cfg.loss][0]
    with engine.autocast():
        if cfg.classes and labelled:
            scores, labels = model.D.both(real)
        else:
            scores, labels = model.D(real), None
        loss = loss_d(scores.float(), model.D(fake).float())
    logs = {"D": loss.item(), "D_real": scores.float().mean().item()}
    if labels is not None:
        loss = loss + cfg.lambda_class * F.cross_entropy(labels.float(), batch["clean_label"])
    with engine.full_precision():
        rand = lambda *shape: engine.rand(shape, state.generator)  # noqa: E731
        penalty = PENALTIES[cfg.penalty](model.D, real, fake, rand) * cfg.lambda_penalty
    logs["penalty"] = penalty.item()
    if cfg.two_step_penalty and cfg.penalty != "none":
        engine.backward(loss)
        engine.step(opt)
        with engine.full_precision():
            loss = PENALTIES[cfg.penalty](model.D, real, fake, rand) * cfg.lambda_penalty
    else:
        loss = loss + penalty
    engine.backward(loss)
    engine.step(opt)
    return logs


def paired_terms(
    batch: dict[str, Tensor], out: Guess, restored: Tensor, model: OAGAN, cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """The weighted loss terms where the truth is known."""
    truth, hole = batch["truth"], batch["hole"]
    terms = {
        "hidden": cfg.lambda_hidden * masked_l1(out.raw, truth, hole),
        "visible": cfg.lambda_visible * masked_l1(out.raw, truth, 1 - hole),
    }
    if cfg.lambda_hole:
        probability = torch.sigmoid(out.hole_logits)
        terms["hole"] = cfg.lambda_hole * (hole_bce(out.hole_logits, hole) + 0.5 * hole_dice(probability, hole))
    else:  # released: nothing but a reward for visible area and smoothness holds the hole
        terms |= free_hole(torch.sigmoid(out.hole_logits), cfg)
    if model.features:
        net = model.features[0].to(truth.device)
        with engine.autocast():
            with torch.no_grad():
                target = net(truth)
            pictures = (out.raw, restored) if cfg.model == "published" else (restored,)
            maps = [net(picture) for picture in pictures]
        terms["perceptual"] = cfg.lambda_perceptual * sum(perceptual(m, target) for m in maps)
        terms["style"] = cfg.lambda_style * sum(style(m, target) for m in maps)
    return terms


def free_hole(hole: Tensor, cfg: Config) -> dict[str, Tensor]:
    """Without a true hole: −(mean visibility)² of each picture rewards seeing, total variation asks for smooth outlines."""
    return {
        "area": -cfg.lambda_area * (1 - hole).mean((1, 2, 3)).square().mean(),
        "hole_tv": cfg.lambda_tv * total_variation(hole),
    }


def natural_terms(hole: Tensor, restored: Tensor, cfg: Config) -> dict[str, Tensor]:
    """The weighted loss terms where the truth is unknown."""
    return free_hole(hole, cfg) | {"tv": cfg.lambda_tv * total_variation(restored)}


def adversarial_terms(
    batch: dict[str, Tensor], restored: Tensor, model: OAGAN, cfg: Config, engine: Engine, labelled: bool = True
) -> dict[str, Tensor]:
    """What the critic says of the composite, with the critic's own weights frozen."""
    model.D.requires_grad_(False)
    with engine.autocast():
        if cfg.classes and labelled:
            scores, labels = model.D.both(restored)
        else:
            scores, labels = model.D(restored), None
    model.D.requires_grad_(True)
    terms = {"adv": cfg.lambda_adv * PAIRS[cfg.loss][1](scores.float())}
    if labels is not None:
        terms["class"] = cfg.lambda_class * F.cross_entropy(labels.float(), batch["label"])
    return terms


def generator_step(
    terms: dict[str, Tensor], model: OAGAN, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move G by the sum of its terms, then its average; D is not touched."""
    engine.backward(sum(terms.values()))
    engine.step(opt)
    if model.average is not None:
        ema.update(model.average, model.G, state.cfg.ema, state.step)
    return {name: term.item() for name, term in terms.items()}


@torch.no_grad()
def restore(model: OAGAN | nn.Module, images: Tensor, hole: Tensor | None = None, floor: float = 0.05) -> Restoration:
    """Find the occluder and fill it.

    Args:
        model: from :func:`build` or :func:`load`, or a bare generator.
        images: (N, C, H, W) in [-1, 1], H and W divisible by 8.
        hole: (N, 1, H, W), 1 = hidden, to fill a given hole; None lets the network find it.
        floor: predicted holes weaker than this count as visible, so that those pixels stay bit-identical.
    """
    G = model.best_generator() if isinstance(model, OAGAN) else model
    out = G(images, hole)
    if hole is None:
        hole = torch.sigmoid(out.hole_logits.float())
        hole = torch.where(hole < floor, 0.0, torch.where(hole > 1 - floor, 1.0, hole))
    return Restoration(composite(images, out.raw.float(), hole), hole, out.raw.float())


def load(path_or_name: str | Path = NAME) -> tuple[OAGAN, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card)
    model = build(dataclasses.replace(cfg, feature_net="none", ema=0.0))
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
