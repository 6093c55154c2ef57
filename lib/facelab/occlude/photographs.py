"""Pieces of real photographs, for occluders that no training kind resembles.

The photographs are those that ship inside scikit-image's wheel; none shows a human face where it is cropped.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab.errors import MissingPart
from facelab.images import load_image, resize
from facelab.occlude.chance import Draws, Params
from facelab.occlude.geometry import col

# file: the part that is used, as fractions left, top, right, bottom
PHOTOGRAPHS = {
    "astronaut.png": (0.0, 0.42, 1.0, 1.0), "coffee.png": (0.0, 0.0, 1.0, 1.0), "chelsea.png": (0.78, 0.25, 1.0, 1.0),
    "brick.png": (0.0, 0.0, 1.0, 1.0), "grass.png": (0.0, 0.0, 1.0, 1.0), "gravel.png": (0.0, 0.0, 1.0, 1.0),
    "ihc.png": (0.0, 0.0, 1.0, 1.0), "motorcycle_left.png": (0.0, 0.0, 1.0, 1.0), "rocket.jpg": (0.0, 0.3, 1.0, 1.0),
    "retina.jpg": (0.15, 0.15, 0.85, 0.85), "page.png": (0.0, 0.0, 1.0, 1.0),
    "hubble_deep_field.jpg": (0.0, 0.0, 0.4, 0.4),
}  # fmt: skip


def folder() -> Path:
    """Where scikit-image keeps its pictures; found without importing it.

    Raises:
        MissingPart: scikit-image is not installed.
    """
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart("scikit-image", "Its photographs texture two kinds of occluder: pip install scikit-image")
    return Path(spec.submodule_search_locations[0]) / "data"


@functools.cache
def photographs() -> tuple[Tensor, ...]:
    """The photographs (3, h, w) in [0, 1], cropped to their usable part, about 300 px along the shorter side.

    Raises:
        MissingPart: none of the files is there.
    """
    found = []
    for name, (left, top, right, bottom) in PHOTOGRAPHS.items():
        path = folder() / name
        if path.is_file():
            whole = (load_image(path, channels=3) + 1) / 2
            height, width = whole.shape[-2:]
            part = whole[:, int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
            scale = min(1.0, 300 / min(part.shape[-2:]))
            found.append(resize(part, (round(part.shape[-2] * scale), round(part.shape[-1] * scale))).clamp(0, 1))
    if not found:
        raise MissingPart(f"photographs in {folder()}", "Reinstall scikit-image from its wheel.")
    return tuple(found)


def sample_crop(draws: Draws) -> Params:
    """Which photograph (0..1 through the list), from where, how large, mirrored or not."""
    return {
        "photo": draws.uniform(0.0, 1.0), "crop_x": draws.uniform(0.0, 1.0), "crop_y": draws.uniform(0.0, 1.0),
        "crop_zoom": torch.exp(draws.uniform(-0.5, 0.5)), "mirror": draws.pick([-1.0, 1.0]),
    }  # fmt: skip


def crops(params: Params, p: Tensor, q: Tensor) -> Tensor:
    """Photographs laid under local pixel coordinates (N, H, W): (N, 3, H, W) in [0, 1]; reflected at their borders."""
    bank = photographs()
    index = (params["photo"] * len(bank)).long().clamp(max=len(bank) - 1)
    step = col(params["crop_zoom"]) * 128 / min(p.shape[-2:])
    out = p.new_empty(len(p), 3, *p.shape[1:])
    for number in index.unique().tolist():
        rows = (index == number).nonzero()[:, 0]
        height, width = bank[number].shape[-2:]
        x = p[rows] * step[rows] * col(params["mirror"][rows]) + col(params["crop_x"][rows]) * width
        y = q[rows] * step[rows] + col(params["crop_y"][rows]) * height
        where = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)
        photo = bank[number].expand(len(rows), -1, -1, -1)
        out[rows] = F.grid_sample(photo, where, padding_mode="reflection", align_corners=False)
    return out
