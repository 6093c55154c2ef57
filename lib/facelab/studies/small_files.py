"""Pictures as files small enough for a repository."""

from __future__ import annotations

import io
from collections.abc import Iterable

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
    picture = images.to_pil(sheet)
    return _first_that_fits((_encoded(picture, format="JPEG", quality=quality) for quality in QUALITIES), limit)


def png(hole: Tensor, limit: int = LIMIT) -> bytes:
    """A hole (1, H, W) in [0, 1] as a PNG file, in as many greys as the limit allows, at most sixteen.

    Raises:
        ValueError: it does not fit.
    """
    picture = images.to_pil(hole * 2 - 1).convert("L")
    return _first_that_fits((_encoded(picture.point(_levels(greys)), format="PNG") for greys in GREYS), limit)


def _levels(greys: int) -> list[int]:
    """What becomes of each of 256 greys where so many are left."""
    step = 255 / (greys - 1)
    return [round(round(value / step) * step) for value in range(256)]


def _encoded(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, optimize=True, **options)
    return out.getvalue()


def _first_that_fits(contents: Iterable[bytes], limit: int) -> bytes:
    for content in contents:
        if len(content) <= limit:
            return content
    raise ValueError(f"the pictures do not fit into {limit} bytes")
