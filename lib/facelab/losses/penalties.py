"""Critic penalties, all of one form: ``penalty(critic, real, fake, rand) -> scalar``, weight not included.

``critic`` takes images (N, C, H, W), or points (N, D), to logits; ``real`` and ``fake`` are such images, of
one shape, in [-1, 1]. The scalar is a mean over N, differentiable with respect to the critic's parameters alone.

``rand(*shape)`` draws uniform numbers in [0, 1) on the images' device; a training step passes its own source of
randomness, so that a resumed run draws the same. Compute them in fp32: they need a second derivative.
Taught in: lessons 03 and 05.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
Rand = Callable[..., Tensor]


def input_gradient_norm(critic: Critic, images: Tensor) -> Tensor:
    """Length of the critic's gradient at each image.

    Args:
        critic: images (N, C, H, W), or points (N, D), to logits of any shape; the patch scores of one image are
            averaged, the way the losses average them.
        images: where to look; detached, so that the penalty only moves the critic.

    Returns:
        (N,), differentiable with respect to the critic's parameters.
    """
    images = images.detach().requires_grad_(True)
    scores = critic(images).flatten(1).mean(1)
    (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + 1e-12).sqrt()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand, slope: float = 1.0) -> Tensor:
    """WGAN-GP: E[(‖∇D(x̂)‖ − k)²] at x̂ on the straight line between a real and a fake.

    It pulls from both sides: a critic flatter than k is made steeper, too.

    Args:
        slope: the k that is wanted; 1 in the paper.

    Source: Gulrajani et al. 2017, section 4; weight 10 there.
    """
    mix = _one_each(real, rand)
    return (input_gradient_norm(critic, mix * real + (1 - mix) * fake) - slope).square().mean()


def lipschitz_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand) -> Tensor:
    """WGAN-LP: E[max(0, ‖∇D(x̂)‖ − 1)²], the gradient penalty that holds back and never pushes.

    Source: Petzka et al. 2018, "On the regularization of Wasserstein GANs"; Gulrajani et al. 2017, section 4, name it
    too, as one-sided.
    """
    mix = _one_each(real, rand)
    return (input_gradient_norm(critic, mix * real + (1 - mix) * fake) - 1).clamp_min(0).square().mean()


def _one_each(images: Tensor, rand: Rand) -> Tensor:
    """One uniform number an image, of a shape that broadcasts over it."""
    return rand(len(images), *(1 for _ in images.shape[1:]))


def dragan_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand, variance: float = 0.0625) -> Tensor:
    """DRAGAN as its paper has it: E[(‖∇D(x + δ)‖ − 1)²], δ ~ N(0, cI), around real images; ``fake`` is not used.

    The right c depends on the range of the data: noisy copies must leave the set of real images and stay near it. The
    default is a deviation of 0.25 in [-1, 1], about half that of a photograph.

    Args:
        variance: the paper's c.

    Source: Kodali et al. 2017, section 2.4; weight 10 there.
    """
    noise = _normal(rand(*real.shape)) * variance**0.5
    return (input_gradient_norm(critic, real + noise) - 1).square().mean()


def _normal(uniform: Tensor) -> Tensor:
    """Uniform numbers in [0, 1) to standard normal ones, by the inverse of the distribution function, up to ±4.9."""
    return math.sqrt(2) * torch.erfinv((2 * uniform - 1).clamp(-1 + 1e-6, 1 - 1e-6))


def dragan_notebook_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand, scale: float = 0.5) -> Tensor:
    """DRAGAN as its authors' notebook has it: at x + α·scale·std(batch)·u, u and α uniform in [0, 1).

    The noise is one-sided: pictures become brighter, by an eighth of the batch's deviation on average at the
    notebook's ``scale``.

    Source: the notebook published with Kodali et al. 2017.
    """
    away = rand(*real.shape) * (scale * real.detach().std())
    mix = _one_each(real, rand)
    return (input_gradient_norm(critic, real + mix * away) - 1).square().mean()


def r1_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand) -> Tensor:
    """R1: ½ E[‖∇D(x)‖²] at real images; ``fake`` and ``rand`` are not used.

    Source: Mescheder et al. 2018, equation 9 (their γ is our weight).
    """
    return 0.5 * input_gradient_norm(critic, real).square().mean()


def no_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand) -> Tensor:
    """Zero, for critics held by their own weights."""
    return real.new_zeros(())


PENALTIES: dict[str, Callable[..., Tensor]] = {
    "gp": gradient_penalty,
    "gp-tenth": partial(gradient_penalty, slope=0.1),
    "lp": lipschitz_penalty,
    "dragan": dragan_penalty,
    "dragan-far": partial(dragan_penalty, variance=10.0),  # a c of 10, as it is often quoted
    "dragan-notebook": dragan_notebook_penalty,
    "r1": r1_penalty,
    "none": no_penalty,
}
