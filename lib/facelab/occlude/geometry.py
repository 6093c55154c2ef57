"""Outlines: local coordinates, signed distances in pixels (negative inside), and the shape they make together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.occlude.chance import Params, take


@dataclass
class Shape:
    """Where an occluder is and how it bulges; every map is (N, H, W).

    Args:
        alpha: coverage, 0..1.
        height: relief towards the camera in pixels, for shading.
        u, v: texture coordinates in frame widths.
        second: 0..1, where the second colour replaces the texture.
        glow: light added on top, -1..1 (reflections, seams).
        picture: (N, 3, H, W) in [0, 1], colours given from outside.
        has_picture: (N, 1, 1), 1 where ``picture`` replaces the texture.
    """

    alpha: Tensor
    height: Tensor
    u: Tensor
    v: Tensor
    second: Tensor | None = None
    glow: Tensor | None = None
    picture: Tensor | None = None
    has_picture: Tensor | None = None

    def __post_init__(self):
        self.second = torch.zeros_like(self.alpha) if self.second is None else self.second
        self.glow = torch.zeros_like(self.alpha) if self.glow is None else self.glow
        if self.has_picture is None:
            self.has_picture = self.alpha.new_full((len(self.alpha), 1, 1), float(self.picture is not None))

    def with_picture(self) -> Shape:
        """The same shape with a (black, unused) picture where it had none."""
        if self.picture is None:
            self.picture = self.alpha.new_zeros(len(self.alpha), 3, *self.alpha.shape[1:])
        return self

    def rows(self, which: Tensor) -> Shape:
        """Some of the samples."""
        return Shape(**{name: None if value is None else value[which] for name, value in vars(self).items()})

    def put(self, which: Tensor, new: Shape) -> None:
        """Replace some of the samples."""
        if new.picture is not None or self.picture is not None:
            self.with_picture(), new.with_picture()
        for name, value in vars(new).items():
            if value is not None:
                getattr(self, name)[which] = value


def join_shapes(shapes: Sequence[Shape], order: Tensor | None = None) -> Shape:
    """Concatenate shapes; ``order`` is the row each sample came from, and is undone."""
    if any(shape.picture is not None for shape in shapes):
        shapes = [shape.with_picture() for shape in shapes]
    names = [f.name for f in fields(Shape) if getattr(shapes[0], f.name) is not None]
    joined = Shape(**{name: torch.cat([getattr(s, name) for s in shapes]) for name in names})
    return joined if order is None else joined.rows(torch.argsort(order))


def by_variant(params: Params, functions: Sequence[Callable], size: tuple[int, int]) -> Shape:
    """Draw each sample with the function its ``variant`` names."""
    shapes, rows = [], []
    for number, function in enumerate(functions):
        mine = (params["variant"] == number).nonzero()[:, 0]
        if len(mine):
            shapes.append(function(take(params, mine), size))
            rows.append(mine)
    return join_shapes(shapes, torch.cat(rows))


def col(value: Tensor) -> Tensor:
    """(N,) to (N, 1, 1), to meet maps."""
    return value.view(-1, 1, 1)


def local(params: Params, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Pixel coordinates (N, H, W) seen from the occluder: p along its width, q along its height."""
    dy = torch.arange(size[0], dtype=torch.float32).view(1, -1, 1) - col(params["y"])
    dx = torch.arange(size[1], dtype=torch.float32).view(1, 1, -1) - col(params["x"])
    turn = torch.deg2rad(col(params["angle"]))
    cos, sin = torch.cos(turn), torch.sin(turn)
    return cos * dx + sin * dy, cos * dy - sin * dx


def halves(params: Params) -> tuple[Tensor, Tensor]:
    """Half width and half height, (N, 1, 1), pixels."""
    return col(params["width"]) / 2, col(params["height"]) / 2


def cover(distance: Tensor, softness: Tensor | float = 1.0) -> Tensor:
    """Signed distance to coverage: 1 inside, 0 outside, a ramp ``softness`` pixels wide between."""
    soft = col(softness) if isinstance(softness, Tensor) else softness
    return (0.5 - distance / soft).clamp(0, 1)


def dome(distance: Tensor, bevel: Tensor | float) -> Tensor:
    """Relief in pixels of a body whose rim is rounded over ``bevel`` pixels."""
    t = (-distance / bevel).clamp(0, 1)
    return bevel * (1 - (1 - t).square() + 1e-4).sqrt()


def box(p: Tensor, q: Tensor, hw: Tensor, hh: Tensor, radius: Tensor | float = 0.0) -> Tensor:
    """Signed distance to a rectangle with rounded corners."""
    dx, dy = p.abs() - hw + radius, q.abs() - hh + radius
    outside = (dx.clamp(min=0).square() + dy.clamp(min=0).square() + 1e-8).sqrt()
    return outside + torch.maximum(dx, dy).clamp(max=0) - radius


def oval(p: Tensor, q: Tensor, hw: Tensor, hh: Tensor, power: Tensor | float = 2.0) -> Tensor:
    """About the signed distance to a superellipse: 2 is an ellipse, 6 nearly a box."""
    a, b = (p / hw).abs() + 1e-4, (q / hh).abs() + 1e-4
    radius = (a.pow(power) + b.pow(power)).pow(1 / power)
    return (radius - 1) * torch.minimum(hw, hh) * torch.ones_like(p)


def segment(p: Tensor, q: Tensor, start: tuple, end: tuple) -> tuple[Tensor, Tensor]:
    """Squared distance to a line between two points, and how far along it (0 to 1) its nearest place is."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = p - start[0], q - start[1]
    t = ((px * dx + py * dy) / (dx * dx + dy * dy + 1e-6)).clamp(0, 1)
    return (px - t * dx).square() + (py - t * dy).square(), t


def capsule(p: Tensor, q: Tensor, start: tuple, end: tuple, r0: Tensor | float, r1: Tensor | float | None = None):
    """Signed distance to a line with round ends whose radius runs from ``r0`` to ``r1``."""
    squared, t = segment(p, q, start, end)
    radius = r0 if r1 is None else r0 + (r1 - r0) * t
    return (squared + 1e-8).sqrt() - radius


def polygon(p: Tensor, q: Tensor, points: Tensor) -> Tensor:
    """Signed distance to closed polygons (N, V, 2); worked out on every other pixel, a quarter of the cost."""
    shape = p.shape[-2:]
    p, q = p[:, ::2, ::2], q[:, ::2, ::2]
    a, b = points, points.roll(-1, 1)
    ax, ay, bx, by = (value[:, :, None, None] for value in (a[..., 0], a[..., 1], b[..., 0], b[..., 1]))
    p, q = p[:, None], q[:, None]
    ex, ey, wx, wy = bx - ax, by - ay, p - ax, q - ay
    t = ((wx * ex + wy * ey) / (ex * ex + ey * ey + 1e-6)).clamp(0, 1)
    near = ((wx - t * ex).square() + (wy - t * ey).square()).amin(1).sqrt()
    crosses = ((ay > q) != (by > q)) & (wx < ex * wy / torch.where(ey.abs() < 1e-6, 1e-6, ey))
    distance = torch.where(crosses.sum(1) % 2 == 1, -near, near)
    full = F.interpolate(distance[:, None], scale_factor=2, mode="nearest") if min(shape) < 4 else _double(distance)
    return full[:, : shape[0], : shape[1]]


def _double(distance: Tensor) -> Tensor:
    """Grid at even pixels to all pixels: odd ones are the mean of their neighbours."""
    rows = torch.stack([distance, (distance + torch.cat([distance[:, 1:], distance[:, -1:]], 1)) / 2], 2).flatten(1, 2)
    right = torch.cat([rows[:, :, 1:], rows[:, :, -1:]], 2)
    return torch.stack([rows, (rows + right) / 2], 3).flatten(2, 3)


def radial(p: Tensor, q: Tensor, radii: Tensor) -> Tensor:
    """About the signed distance to a star-shaped outline.

    Args:
        p, q: (N, H, W) pixels from the centre.
        radii: (N, K) radius in pixels at K equal steps around the circle, joined smoothly by the caller's choice of K.
    """
    steps = radii.shape[1]
    around = torch.atan2(q, p) / (2 * torch.pi) * steps
    low = around.floor()
    index = low.long().flatten(1)
    first, second = radii.gather(1, index % steps), radii.gather(1, (index + 1) % steps)
    edge = torch.lerp(first, second, (around - low).flatten(1)).view_as(p)
    return ((p * p + q * q).sqrt() - edge) * 0.85


def wave(position: Tensor, phases: Tensor, frequency: Tensor | float = 1.0) -> Tensor:
    """A smooth random line in about [-1, 1]: three sines whose phases (N, 3) differ a sample."""
    total = 0.0
    for k, (rate, weight) in enumerate(((2.1, 0.55), (3.7, 0.3), (6.3, 0.15))):
        total = total + weight * torch.sin(rate * frequency * position + 6.283 * col(phases[:, k]))
    return total


def texture_space(p: Tensor, q: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Local pixels to texture coordinates, one unit a frame."""
    return p / min(size), q / min(size)
