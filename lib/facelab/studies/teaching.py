"""How a classifier is taught who is who: the same number of pictures shown, whatever the album's size.

Taught in: lesson 08.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab.data.augment import random_light, random_view, uniform
from facelab.seeding import generator
from facelab.studies.albums import Album, draws
from facelab.train.engine import Engine
from facelab.train.fit import fit
from facelab.train.optim import adam
from facelab.train.schedule import cosine_decay
from facelab.train.state import State

STEPS, BATCH, WIDTH = 600, 32, 16
"""Of the small classifier, where nothing else is said."""
RATE, RATE_TUNED = 2e-3, 1e-4  # learning rates of what starts from nothing, and of what has learned before
SMOOTHING, WARMUP, DECAY_FROM = 0.1, 30, 0.3


@dataclass
class Job:
    """What every classifier is given.

    Args:
        seed: of all draws. steps: of the optimiser, whatever the album's size.
        engine: where it computes. balanced: see :func:`facelab.studies.albums.draws`.
        memory: (classifier, picture) → vector; one that several jobs share is described once.
    """

    seed: int = 0
    steps: int = STEPS
    engine: Engine = field(default_factory=Engine)
    balanced: bool = True
    memory: dict[tuple[str, str], Tensor] = field(default_factory=dict)


def taught(
    net: nn.Module, train: Album, job: Job, parts: Mapping[str, tuple[nn.Module, float]],
    shown: Callable[[Tensor, int], Tensor] | None = None,
) -> None:  # fmt: skip
    """Train a classifier by cross-entropy with smoothed labels.

    Args:
        net: what is shown to logits (N, K), one a person of ``train``, in the order of their numbers.
        train: the pictures. job: see :class:`Job`.
        parts: name → what is trained, and its learning rate.
        shown: places (B,) and the step's number to what the net is shown; the pictures, varied, by default.
    """
    who, opts = train.labels.unique(return_inverse=True)[1], {}
    for name, (part, rate) in parts.items():
        opts[name] = adam(part.parameters(), rate, (0.9, 0.99))
    state = State(total_steps=job.steps)
    rows = draws(train.added, BATCH, job.steps, generator(job.seed, "draws"), job.balanced)
    show = shown or (lambda places, number: varied(train.images[places], generator(job.seed, "varied", number)))

    def step(batch: Mapping[str, Tensor]) -> dict[str, float]:
        for name, (_, rate) in parts.items():
            for group in opts[name].param_groups:
                group["lr"] = rate * min(1.0, (state.step + 1) / WARMUP) * cosine_decay(state.progress, DECAY_FROM)
        with job.engine.autocast():
            logits = net(batch["shown"])
        loss = F.cross_entropy(logits.float(), batch["who"], label_smoothing=SMOOTHING)
        job.engine.backward(loss)
        for opt in opts.values():
            job.engine.step(opt)
        return {"cross_entropy": loss.item()}

    load = lambda number: {"shown": show(rows[number], number), "who": who[rows[number]]}  # noqa: E731
    fit(step, load, job.steps, state=state, every=job.steps, log_every=job.steps, progress=False, engine=job.engine)


def varied(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (N, C, S, S) in [-1, 1], each moved, enlarged, turned, mirrored, lit and partly hidden by chance."""
    out, _ = random_view(images, None, generator, shift=0.05, scale=0.1, degrees=5.0)
    return patched(random_light(out, generator, 0.2), generator)


def patched(images: Tensor, generator: torch.Generator, share: float = 0.5) -> Tensor:
    """Lay a plain rectangle over some of the pictures, so that no single feature is relied on.

    Args:
        images: (N, C, S, S) in [-1, 1]. generator: source of all draws. share: of the pictures that get one; its sides
            are 10 to 35 % of the picture's.

    Source: Zhong et al. 2020, "Random Erasing Data Augmentation"; ours: one grey a rectangle.
    """
    count, side = len(images), images.shape[-1]
    tall, wide = (uniform(generator, count, 0.1, 0.35) * side for _ in range(2))
    top, left = (uniform(generator, count, 0, 1) * (side - size) for size in (tall, wide))
    grey, some = uniform(generator, count, -1, 1), torch.rand(count, generator=generator) < share
    at = torch.arange(side)
    rows, columns = ((at >= a[:, None]) & (at < (a + b)[:, None]) for a, b in ((top, tall), (left, wide)))
    inside = rows[:, None, :, None] & columns[:, None, None, :] & some.view(-1, 1, 1, 1)
    return torch.where(inside, grey.view(-1, 1, 1, 1), images)
