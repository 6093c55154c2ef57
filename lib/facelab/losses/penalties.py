"""Critic penalties, all of one form: ``penalty(critic, real, fake, rand) -> scalar``, weight not included.

``rand(*shape)`` draws uniform numbers in [0, 1) on the images' device; a training step passes its own source of
randomness, so that a resumed run draws the same. Compute them in fp32: they need a second derivative.
Taught in: lessons 03 and 05.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]
Rand = Callable[..., Tensor]


def input_gradient_norm(critic: Critic, images: Tensor) -> Tensor:
    """Length of the critic's gradient at each image.

    Args:
        critic: images (N, C, H, W) to logits of any shape; the patch scores of one image are averaged, the way the
            losses average them.
        images: where to look; detached, so that the penalty only moves the critic.

    Returns:
        (N,), differentiable with respect to the critic's parameters.
    """
    images = images.detach().requires_grad_(True)
    scores = critic(images).flatten(1).mean(1)
    (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + 1e-12).sqrt()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand) -> Tensor:
    """WGAN-GP: E[(‖∇D(x̂)‖ − 1)²] at x̂ on the straight line between a real and a fake.

    Source: Gulrajani et al. 2017, section 4; weight 10 there.
    """
    mix = rand(len(real), 1, 1, 1)
    return (input_gradient_norm(critic, mix * real + (1 - mix) * fake) - 1).square().mean()


def dragan_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand, scale: float = 0.5) -> Tensor:
    """DRAGAN: E[(‖∇D(x + δ)‖ − 1)²] around real images only; ``fake`` is not used.

    The perturbation of the authors' notebook is one-sided, see :func:`dragan_notebook_penalty`; here it is centred.

    Source: Kodali et al. 2017, section 2.4; weight 10 there.
    """
    return _slope_of_one_around(critic, real, lambda *shape: (rand(*shape) - 0.5) * 2, rand, scale)


def dragan_notebook_penalty(critic: Critic, real: Tensor, fake: Tensor, rand: Rand, scale: float = 0.5) -> Tensor:
    """DRAGAN as its authors' notebook has it: at x + α·scale·std(batch)·u, u and α uniform in [0, 1).

    The perturbed pictures are brighter, by an eighth of the batch's deviation on average at the notebook's ``scale``.

    Source: the notebook published with Kodali et al. 2017.
    """
    return _slope_of_one_around(critic, real, rand, rand, scale)


def _slope_of_one_around(critic: Critic, real: Tensor, noise: Rand, rand: Rand, scale: float) -> Tensor:
    """E[(‖∇D‖ − 1)²] between each real image and its copy under ``noise``, in units of ``scale`` deviations."""
    away = noise(*real.shape) * (scale * real.detach().std())
    mix = rand(len(real), 1, 1, 1)
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
    "dragan": dragan_penalty,
    "dragan-notebook": dragan_notebook_penalty,
    "r1": r1_penalty,
    "none": no_penalty,
}
