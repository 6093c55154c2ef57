"""Why a variant fails: how steep its critic is, who pulls the generator, and what became of the hole.

Taught in: lesson 05.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.images import composite
from facelab.metrics.critic import kernel_norm, operator_norm, slopes
from facelab.metrics.holes import iou
from facelab.nets.oagan import Guess, OAGANDiscriminator
from facelab.seeding import generator
from facelab.studies.trials import Trial
from facelab.systems.oagan import OAGAN, Config, adversarial_terms, guess, paired_terms
from facelab.train.engine import Engine

COUNT = 32  # pictures looked at
LOST = 0.1  # a predicted hole that overlaps the true one less than this is lost


def watch(model: OAGAN, cfg: Config, test: Trial, engine: Engine) -> Callable[[int], dict[str, float]]:
    """A function of the step number that says how critic, generator and hole are. It draws from no global generator.

    Args:
        model: being trained.
        cfg: its configuration.
        test: validation faces; the first :data:`COUNT` are looked at.
        engine: of the run.

    Returns:
        step → ``slope_*``: median length of the critic's gradient at ``real``, ``fake`` and ``mixed`` pictures (between
        the two, each pair at its own place), and the ``highest`` of all; ``score_real``, ``score_fake``; what
        :func:`said`, :func:`bounds` and :func:`pulls` say; ``hole_area``: predicted over true; ``holes_lost``: share of
        pictures whose hole overlaps the true one by less than a tenth.
    """
    occluded, truth, hole = (engine.to_device(part[:COUNT]) for part in (test.occluded, test.truth, test.hole))
    mix = torch.rand(len(truth), 1, 1, 1, generator=generator(0, "mix")).to(truth.device)

    def look(step: int) -> dict[str, float]:
        with torch.no_grad(), engine.autocast():
            out, found = guess(model.G, occluded, None, 0.0)
        found = found.detach()
        restored = composite(occluded, out.raw, found)
        places = {"real": truth, "fake": restored, "mixed": mix * truth + (1 - mix) * restored}
        steep = {name: slopes(model.D, pictures) for name, pictures in places.items()}
        numbers = {f"slope_{name}": values.median().item() for name, values in steep.items()}
        numbers["slope_highest"] = max(values.max().item() for values in steep.values())
        with torch.no_grad():
            numbers |= {f"score_{name}": model.D(places[name]).mean().item() for name in ("real", "fake")}
        numbers |= said(model.D, restored, found) | bounds(model.D, cfg.size)
        numbers |= pulls(model, cfg, out, occluded, truth, hole, engine, step > cfg.critic_from)
        numbers["hole_area"] = (found.mean() / hole.mean()).item()
        numbers["holes_lost"] = (iou(found, hole) < LOST).float().mean().item()
        return numbers

    return look


def said(critic: nn.Module, fakes: Tensor, where: Tensor) -> dict[str, float]:
    """What a critic tells a generator, whatever its volume.

    Args:
        critic: images to logits.
        fakes: (N, C, H, W), N > 1, height and width divisible by 8.
        where: (N, 1, H, W), the holes that were filled: only there the painted picture can follow.

    Returns:
        ``same``: share of the squared gradient that is the same at every fake, 1 / N where all differ, 1 where the
        critic repeats one pattern to everybody; ``coarse``: share of it that survives averaging over 8 × 8 pixels.
    """
    fakes = fakes.detach().requires_grad_(True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(critic(fakes).flatten(1).mean(1).sum(), fakes)
    slope = slope * where
    every = slope.square().sum((1, 2, 3)).mean().clamp_min(1e-30)
    coarse = 64 * F.avg_pool2d(slope, 8).square().sum((1, 2, 3)).mean()
    return {"same": (slope.mean(0).square().sum() / every).item(), "coarse": (coarse / every).item()}


def bounds(critic: OAGANDiscriminator, size: int) -> dict[str, float]:
    """Upper bounds of a critic's slope, its convolutions' norms multiplied.

    Args:
        critic: without instance norm (with it, no product of weights is a bound: NaN).
        size: side of its pictures, pixels.

    Returns:
        ``bound_operator`` from the true norms of the strided convolutions, a bound; ``bound_kernel`` from the norms
        that spectral norm divides by, which is none.
    """
    convolutions = [layer for layer in critic.body if isinstance(layer, nn.Conv2d)]
    if any(isinstance(layer, nn.InstanceNorm2d) for layer in critic.body):
        return {"bound_operator": math.nan, "bound_kernel": math.nan}
    random, operator, kernel = generator(0, "bounds"), 1.0, 1.0
    for layer in (*convolutions, critic.score):
        operator *= operator_norm(layer, size, random)
        kernel *= kernel_norm(layer)
        size //= layer.stride[0]
    return {"bound_operator": operator / size, "bound_kernel": kernel / size}  # patch scores are averaged: 1 / √patches


def pulls(
    model: OAGAN, cfg: Config, out: Guess, occluded: Tensor, truth: Tensor, hole: Tensor, engine: Engine,
    joined: bool = True,
) -> dict[str, float]:  # fmt: skip
    """Which loss terms move the generator's two outputs, and where. An identity head's term is left out.

    Args:
        joined: whether the critic has joined; before, it pulls nothing.

    Returns:
        ``pull_critic``, ``pull_truth``: mean length, a picture, of the gradient of the adversarial and of all other
        terms at the painted picture; ``inside``: share of the squared gradient of both that lies in the true hole;
        ``hole_pull_critic``, ``hole_pull_truth``: the same lengths at the hole's logits.
    """
    raw, logits = out.raw.detach().requires_grad_(True), out.hole_logits.detach().requires_grad_(True)
    with torch.enable_grad():
        restored = composite(occluded, raw, torch.sigmoid(logits))
        terms = paired_terms({"truth": truth, "hole": hole}, Guess(logits, raw), restored, model, cfg, engine)
        by_truth = torch.autograd.grad(sum(terms.values()), (raw, logits), retain_graph=True)
        voice = adversarial_terms({}, restored, model, cfg, engine, labelled=False)["adv"] * joined
        by_critic = torch.autograd.grad(voice, (raw, logits))
    both = (by_truth[0] + by_critic[0]).square()
    numbers = {"inside": ((both * hole).sum() / both.sum().clamp_min(1e-30)).item()}
    for prefix, place in (("pull", 0), ("hole_pull", 1)):
        for name, gradient in (("critic", by_critic[place]), ("truth", by_truth[place])):
            numbers[f"{prefix}_{name}"] = len(raw) * gradient.flatten(1).norm(dim=1).mean().item()
    return numbers
