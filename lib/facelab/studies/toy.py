"""GANs on the plane: distributions whose answer is known, nets small enough to train while you watch.

Taught in: lesson 03.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.seeding import generator, seed_all
from facelab.train.optim import adam
from facelab.train.settings import refuse_other_types

LEASHES = ("none", "clip", *(name for name in PENALTIES if name != "none"), "spectral", "instance")


@dataclasses.dataclass(frozen=True)
class Toy:
    """Every setting of one game on the plane.

    Args:
        data: a name of :data:`DISTRIBUTIONS`.
        loss: a name of :data:`facelab.losses.adversarial.PAIRS`.
        leash: what holds the critic: ``"clip"`` (its weights), a penalty, ``"spectral"`` or ``"instance"`` norm.
        weight: of the penalty; for ``"clip"`` the largest weight allowed.
        learning_rate, critic_learning_rate: of Adam.
        n_critic: critic steps a generator step.
        width, depth: units of a layer, hidden layers of each net.
        batch: points.
        steps: generator steps.
        seed: of everything.

    Raises:
        BadConfig: an unknown name, or a number that is not positive.
    """

    data: str = "ring"
    loss: str = "nonsaturating"
    leash: str = "none"
    weight: float = 1.0
    learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    n_critic: int = 1
    width: int = 64
    depth: int = 3
    batch: int = 256
    steps: int = 1000
    seed: int = 0

    def __post_init__(self):
        refuse_other_types(self)
        for field, allowed in (("data", DISTRIBUTIONS), ("loss", PAIRS), ("leash", LEASHES)):
            if getattr(self, field) not in allowed:
                raise BadConfig(field, getattr(self, field), "one of " + ", ".join(allowed))
        for field in ("weight", "learning_rate", "critic_learning_rate"):
            if not 0 < getattr(self, field) < math.inf:
                raise BadConfig(field, getattr(self, field), "a positive number")
        for field in ("n_critic", "width", "depth", "batch", "steps"):
            if getattr(self, field) < 1:
                raise BadConfig(field, getattr(self, field), "1 or more")


class Distribution(NamedTuple):
    """A mixture of equal round heaps: their ``centres`` (K, 2) and common ``deviation``."""

    centres: Tensor
    deviation: float

    def sample(self, count: int, random: torch.Generator) -> Tensor:
        """(count, 2) points."""
        chosen = torch.randint(len(self.centres), (count,), generator=random)
        return self.centres[chosen] + self.deviation * torch.randn(count, 2, generator=random)


def _ring(count: int) -> Tensor:
    angle = torch.arange(count) * (2 * math.pi / count)
    return torch.stack([angle.cos(), angle.sin()], 1)


DISTRIBUTIONS = {
    "heap": Distribution(torch.tensor([[0.8, 0.4]]), 0.1),
    "ring": Distribution(_ring(8), 0.04),
    "grid": Distribution(torch.cartesian_prod(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 5)), 0.04),
    "spokes": Distribution(torch.cat([0.35 * _ring(5), 1.1 * _ring(5)]), 0.04),  # two heaps on every ray
}
"""What there is to imitate, all of it within ±1.3."""


class UnitNorm(nn.Module):
    """Instance norm of a point's hidden units: (N, units), each row to mean 0 and deviation 1.

    A point has no pixels to average over, so its units take their place. What is lost is the same: how much.
    """

    def forward(self, hidden: Tensor) -> Tensor:
        return F.instance_norm(hidden[:, None])[:, 0]


def mlp(width: int, depth: int, outside: int, leash: str = "none") -> nn.Sequential:
    """Points (N, 2) to (N, ``outside``): hidden layers of leaky ReLU, and what a leash puts into a critic.

    Args:
        width, depth: units of a hidden layer, and how many of those.
        outside: numbers a point; 2 for a generator, 1 for a critic's logits.
        leash: ``"spectral"`` or ``"instance"`` norm; any other name adds nothing.
    """
    layers: list[nn.Module] = []
    for level in range(depth):
        layers.append(nn.Linear(2 if level == 0 else width, width))
        layers += [UnitNorm()] if leash == "instance" else []
        layers.append(nn.LeakyReLU(0.2))
    net = nn.Sequential(*layers, nn.Linear(width, outside))
    if leash == "spectral":  # afterwards: it draws numbers too, and nets of one seed should begin alike
        for layer in [layer for layer in net if isinstance(layer, nn.Linear)]:
            nn.utils.parametrizations.spectral_norm(layer)
    return net


def critic_step(
    D: nn.Module, opt: torch.optim.Optimizer, real: Tensor, fake: Tensor, cfg: Toy, rand: Callable
) -> float:
    """Move the critic once by its loss and, in the same step, its penalty.

    Args:
        D: points (N, 2) to logits (N, 1). opt: its optimizer.
        real, fake: (N, 2); detach the fakes, or their gradient is computed for nothing.
        cfg: names the loss, the leash and its weight.
        rand: see :mod:`facelab.losses.penalties`.

    Returns:
        The loss without the penalty.
    """
    loss = PAIRS[cfg.loss][0](D(real), D(fake))
    penalty = PENALTIES[cfg.leash](D, real, fake, rand) if cfg.leash in PENALTIES else 0.0
    opt.zero_grad()
    (loss + cfg.weight * penalty).backward()
    opt.step()
    if cfg.leash == "clip":
        with torch.no_grad():
            for param in D.parameters():
                param.clamp_(-cfg.weight, cfg.weight)
    return loss.item()


def generator_step(G: nn.Module, D: nn.Module, opt: torch.optim.Optimizer, latent: Tensor, cfg: Toy) -> float:
    """Move the generator once; the critic keeps no gradient of it.

    Args:
        G: latent points (N, 2) to points (N, 2). D: its critic. opt: the generator's optimizer.
        latent: (N, 2). cfg: names the loss.

    Returns:
        The loss.
    """
    loss = PAIRS[cfg.loss][1](D(G(latent)))
    opt.zero_grad()
    loss.backward(inputs=list(G.parameters()))
    opt.step()
    return loss.item()


class Snapshot(NamedTuple):
    """A moment of a game: the ``step``, where the same latent points are now (N, 2), the critic, and its loss."""

    step: int
    fake: Tensor
    critic: nn.Module
    loss: float


def play(cfg: Toy, looks: int = 20, count: int = 512) -> list[Snapshot]:
    """Train one game.

    Args:
        cfg: its settings; the same give the same bits.
        looks: how many moments are kept at most, evenly spread; the untrained one comes first in addition.
        count: latent points looked at.

    Returns:
        The moments, oldest first.
    """
    seed_all(cfg.seed)
    G, D = mlp(cfg.width, cfg.depth, 2), mlp(cfg.width, cfg.depth, 1, cfg.leash)
    opt_G, opt_D = adam(G.parameters(), cfg.learning_rate), adam(D.parameters(), cfg.critic_learning_rate)
    random, target = generator(cfg.seed, "toy"), DISTRIBUTIONS[cfg.data]
    chance = generator(cfg.seed, "penalty")  # its own: with any leash the same points come in the same order
    rand = lambda *shape: torch.rand(*shape, generator=chance)  # noqa: E731
    watched = torch.randn(count, 2, generator=generator(cfg.seed, "watched"))
    wanted = {round(look * cfg.steps / looks) for look in range(1, looks + 1)}
    kept, loss = [_look(0, G, D, watched, math.nan)], math.nan
    for step in range(1, cfg.steps + 1):
        for _ in range(cfg.n_critic):
            with torch.no_grad():
                fake = G(torch.randn(cfg.batch, 2, generator=random))
            loss = critic_step(D, opt_D, target.sample(cfg.batch, random), fake, cfg, rand)
        generator_step(G, D, opt_G, torch.randn(cfg.batch, 2, generator=random), cfg)
        if step in wanted:
            kept.append(_look(step, G, D, watched, loss))
    return kept


@torch.no_grad()
def _look(step: int, G: nn.Module, D: nn.Module, watched: Tensor, loss: float) -> Snapshot:
    return Snapshot(step, G(watched), copy.deepcopy(D).eval(), loss)


class Coverage(NamedTuple):
    """``modes``: how many of the heaps were found; ``quality``: share of points that lie in one of them."""

    modes: int
    quality: float


def coverage(points: Tensor, target: Distribution, reach: float = 4.0, least: float = 0.2) -> Coverage:
    """How much of a mixture some points imitate.

    Args:
        points: (N, 2).
        target: the mixture.
        reach: a point belongs to a heap within so many of its deviations.
        least: a heap counts as found with so much of its fair share of the points.

    Source: Srivastava et al. 2017 (VEEGAN), section 5, for rings and grids; there ``reach`` is 3 and any point finds a
    heap.
    """
    apart, nearest = torch.cdist(points, target.centres).min(1)
    good = apart < reach * target.deviation
    shares = torch.bincount(nearest[good], minlength=len(target.centres)) / max(1, len(points))
    return Coverage(int((shares >= least / len(target.centres)).sum()), good.float().mean().item())
