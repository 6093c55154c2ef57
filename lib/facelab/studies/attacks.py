"""Things done to true faces, harmless or not, so that it is known what a judge should say of them.

Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import BadConfig
from facelab.faces.landmarks import MIRROR
from facelab.images import composite
from facelab.seeding import generator
from facelab.studies.trials import Trial

ELSE = "somebody else in the hole"
"""A guess that is sharp and wrong: the name of an attack, and of a row of the protocol."""
Level = float | Tensor
"""How strong an attack is: one number for all pictures, or (N,), one a picture."""


@dataclass(frozen=True)
class Attack:
    """One thing that is done to true faces.

    Args:
        what: in words. harm: what we say of the pictures.
        make: trial and level → pictures of the truth's shape, in [-1, 1]. A level is one for all, or (N,).
        levels: from nothing to most; (1, 1) where there is nothing between.
        unit: of a level.
        points: trial and level → where landmarks (N, 68, 2) are then; None: where the truth has them.
    """

    what: str
    harm: str
    make: Callable[[Trial, Level], Tensor]
    levels: tuple[float, float] = (1.0, 1.0)
    unit: str = ""
    points: Callable[[Trial, Level], Tensor] | None = None


def others(identities: Sequence[str]) -> list[int]:
    """For each picture the place of another person's; every place comes up exactly once.

    Raises:
        BadConfig: one person is in more than half of the pictures.
    """
    order = sorted(range(len(identities)), key=lambda place: identities[place])
    most = max((list(identities).count(who) for who in set(identities)), default=0)
    if not exchangeable(identities):
        raise BadConfig("trial", f"{most} of {len(order)} pictures of one person", "nobody in more than half of them")
    out = [0] * len(order)
    for place, given in zip(order, order[most:] + order[:most], strict=True):
        out[place] = given
    return out


def exchangeable(identities: Sequence[str]) -> bool:
    """Whether :func:`others` finds another person's picture for each."""
    counts = [list(identities).count(who) for who in set(identities)]
    return 0 < 2 * max(counts, default=0) <= len(identities)


def _each(level: Level) -> Level:
    """A level to be multiplied with pictures (N, C, H, W)."""
    return level.view(-1, 1, 1, 1).float() if isinstance(level, Tensor) else level


def shifted(images: Tensor, pixels: Level) -> Tensor:
    """Pictures (N, C, H, W) moved to the right; between whole pixels, the straight line between both.

    Beyond the left edge its column is repeated.
    """
    by = torch.as_tensor(pixels, dtype=torch.float32).reshape(-1, 1).expand(len(images), 1)
    start = torch.arange(images.shape[-1]) - by.long()
    near, far = (images.gather(-1, at.clamp(min=0)[:, None, None].expand_as(images)) for at in (start, start - 1))
    return torch.lerp(near, far, _each(by - by.long()))


def blurred(images: Tensor, sigma: Level) -> Tensor:
    """Pictures (N, C, H, W) under a Gaussian of ``sigma`` pixels; edges are repeated."""
    if isinstance(sigma, Tensor):
        return torch.cat([blurred(one[None], by) for one, by in zip(images, sigma.tolist(), strict=True)])
    if sigma <= 0:
        return images
    reach = max(1, min(int(4 * sigma + 0.5), min(images.shape[-2:]) - 1))
    offset = torch.arange(-reach, reach + 1, dtype=torch.float32)
    window = torch.exp(-offset.square() / (2 * sigma**2))
    window = (window / window.sum()).view(1, 1, 1, -1)
    flat = images.flatten(0, 1)[:, None]
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), mode="replicate"), window)
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), mode="replicate"), window.transpose(2, 3))
    return flat[:, 0].view_as(images)


def _noisy(test: Trial, level: Level) -> Tensor:
    grain = torch.randn(test.truth.shape, generator=generator(0, "noise", *test.truth.shape))
    return (test.truth + 2 * _each(level) * grain).clamp(-1, 1)


def _moved_points(test: Trial, level: Level) -> Tensor:
    right = torch.as_tensor(level, dtype=test.points.dtype).reshape(-1, 1)
    return torch.stack([test.points[..., 0] + right, test.points[..., 1]], -1)


def _mirrored_points(test: Trial, _: Level) -> Tensor:
    """Landmarks in a mirror: what was on the left is on the right, and is called so."""
    there = test.points[:, MIRROR].clone()
    there[..., 0] = test.truth.shape[-1] - 1 - there[..., 0]
    return there


ATTACKS: dict[str, Attack] = {
    "moved": Attack(
        "the picture moved to the right", "harmless", lambda test, level: shifted(test.truth, level), (0.0, 8.0), "px",
        _moved_points,
    ),
    "brighter": Attack(
        "more light", "harmless", lambda test, level: (test.truth + 2 * _each(level)).clamp(-1, 1), (0.0, 0.4),
        "share of the range",
    ),
    "blurred": Attack("blurred", "worse", lambda test, level: blurred(test.truth, level), (0.0, 8.0), "px of sigma"),
    "noise": Attack("grain over everything", "worse", _noisy, (0.0, 0.4), "share of the range"),
    "occluder left in": Attack(
        "what hid the face still shimmers through", "not restored",
        lambda test, level: torch.lerp(test.truth, test.untouched, _each(level)), (0.0, 1.0), "share of the occluder",
    ),
    "mirrored": Attack(
        "left and right exchanged", "harmless, or a wrong parting", lambda test, level: test.truth.flip(-1),
        points=_mirrored_points,
    ),
    "somebody else": Attack(
        "each face is another person's", "another face",
        lambda test, level: test.truth[others(test.identities)],
        points=lambda test, level: test.points[others(test.identities)],
    ),
    ELSE: Attack(
        "where the hole was, another person's pixels", "a wrong guess",
        lambda test, level: composite(test.truth, test.truth[others(test.identities)], test.hole),
    ),
    "mean face": Attack(
        "everybody gets the mean of all", "nobody's face",
        lambda test, level: test.truth.mean(0, keepdim=True).expand_as(test.truth).contiguous(),
    ),
}  # fmt: skip
"""By name; "mean face" is that of the trial's own truths."""


def attack(name: str) -> Attack:
    """An attack by name.

    Raises:
        BadConfig: no such attack.
    """
    if name not in ATTACKS:
        raise BadConfig("attack", name, "one of " + ", ".join(ATTACKS))
    return ATTACKS[name]


def attacked(test: Trial, name: str, level: Level) -> Tensor:
    """The trial's true faces after an attack.

    Args:
        test: the trial. name: of :data:`ATTACKS`. level: in the attack's unit, one for all or (N,).

    Returns:
        (N, C, S, S) in [-1, 1].

    Raises:
        BadConfig: no such attack, a level outside its range, or nobody else is there to take faces from.

    Taught in: lesson 10.
    """
    low, high = attack(name).levels
    each = torch.as_tensor(level)
    if not bool(((low <= each) & (each <= high)).all()):
        raise BadConfig("level", level, f"{low:g} to {high:g} for {name!r}")
    return ATTACKS[name].make(test, level)


def attacked_points(test: Trial, name: str, level: Level) -> Tensor:
    """Where the landmarks (N, 68, 2) of the attacked faces are: whoever judges identity cuts faces out by them."""
    moved = attack(name).points
    return test.points if moved is None else moved(test, level)
