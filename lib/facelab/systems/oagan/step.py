"""OA-GAN: one training step, its critic half, its generator half, and every loss term by name."""

from __future__ import annotations

import contextlib

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.images import composite
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.losses.perceptual import perceptual, style
from facelab.losses.reconstruction import hole_bce, hole_dice, masked_l1, total_variation
from facelab.nets.oagan import Guess
from facelab.systems.oagan.config import Config
from facelab.systems.oagan.model import OAGAN, guess
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.schedule import cosine_decay
from facelab.train.state import State


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
    late = max(cfg.decay_from, cfg.adversarial_from)  # a critic that joins late still learns at its full rate first
    for name, rate, start in (("G", cfg.learning_rate, cfg.decay_from), ("D", cfg.critic_learning_rate, late)):
        for group in opts[name].param_groups:
            group["lr"] = rate * cosine_decay(state.progress, start)
    if state.progress < cfg.complete_from:
        return find_step(batch, model, opts["G"], state, engine)
    adversarial = state.progress >= cfg.adversarial_from and cfg.lambda_adv > 0
    turn, rest = divmod(state.step, cfg.n_critic)
    update_G = not adversarial or rest == cfg.n_critic - 1  # nobody to wait for before the critic has joined
    natural = update_G and adversarial and "natural" in batch and cfg.natural_every > 0
    natural = natural and (turn + 1) % cfg.natural_every == 0
    occluded = batch["natural"] if natural else batch["occluded"]
    truth_hole = None if natural else batch["hole"]
    logs: dict[str, float] = {}
    with engine.autocast(), contextlib.nullcontext() if update_G else torch.no_grad():
        out, hole = guess(model.G, occluded, truth_hole, 0.0 if natural else cfg.teacher)
    restored = composite(occluded, out.raw, hole)
    for _ in range(cfg.critic_repeats if adversarial else 0):
        logs |= critic_step(batch, restored.detach(), model, opts["D"], state, engine, labelled=not natural)
    if update_G:
        if natural:
            terms = natural_terms(hole, restored, cfg)
        else:
            terms = paired_terms(batch, out, restored, model, cfg, engine, state.progress >= cfg.perceptual_from)
        if adversarial:
            terms |= adversarial_terms(batch, restored, model, cfg, engine, labelled=not natural)
        logs |= generator_step(terms, model, opts["G"], state, engine)
    return logs


def find_step(
    batch: dict[str, Tensor], model: OAGAN, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move G's first part alone, by the loss of the hole: it costs a third of a whole step."""
    with engine.autocast():
        _, logits = model.G.find(batch["occluded"])
    return generator_step({"hole": hole_term(logits.float(), batch["hole"], state.cfg)}, model, opt, state, engine)


def critic_step(
    batch: dict[str, Tensor], fake: Tensor, model: OAGAN, opt: torch.optim.Optimizer, state: State, engine: Engine,
    labelled: bool = True,
) -> dict[str, float]:  # fmt: skip
    """Move D: adversarial loss and penalty in one step (two with ``two_step_penalty``); G is not touched.

    With ``critic_real`` "same" the real faces are those that were covered: what the two sides differ in is then what
    was painted, and not who is in the batch, how bright. (Not so on natural steps, whose truth nobody has.)
    """
    cfg: Config = state.cfg
    real, names = ("clean", "clean_label") if cfg.critic_real == "others" else ("truth", "label")
    real = batch[real][: len(fake)]
    loss_d = PAIRS[cfg.loss][0]
    with engine.autocast():
        if cfg.classes and labelled:
            scores, labels = model.D.both(real)
        else:
            scores, labels = model.D(real), None
        loss = loss_d(scores.float(), model.D(fake).float())
    logs = {"D": loss.item(), "D_real": scores.float().mean().item()}
    if labels is not None:
        loss = loss + cfg.lambda_class * class_loss(labels, batch[names], cfg)
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
    batch: dict[str, Tensor], out: Guess, restored: Tensor, model: OAGAN, cfg: Config, engine: Engine,
    compare_features: bool = True,
) -> dict[str, Tensor]:  # fmt: skip
    """The weighted loss terms where the truth is known; perceptual and style only with ``compare_features``."""
    truth, hole = batch["truth"], batch["hole"]
    terms = {
        "hidden": cfg.lambda_hidden * masked_l1(out.raw, truth, hole),
        "visible": cfg.lambda_visible * masked_l1(out.raw, truth, 1 - hole),
    }
    if cfg.lambda_hole:
        terms["hole"] = hole_term(out.hole_logits, hole, cfg)
    else:  # released: nothing but a reward for visible area and smoothness holds the hole
        terms |= free_hole(torch.sigmoid(out.hole_logits), cfg)
    if model.features and compare_features:
        net = model.features[0].to(truth.device)
        with engine.autocast():
            with torch.no_grad():
                target = net(truth)
            pictures = (out.raw, restored) if cfg.model == "published" else (restored,)
            maps = [net(picture) for picture in pictures]
        terms["perceptual"] = cfg.lambda_perceptual * sum(perceptual(m, target) for m in maps)
        terms["style"] = cfg.lambda_style * sum(style(m, target) for m in maps)
    return terms


def hole_term(logits: Tensor, hole: Tensor, cfg: Config) -> Tensor:
    """Cross-entropy and half a Dice loss between the predicted and the true hole, weighted."""
    return cfg.lambda_hole * (hole_bce(logits, hole) + 0.5 * hole_dice(torch.sigmoid(logits), hole))


def free_hole(hole: Tensor, cfg: Config) -> dict[str, Tensor]:
    """Without a true hole: −(mean visibility)² rewards seeing, total variation asks for smooth outlines."""
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
        terms["class"] = cfg.lambda_class * class_loss(labels, batch["label"], cfg)
    return terms


def class_loss(logits: Tensor, labels: Tensor, cfg: Config) -> Tensor:
    """Cross-entropy of the identity head (N, classes) against who is shown (N,); ``label_smoothing`` softens targets.

    With K classes the true one is asked for 1 − s + s/K, each other one for s/K.

    Source: Szegedy et al. 2016, section 7.
    """
    return F.cross_entropy(logits.float(), labels, label_smoothing=cfg.label_smoothing)


def generator_step(
    terms: dict[str, Tensor], model: OAGAN, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move G by the sum of its terms, then its average; D is not touched."""
    engine.backward(sum(terms.values()))
    engine.step(opt)
    if model.average is not None:
        ema.update(model.average, model.G, state.cfg.ema, state.step)
    return {name: term.item() for name, term in terms.items()}
