"""The light on a face, for what is worn on it.

Taught in: lesson 06.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.images import to_channels
from facelab.occlude.chance import Params
from facelab.occlude.face import measures
from facelab.occlude.geometry import col


def in_light_of(images: Tensor, points: Tensor, params: Params) -> Params:
    """The same facemasks under the light of the faces they are worn on.

    A plane is fitted to the luminance of the face: its slope gives the direction and the strength of the light, its
    mean the brightness; the photograph's saturation tones the colours down where it is grey.

    Args:
        images: (N, C, H, W) in [-1, 1].
        points: (N, 68, 2) landmarks, pixels.
        params: of :func:`facelab.occlude.facemask_kinds.sample`.

    Returns:
        ``params`` with light and colours replaced, and ``around`` (N,), the face's brightness in [0, 1].
    """
    step = max(1, min(images.shape[-2:]) // 32)
    images = images[..., ::step, ::step]  # so few pixels tell as much
    mean, right, down = _plane(to_channels(images, 1)[:, 0] / 2 + 0.5, points / step)
    strength = (right.square() + down.square()).sqrt() / mean.clamp(min=0.05)
    vivid = (images.amax(1) - images.amin(1)).mean((1, 2)) / 2
    keep = (0.35 + 4 * vivid).clamp(max=1).view(-1, 1, 1)
    toned = lambda colours: torch.lerp(colours.mean(-1, keepdim=True), colours, keep)  # noqa: E731
    return params | {
        "light_angle": torch.rad2deg(torch.atan2(down, right)), "light_tilt": (0.25 + strength).clamp(max=1.1),
        "ambient": (0.9 - 0.8 * strength).clamp(0.35, 0.9), "palette": toned(params["palette"]),
        "colour2": toned(params["colour2"][:, None])[:, 0], "around": mean,
    }  # fmt: skip


def _plane(light: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Least squares over the face: luminance (N, H, W) to its mean, and its change across and down half a face."""
    face = measures(points)
    centre, half = face["nose"], face["width"] / 2
    y = (torch.arange(light.shape[1], dtype=torch.float32).view(1, -1, 1) - col(centre[:, 1])) / col(half)
    x = (torch.arange(light.shape[2], dtype=torch.float32).view(1, 1, -1) - col(centre[:, 0])) / col(half)
    x, y = torch.broadcast_tensors(x, y)
    weight = torch.exp(-1.5 * (x.square() + y.square()))
    weight = weight / weight.sum((1, 2), keepdim=True).clamp(min=1e-6)
    basis = torch.stack([torch.ones_like(x), x, y], 1).flatten(2)
    normal = (basis * weight.flatten(1)[:, None]) @ basis.transpose(1, 2) + 1e-4 * torch.eye(3)
    found = torch.linalg.solve(normal, (basis * (weight * light).flatten(1)[:, None]).sum(2))
    return found[:, 0], found[:, 1], found[:, 2]
