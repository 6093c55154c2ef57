"""Face-mask removal: one training step, its critics' half, its generator's half, and every loss term by name."""

from __future__ import annotations

import contextlib

import torch
from torch import Tensor

from facelab.images import composite
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.losses.perceptual import perceptual_relative, perceptual_square
from facelab.losses.reconstruction import hole_bce, hole_dice
from facelab.losses.similarity import ssim_loss
from facelab.nets.region import region_of
from facelab.systems.mask_removal.config import Config
from facelab.systems.mask_removal.model import MaskRemoval
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.schedule import cosine_decay
from facelab.train.state import State
from facelab.train.teacher import gate

Opts = dict[str, torch.optim.Optimizer]


def train_step(
    batch: dict[str, Tensor], model: MaskRemoval, opts: Opts, state: State, engine: Engine
) -> dict[str, float]:
    """One step of the generator, after one of each critic that has joined; where it is due, then one without truth.

    Args:
        batch: ``occluded truth`` (N, C, H, W), ``hole`` (N, 1, H, W); with ``natural_every`` also ``natural``
            (M, C, H, W).
        model, opts: from :func:`build` and :func:`optimizers`.
        state: its ``step`` decides about stages, rhythm and learning rate.

    Returns:
        Each loss term by name, as floats; those of the step without truth begin with ``natural_``.
    """
    cfg: Config = state.cfg
    _set_rates(opts, cfg, state.progress)
    if state.progress < cfg.edit_from:
        return find_step(batch, model, opts["G"], state, engine)
    logs = edit_step(batch, model, opts, state, engine)
    due = cfg.natural_every > 0 and (state.step + 1) % cfg.natural_every == 0
    if due and playing(cfg, state.progress):  # besides the other, so that nothing is learned less from the truth
        more = edit_step(batch, model, opts, state, engine, natural=True)
        logs |= {f"natural_{name}": value for name, value in more.items()}
    return logs


def edit_step(
    batch: dict[str, Tensor], model: MaskRemoval, opts: Opts, state: State, engine: Engine, natural: bool = False
) -> dict[str, float]:
    """Move each critic that plays, then hole net and editing net together.

    Args:
        natural: on the pictures without truth.

    Returns:
        Each loss term by name, as floats.
    """
    cfg: Config = state.cfg
    judges, rests = playing(cfg, state.progress), state.progress >= cfg.find_until
    images, truth_hole = (batch["natural"], None) if natural else (batch["occluded"], batch["hole"])
    with engine.autocast():
        with torch.no_grad() if rests else contextlib.nullcontext():
            logits = model.G.find(images).float()
        hole = gate(torch.sigmoid(logits), truth_hole, cfg.teacher)
        if rests or not natural:
            hole = hole.detach()  # the hole net learns from the true hole alone, where somebody knows it
        raw = model.G.edit(images, hole).float()
    restored, logs = composite(images, raw, hole), {}
    for name in judges:
        logs |= critic_step(name, batch, restored.detach(), hole, model, opts[name], state, engine)
    if natural:
        terms = natural_terms(hole, model, restored, judges, cfg, engine)
    else:
        terms = paired_terms(batch, None if rests else logits, hole, raw, restored, model, cfg, engine)
        terms |= adversarial_terms(restored, hole, model, judges, cfg, engine)
    return logs | generator_step(terms, model, opts["G"], state, engine)


def _set_rates(opts: Opts, cfg: Config, progress: float) -> None:
    """Rates fall from ``decay_from`` on, a critic's not before it has joined."""
    joined = {"G": 0.0, "whole": cfg.adversarial_from, "region": max(cfg.adversarial_from, cfg.region_from)}
    for name, opt in opts.items():
        rate = cfg.learning_rate if name == "G" else cfg.critic_learning_rate
        start = max(cfg.decay_from, joined[name])
        for group in opt.param_groups:
            group["lr"] = rate * cosine_decay(progress, start)


def playing(cfg: Config, progress: float) -> list[str]:
    """The critics that have joined: ``whole`` after ``adversarial_from`` of the run, ``region`` after both shares."""
    whole = progress >= cfg.adversarial_from
    region = whole and progress >= cfg.region_from
    return ["whole"] * (whole and cfg.lambda_whole > 0) + ["region"] * (region and cfg.lambda_region > 0)


def _seen(name: str, images: Tensor, hole: Tensor) -> Tensor:
    return region_of(images, hole) if name == "region" else images


def find_step(
    batch: dict[str, Tensor], model: MaskRemoval, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move the hole net alone: it costs a third of a whole step."""
    with engine.autocast():
        logits = model.G.find(batch["occluded"]).float()
    return generator_step({"hole": hole_term(logits, batch["hole"], state.cfg)}, model, opt, state, engine)


def critic_step(
    name: str, batch: dict[str, Tensor], fake: Tensor, hole: Tensor, model: MaskRemoval, opt: torch.optim.Optimizer,
    state: State, engine: Engine,
) -> dict[str, float]:  # fmt: skip
    """Move one critic: real are the bare faces, fake the composites; the generator is not touched.

    Args:
        name: ``"whole"`` or ``"region"``; the latter looks at :func:`region_of` the same holes on both sides.
        fake: (N, C, H, W), detached.
        hole: (N, 1, H, W), where the region is.
    """
    cfg: Config = state.cfg
    net, real = model.D[name], _seen(name, batch["truth"][: len(fake)], hole)
    fake = _seen(name, fake, hole)
    with engine.autocast():
        scores = net(real).float()
        loss = PAIRS[cfg.loss][0](scores, net(fake).float())
    logs = {f"D_{name}": loss.item(), f"real_{name}": scores.mean().item()}
    if cfg.penalty != "none" and state.step % cfg.penalty_every == 0:
        with engine.full_precision():
            rand = lambda *shape: engine.rand(shape, state.generator)  # noqa: E731
            loss = loss + PENALTIES[cfg.penalty](net, real, fake, rand) * cfg.lambda_penalty * cfg.penalty_every
    engine.backward(loss)
    engine.step(opt)
    return logs


def paired_terms(
    batch: dict[str, Tensor], logits: Tensor | None, hole: Tensor, raw: Tensor, restored: Tensor, model: MaskRemoval,
    cfg: Config, engine: Engine,
) -> dict[str, Tensor]:  # fmt: skip
    """The weighted loss terms where the truth is known: hole (unless ``logits`` is None), L1, SSIM, features.

    Args:
        hole: (N, 1, H, W), the one that was filled.
        raw: (N, C, H, W), what was painted.
        restored: its composite: only this is ever shown, so SSIM and features look at it and at nothing else.
    """
    truth = batch["truth"]
    terms = {} if logits is None else {"hole": hole_term(logits, batch["hole"], cfg)}
    weight = hole + cfg.visible * (1 - hole)
    terms["l1"] = cfg.lambda_l1 * (weight * (raw - truth).abs()).mean()
    if cfg.lambda_ssim:
        terms["ssim"] = cfg.lambda_ssim * ssim_loss(restored, truth)
    if model.features and cfg.lambda_perceptual:
        net = model.features[0].to(truth.device)
        with engine.autocast():
            with torch.no_grad():
                target = net(truth)
            maps = net(restored)
        compare = perceptual_square if cfg.perceptual == "square" else perceptual_relative
        terms["perceptual"] = cfg.lambda_perceptual * compare(maps, target)
    return terms


def hole_term(logits: Tensor, hole: Tensor, cfg: Config) -> Tensor:
    """Cross-entropy and half a Dice loss between the predicted and the true hole, weighted."""
    return cfg.lambda_hole * (hole_bce(logits, hole) + 0.5 * hole_dice(torch.sigmoid(logits), hole))


def adversarial_terms(
    restored: Tensor, hole: Tensor, model: MaskRemoval, judges: list[str], cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """What each critic says of the composite, with its own weights frozen.

    Args:
        restored: (N, C, H, W), the composite; gradients run through it.
        hole: (N, 1, H, W), where the region is.
        judges: names of the critics that play.

    Returns:
        ``adv_whole`` and ``adv_region``, weighted, for those that play.
    """
    weights, terms = {"whole": cfg.lambda_whole, "region": cfg.lambda_region}, {}
    model.D.requires_grad_(False)
    for name in judges:
        with engine.autocast():
            scores = model.D[name](_seen(name, restored, hole))
        terms[f"adv_{name}"] = weights[name] * PAIRS[cfg.loss][1](scores.float())
    model.D.requires_grad_(True)
    return terms


def natural_terms(
    hole: Tensor, model: MaskRemoval, restored: Tensor, judges: list[str], cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """Where the truth is unknown: the critics, and a reward for a hole that has made up its mind."""
    unsure = (hole * (1 - hole)).mean()
    return {"unsure": 0.1 * cfg.lambda_hole * unsure} | adversarial_terms(restored, hole, model, judges, cfg, engine)


def generator_step(
    terms: dict[str, Tensor], model: MaskRemoval, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move G by the sum of its terms, then its average; no critic is touched.

    Args:
        terms: weighted losses by name, at least one.

    Returns:
        The same as floats.
    """
    engine.backward(sum(terms.values()))
    engine.step(opt)
    if model.average is not None:
        ema.update(model.average, model.G, state.cfg.ema, state.step)
    return {name: term.item() for name, term in terms.items()}
