"""Pictures as files small enough for a repository."""

from __future__ import annotations

import io

from PIL import Image
from torch import Tensor

from facelab import images

LIMIT = 150 * 1024  # bytes
QUALITIES = (92, 88, 84, 78, 72, 66, 60, 52)
GREYS = (16, 12, 8, 6, 4, 2)


def jpeg(sheet: Tensor, limit: int = LIMIT) -> bytes:
    """A picture (C, H, W) in [-1, 1] as a JPEG file of at most ``limit`` bytes, as good as that allows.

    Raises:
        ValueError: it does not fit.
    """
    return _first_that_fits(images.to_pil(sheet), limit, [{"format": "JPEG", "quality": q} for q in QUALITIES])


def png(hole: Tensor, limit: int = LIMIT) -> bytes:
    """A hole (1, H, W) in [0, 1] as a PNG file, in as many greys as the limit allows, at most sixteen.

    Raises:
        ValueError: it does not fit.
    """
    picture = images.to_pil(hole * 2 - 1).convert("L")
    for greys in GREYS:
        step = 255 / (greys - 1)
        levels = [round(round(value / step) * step) for value in range(256)]
        try:
            return _first_that_fits(picture.point(levels), limit, [{"format": "PNG"}])
        except ValueError:
            continue
    raise ValueError(f"{tuple(hole.shape)} do not fit into {limit} bytes")


def _first_that_fits(picture: Image.Image, limit: int, ways: list[dict[str, object]]) -> bytes:
    for way in ways:
        out = io.BytesIO()
        picture.save(out, optimize=True, **way)
        if out.tell() <= limit:
            return out.getvalue()
    raise ValueError(f"{picture.size[0]} × {picture.size[1]} pixels do not fit into {limit} bytes")
