"""A lab of lesson 08: a crop as it was found, the same with its eyes at one place, and its brightness spread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import ipywidgets
import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.faces.align import EYE_DISTANCE, align, eye_centres, transform, warp
from facelab.faces.equalise import equalised
from facelab.images import resize, to_channels, to_unit
from facelab.show.lab import LABEL, SIDE, Drawn, face_chooser, slider
from facelab.show.stacked_lab import StackedLab
from facelab.show.turning_labs import degrees

BINS = 40
"""Of the histogram that is drawn."""
MARK, BEFORE, AFTER = (0.25, 0.85, 0.34), (0.75, 0.78, 0.81), (0.11, 0.43, 0.82)
"""Red, green, blue in [0, 1] of the marks of eyes, and of brightness before and after."""


class Crop(NamedTuple):
    """A square crop (C, H, H) and the landmarks (68, 2) in it, pixels."""

    image: Tensor
    points: Tensor


def cropped(photo: Tensor, points: Tensor, roll: float = 0.0, zoom: float = 1.0, right: float = 0.0, down: float = 0.0):
    """The middle square of a photograph, turned, zoomed and moved as a careless camera would.

    Args:
        photo: (C, H, W) in [-1, 1]. points: (68, 2) pixels.
        roll: degrees, positive = the head leans to the image's right.
        zoom: 1 as it is, more is closer. right, down: shares of the side.

    Returns:
        A :class:`Crop`; the photograph's edge is repeated where it ends.

    Taught in: lesson 08.
    """
    height, width = photo.shape[-2:]
    side = min(height, width)
    angle = torch.deg2rad(torch.tensor(roll, dtype=torch.float64))
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    linear = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
    middle = torch.tensor([width / 2 - 0.5, height / 2 - 0.5], dtype=torch.float64)
    target = torch.tensor([0.5 + right, 0.5 + down], dtype=torch.float64) * side - 0.5
    matrix = torch.cat([linear, (target - linear @ middle)[:, None]], 1)
    return Crop(warp(photo, matrix, (side, side)), transform(points, matrix))


def alignment_lab(photos: Tensor, points: Tensor, size: int = 64, names: Sequence[str] | None = None) -> StackedLab:
    """Hold the camera badly, and see what alignment and equalisation make of it.

    The second row shows the mean of all faces: cut out of all photographs at one and the same place, and each with its
    own eyes at the canonical ones. A translator that finds eyes always there need not learn where else they may be.

    Args:
        photos: (N, 3, H, W) in [-1, 1], with some room around the faces.
        points: (N, 68, 2) landmarks, pixels.
        size: side of what a translator is shown, pixels.
        names: of the faces.

    Returns:
        A lab; its controls are ``face roll zoom right down aligned equalise``.

    Raises:
        ValueError: a face whose eyes are not known.

    Taught in: lesson 08.
    """
    photos, points = photos.detach().float().cpu(), points.detach().float().cpu()
    usual = points.mean(0).expand_as(points)
    means = [_Mean.of(torch.stack([align(*pair, size)[0] for pair in zip(photos, marks, strict=True)]))
             for marks in (usual, points)]  # fmt: skip

    @lru_cache(maxsize=1)  # equalisation changes nothing before it
    def taken(face: int, roll: float, zoom: float, right: float, down: float) -> Crop:
        return cropped(photos[face], points[face], roll, zoom, right, down)

    def draw(face, roll, zoom, right, down, aligned, equalise) -> Drawn:
        crop = taken(face, roll, zoom, right, down)
        before = _shown(crop, aligned, size)
        after = torch.lerp(before, equalised(before[None])[0], equalise)
        loose, tight = (mean.at(equalise) for mean in means)
        panels = {
            "the crop, eyes marked": _marked(crop), f"cut out, {size} px": before, "shown to the network": after,
            f"mean of {len(photos)}, one crop for all": loose, f"mean of {len(photos)}, eyes aligned": tight,
            "brightness before, after": _histograms(before, after),
        }  # fmt: skip
        return panels, _eyes_said(crop, aligned) + _brightness_said(before, after) + _means_said(loose, tight)

    return StackedLab(draw, _controls(len(photos), names))


def _controls(count: int, names: Sequence[str] | None) -> dict[str, ipywidgets.Widget]:
    layout = ipywidgets.Layout(width="300px")
    return {
        "face": face_chooser(count, names),
        "aligned": ipywidgets.Checkbox(True, description="eyes aligned", layout=layout, style=LABEL),
        "equalise": slider("equalise", 1.0, 0.0, 1.0, 0.05),
        "roll": slider("roll (°)", 15.0, -30.0, 30.0, 1.0),
        "zoom": slider("zoom", 0.9, 0.7, 1.4, 0.05),
        "right": slider("right", 0.08, -0.2, 0.2, 0.01),
        "down": slider("down", 0.0, -0.2, 0.2, 0.01),
    }


def _shown(crop: Crop, aligned: bool, size: int) -> Tensor:
    """What a network is shown of a crop, (C, size, size)."""
    return align(crop.image, crop.points, size)[0] if aligned else resize(crop.image, size)


class _Mean(NamedTuple):
    """Mean of faces (C, S, S) as they are, and of the same equalised."""

    plain: Tensor
    level: Tensor

    @classmethod
    def of(cls, faces: Tensor) -> _Mean:
        return cls(faces.mean(0), equalised(faces).mean(0))

    def at(self, share: float) -> Tensor:
        return torch.lerp(self.plain, self.level, share)


def _marked(crop: Crop) -> Tensor:
    """A crop (3, SIDE, SIDE) with a ring around each eye and a line from one to the other."""
    image = resize(to_channels(crop.image, 3), SIDE)
    left, right = (eye_centres(crop.points) + 0.5) * (SIDE / crop.image.shape[-1]) - 0.5
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    place = torch.stack([x, y], -1).float()
    along = ((place - left) @ (right - left) / (right - left).square().sum()).clamp(0, 1)
    line = (place - left - along[..., None] * (right - left)).norm(dim=-1)
    radius = SIDE / 22
    ring = torch.minimum((place - left).norm(dim=-1), (place - right).norm(dim=-1)) - radius
    line = torch.where(ring < 0, ring.new_tensor(9.0), line)
    ink = (SIDE / 160 - torch.minimum(ring.abs(), line)).clamp(0, 1)
    return torch.lerp(image, _paint(MARK), ink[None])


def _paint(colour: Sequence[float]) -> Tensor:
    return torch.tensor(colour).view(3, 1, 1) * 2 - 1


def _shares(image: Tensor) -> Tensor:
    """Share of the pixels of (C, H, W) in each of :data:`BINS` steps of brightness."""
    return torch.histc(to_unit(to_channels(image, 1)), BINS, 0, 1) / image[0].numel()


def _histograms(before: Tensor, after: Tensor) -> Tensor:
    """Brightness (3, SIDE, SIDE): bars before, a line after; dark at the left."""
    bars, steps = _shares(before), _shares(after)
    top = max(bars.max().item(), steps.max().item()) * 1.05
    column = (torch.arange(SIDE) * BINS // SIDE).clamp(max=BINS - 1)
    height = torch.arange(SIDE, 0, -1)[:, None] - 0.5
    levels = [(share / top * SIDE)[column] for share in (bars, steps)]
    sheet = torch.where(height < levels[0], _paint(BEFORE), torch.ones(3, 1, 1))
    thick = SIDE // 120
    high = F.max_pool1d(levels[1][None], 2 * thick + 1, 1, thick)[0]
    low = -F.max_pool1d(-levels[1][None], 2 * thick + 1, 1, thick)[0]  # a step is as thick as what lies flat
    line = (height > low - thick) & (height < high + thick)
    return torch.where(line, _paint(AFTER), sheet)


def _eyes_said(crop: Crop, aligned: bool) -> str:
    left, right = eye_centres(crop.points)
    dx, dy = (right - left).tolist()
    tilt = torch.rad2deg(torch.atan2(torch.tensor(dy), torch.tensor(dx))).item()
    apart = (dx * dx + dy * dy) ** 0.5 / crop.image.shape[-1]
    said = f"Eyes in the crop: tilted by {degrees(round(tilt))}, {apart:.0%} of the side apart"
    return said + (f"; aligned: <b>0°, {EYE_DISTANCE:.0%}</b>. " if aligned else ", and so they are shown. ")


def _brightness_said(before: Tensor, after: Tensor) -> str:
    spread = [to_unit(to_channels(image, 1)).std(correction=0).item() for image in (before, after)]
    return f"Spread of brightness {spread[0]:.2f}, then <b>{spread[1]:.2f}</b> (flat: 0.29). "


def _means_said(loose: Tensor, tight: Tensor) -> str:
    found, aligned = edges(loose), edges(tight)
    return f"Edges in the mean face: {found:.1%} with one crop for all, <b>{aligned:.1%}</b> aligned."


def edges(image: Tensor) -> float:
    """How sharp the middle of a picture is: root mean square step from pixel to pixel, share of the range.

    Args:
        image: (C, H, W) in [-1, 1]; its middle half a side is measured, where eyes, nose and
            mouth are.

    Taught in: lesson 08.
    """
    grey = to_unit(to_channels(image, 1))
    height, width = (n // 4 for n in grey.shape[-2:])
    inner = grey[:, height : 3 * height, width : 3 * width]
    return ((inner.diff(dim=-1).square().mean() + inner.diff(dim=-2).square().mean()) ** 0.5).item()
