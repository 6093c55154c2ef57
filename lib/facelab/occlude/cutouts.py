"""The user's own occluders: a folder of PNGs with transparency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from facelab.errors import BadImage, LayoutError
from facelab.images import open_picture, resize
from facelab.occlude.chance import Draws, Params, take
from facelab.occlude.face import fill, measures, sides
from facelab.occlude.geometry import Shape, local, texture_space
from facelab.occlude.surface import plain, sample_surface

SUFFIXES = (".png", ".webp", ".tif", ".tiff", ".gif", ".jpg", ".jpeg", ".bmp")
LONG_SIDE = {"scarf": 64, "cup": 64, "hand": 120, "phone": 80, "mask": 100, "facemask": 100}
AT_THE_EYES = ("glasses", "sun_glasses", "sunglasses")
LOW = ("scarf", "cup", "mask", "facemask")
LARGEST = 256


@dataclass(frozen=True)
class Cutout:
    """One occluder.

    Args:
        name: its file's stem; ``glasses_03`` is placed as glasses, ``cup_1`` as a cup, anything else anywhere.
        pixels: (4, h, w) red, green, blue, alpha in [0, 1]; colours are multiplied by alpha.
    """

    name: str
    pixels: Tensor

    @property
    def type(self) -> str:
        """What the name says it is: the part before the number."""
        return self.name.lower().rstrip("0123456789").rstrip("_- ")


def load_cutout(path: str | Path) -> Cutout:
    """Read one picture; without transparency it is opaque. Empty margins are cut off, giants reduced to 256 px.

    Raises:
        BadImage: not a usable picture, or nothing in it is visible.
    """
    picture = open_picture(path)
    with Image.open(path) as raw:
        if "A" in raw.mode or "transparency" in raw.info:
            picture = ImageOps.exif_transpose(raw).convert("RGBA")
    pixels = torch.from_numpy(np.array(picture.convert("RGBA"))).permute(2, 0, 1).float() / 255
    rows, columns = ((pixels[3] > 0.02).any(dim).nonzero() for dim in (1, 0))
    if not len(rows):
        raise BadImage(path, "every pixel is transparent, there is nothing to show")
    pixels = pixels[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    pixels = torch.cat([pixels[:3] * pixels[3:], pixels[3:]])
    scale = min(1.0, LARGEST / max(pixels.shape[-2:]))
    return Cutout(Path(path).stem, resize(pixels, tuple(max(1, round(side * scale)) for side in pixels.shape[-2:])))


def load_cutouts(folder: str | Path) -> list[Cutout]:
    """Read all pictures of a folder, in the order of their names.

    Args:
        folder: holds PNGs with transparency; ``<type>_<number>.png`` decides where a cut-out is placed.

    Raises:
        LayoutError: no such folder, or no picture in it.
        BadImage: a file that cannot be used; the message names it.
    """
    folder, expected = Path(folder), "a folder of PNG pictures with transparency"
    if not folder.is_dir():
        raise LayoutError(folder, expected, "no such folder", "Check the path.")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        count = sum(1 for _ in folder.iterdir())
        raise LayoutError(folder, expected, f"{count} files, none a picture", "Save each occluder as an RGBA PNG here.")
    return [load_cutout(path) for path in files]


def sample_cutout(cutouts: Sequence[Cutout], landmarks: Tensor, generator: torch.Generator, size) -> Params:
    """Choose cut-outs, and place each by its type.

    Source: sizes, the turn of up to 15 degrees and the places from OA-GAN's released data loader, scaled from 128 px.
    """
    frame, draws = sides(size), Draws(generator, len(landmarks))
    face = measures(fill(landmarks, draws.count, frame))
    item = draws.pick(range(len(cutouts)))
    chosen = [cutouts[k] for k in item.tolist()]
    unit = min(frame) / 128
    long_side = unit * torch.tensor([float(LONG_SIDE.get(c.type.split("_")[0], 70)) for c in chosen])
    ratio = torch.tensor([c.pixels.shape[2] / c.pixels.shape[1] for c in chosen])
    eyes = torch.tensor([c.type in AT_THE_EYES for c in chosen])
    width = torch.where(eyes, 2.3 * face["span"], torch.where(ratio > 1, long_side, long_side * ratio))
    height = width / ratio
    x = width / 2 + draws.uniform(0.0, 1.0) * (frame[1] - width).clamp(min=0)
    y = height / 2 + draws.uniform(0.0, 1.0) * (frame[0] - height).clamp(min=0)
    low = torch.tensor([c.type.split("_")[0] in LOW for c in chosen])
    y = torch.where(low, frame[0] - height / 2 - draws.uniform(0.0, 20 * unit), y)
    surface = plain(sample_surface(draws), relief=0, gloss=0, ambient=1, jpeg=0)
    return surface | {
        "item": item, "width": width, "height": height,
        "x": torch.where(eyes, face["eyes"][:, 0], x), "y": torch.where(eyes, face["eyes"][:, 1], y),
        "angle": torch.where(eyes, face["roll"], 0.0) + draws.uniform(-15.0, 15.0) * torch.where(eyes, 0.3, 1.0),
    }  # fmt: skip


def shape_cutout(cutouts: Sequence[Cutout], params: Params, size: tuple[int, int]) -> Shape:
    """Cut-outs at their size (reduced with antialiasing), turned, with their own colours and transparency."""
    layers = []
    for k in range(len(params["item"])):
        one = take(params, slice(k, k + 1))
        pixels = cutouts[int(one["item"])].pixels
        target = tuple(max(1, round(float(one[name]))) for name in ("height", "width"))
        small = resize(pixels, tuple(min(a, b) for a, b in zip(pixels.shape[-2:], target, strict=True)))
        p, q = local(one, size)
        where = torch.stack([2 * p / one["width"], 2 * q / one["height"]], -1)
        layers.append(F.grid_sample(small[None], where, align_corners=False))
    layer = torch.cat(layers)
    alpha = layer[:, 3].clamp(0, 1)
    u, v = texture_space(*local(params, size), size)
    return Shape(
        alpha, torch.zeros_like(alpha), u, v, picture=(layer[:, :3] / alpha[:, None].clamp(min=1e-3)).clamp(0, 1)
    )
