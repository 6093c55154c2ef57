"""Random draws in batches, and numbers that follow from a seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Params = dict[str, Tensor]
_BANK: dict[int, Tensor] = {}


@dataclass(frozen=True)
class Window:
    """The part of a larger picture that is drawn on; what is drawn there does not depend on how large that part is.

    Args:
        frame: (height, width) of the whole picture.
        corners: (N, 2) top and left of each part, pixels.
        light: (N,) brightness of each whole picture, 0..1.
    """

    frame: tuple[int, int]
    corners: Tensor
    light: Tensor

    def rows(self, which: Tensor) -> Window:
        """Some of the samples."""
        return Window(self.frame, self.corners[which], self.light[which])


@dataclass(frozen=True)
class Draws:
    """Draws for ``count`` samples from one generator."""

    generator: torch.Generator
    count: int

    def uniform(self, low: float | Tensor, high: float | Tensor, *shape: int) -> Tensor:
        """(count, *shape) between ``low`` and ``high``."""
        if isinstance(low, Tensor) or isinstance(high, Tensor):
            return low + (high - low) * torch.rand(self.count, *shape, generator=self.generator)
        return torch.empty(self.count, *shape).uniform_(low, high, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """(count, *shape), standard normal."""
        return torch.randn(self.count, *shape, generator=self.generator)

    def chance(self, probability: float) -> Tensor:
        """(count,) True with the given probability."""
        return torch.rand(self.count, generator=self.generator) < probability

    def pick(self, values: Sequence[float], weights: Sequence[float] | None = None) -> Tensor:
        """(count,) entries of ``values``."""
        if weights is None:
            return torch.tensor(values)[torch.randint(len(values), (self.count,), generator=self.generator)]
        rows = torch.multinomial(torch.tensor(weights), self.count, replacement=True, generator=self.generator)
        return torch.tensor(values)[rows]

    def seeds(self) -> Tensor:
        """(count,) int64 texture seeds."""
        return torch.randint(0, 2**31, (self.count,), generator=self.generator)


def hashed(seed: Tensor, salt: int, count: int) -> Tensor:
    """Numbers in [0, 1) that depend on the seed alone, whatever the batch and the machine.

    Args:
        seed: (N,) int64.
        salt: which of many independent streams.
        count: how many numbers a sample.

    Returns:
        (N, count) float32.
    """
    return hashed_keys(seed, keys(salt, count))


def keys(salt: int, count: int) -> Tensor:
    """What tells ``count`` numbers of one stream apart from each other and from those of other streams, (count,)."""
    return torch.arange(count) * 0x9E3779B1 + salt * 0x632BE5AB


def hashed_keys(seed: Tensor, which: Tensor) -> Tensor:
    """As :func:`hashed`, for the :func:`keys` of several streams at once: (N, K) float32."""
    x = seed[:, None] * 0x2545F491 + which
    for shift, factor in ((15, 0x2C1B3C6D), (13, 0x297A2D39), (16, 0x165667B1)):
        x = (x ^ (x >> shift)).mul_(factor).bitwise_and_(0xFFFFFFFF)
    return (x ^ (x >> 15)).bitwise_and_(0xFFFFFF).to(torch.float32).div_(float(1 << 24))


def grain(seed: Tensor, channels: int, size: tuple[int, int], window: Window | None = None) -> Tensor:
    """White noise (N, channels, *size), standard normal: a part of one fixed sheet, or ``window``'s part of that."""
    height, width = size if window is None else window.frame
    side = 512 if max(height, width) <= 256 else 2 * max(height, width)
    if side not in _BANK:
        _BANK[side] = torch.randn(3, side, side, generator=torch.Generator().manual_seed(20))
    corner = (hashed(seed, 977, 2) * torch.tensor([side - height, side - width])).long()
    corner = corner if window is None else corner + window.corners
    return torch.stack([_BANK[side][:channels, y : y + size[0], x : x + size[1]] for y, x in corner.tolist()])


def take(params: Params, rows: Tensor) -> Params:
    """The chosen samples of a dict of batched parameters."""
    return {name: value[rows] for name, value in params.items()}


def apart(params: Params) -> list[Params]:
    """One dict a sample, without the batch axis."""
    pieces = [value.unbind(0) for value in params.values()]
    return [dict(zip(params, row, strict=True)) for row in zip(*pieces, strict=True)]


def together(samples: Sequence[Params], names: Sequence[str] | None = None) -> Params:
    """The inverse of :func:`apart`: stack the named fields of single samples, all of them unless named."""
    return {name: torch.stack([sample[name] for sample in samples]) for name in names or samples[0]}
