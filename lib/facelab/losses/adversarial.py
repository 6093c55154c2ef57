"""Adversarial losses: plain pairs of functions on logits.

``*_d(real, fake)`` is what the discriminator minimises, ``*_g(fake)`` what the generator minimises. Both take the
discriminator's raw outputs (logits of any shape) and return a scalar, the mean over all of them.
Taught in: lessons 03 and 04.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor


def wgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """Critic: E[D(fake)] − E[D(real)]. Source: Arjovsky et al. 2017, algorithm 1."""
    return fake.mean() - real.mean()


def wgan_g(fake: Tensor) -> Tensor:
    """Generator: −E[D(fake)]."""
    return -fake.mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """Critic: E[max(0, 1 − D(real))] + E[max(0, 1 + D(fake))]. Source: Lim & Ye 2017; Miyato et al. 2018."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_g(fake: Tensor) -> Tensor:
    """Generator: −E[D(fake)]."""
    return -fake.mean()


def nonsaturating_d(real: Tensor, fake: Tensor) -> Tensor:
    """Critic: cross-entropy, −log σ(D(real)) − log(1 − σ(D(fake))), computed stably. Source: Goodfellow et al. 2014."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def nonsaturating_g(fake: Tensor) -> Tensor:
    """Generator: −log σ(D(fake)); its slope at confident fakes is −1, not 0."""
    return F.softplus(-fake).mean()


def minimax_g(fake: Tensor) -> Tensor:
    """Generator: log(1 − σ(D(fake))), the game as first written; its slope dies where the critic is sure.

    Source: Goodfellow et al. 2014, equation 1.
    """
    return -F.softplus(fake).mean()


def lsgan_d(real: Tensor, fake: Tensor) -> Tensor:
    """Critic: ½ (D(real) − 1)² + ½ D(fake)². Source: Mao et al. 2017, equation 9."""
    return 0.5 * ((real - 1) ** 2).mean() + 0.5 * (fake**2).mean()


def lsgan_g(fake: Tensor) -> Tensor:
    """Generator: (D(fake) − 1)², as CycleGAN uses it."""
    return ((fake - 1) ** 2).mean()


PAIRS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "wgan": (wgan_d, wgan_g),
    "hinge": (hinge_d, hinge_g),
    "nonsaturating": (nonsaturating_d, nonsaturating_g),
    "minimax": (nonsaturating_d, minimax_g),
    "lsgan": (lsgan_d, lsgan_g),
}
