"""The one place that converts pictures.

An *image* is float32, CHW or NCHW, in [-1, 1]. A *hole* is float32, 1HW or N1HW, in [0, 1], **1 = hidden**.
Everything else in facelab takes and gives these two; only this module knows files, bytes and Pillow.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from facelab.errors import BadImage
from facelab.files import atomic_path

MAX_MEGAPIXELS = 25.0


def open_picture(source: str | Path | bytes, max_megapixels: float = MAX_MEGAPIXELS) -> Image.Image:
    """Decode a file completely, upright, as 8-bit ``L`` or ``RGB``.

    Args:
        source: a path, or the file's bytes.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        BadImage: missing, empty, truncated, not a picture, too large.
    """
    name = "<bytes>" if isinstance(source, bytes) else str(source)
    try:
        raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise BadImage(name, error.strerror or str(error)) from error
    if not raw:
        raise BadImage(name, "the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns on odd metadata; size is checked below
            picture = Image.open(io.BytesIO(raw))
            _refuse_large(name, picture.size, max_megapixels)
            picture.load()
            _refuse_cut_off(name, raw, picture.format or "")
            return _plain_mode(ImageOps.exif_transpose(picture), name)
    except BadImage:
        raise
    except Image.DecompressionBombError as error:
        raise BadImage(name, f"more than the {max_megapixels:g} megapixels allowed") from error
    except MemoryError:
        raise
    except UnidentifiedImageError as error:  # it names an object in memory, which helps nobody
        raise BadImage(name, "is no picture that can be read, whatever its name says") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ZeroDivisionError ...
        raise BadImage(name, f"{type(error).__name__}: {error}") from error


def _refuse_large(name: str, size: tuple[int, int], max_megapixels: float) -> None:
    if size[0] * size[1] > max_megapixels * 1e6:
        raise BadImage(name, f"{size[0]}×{size[1]} is more than the {max_megapixels:g} megapixels allowed")


def _refuse_cut_off(name: str, raw: bytes, kind: str) -> None:
    """Pillow forgives a file whose last few bytes are missing; whoever counts damaged files must not."""
    if kind in ("JPEG", "MPO"):
        complete = raw.find(b"\xff\xd9", _jpeg_scan(raw)) >= 0
    elif kind == "PNG":
        complete = b"IEND\xaeB`\x82" in raw
    elif kind == "BMP":
        complete = len(raw) >= int.from_bytes(raw[2:6], "little")
    else:
        complete = kind != "GIF" or raw.rstrip(b"\0").endswith(b"\0;")
    if not complete:
        raise BadImage(name, f"the {kind} is cut off: its end is missing")


def _jpeg_scan(raw: bytes) -> int:
    """Where a JPEG's first scan begins, past any thumbnail in its header (which has an end marker of its own)."""
    at = 2
    while at + 4 <= len(raw) and raw[at] == 0xFF and raw[at + 1] != 0xDA:
        at += 1 if raw[at + 1] == 0xFF else 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return at


def _plain_mode(picture: Image.Image, name: str = "<picture>") -> Image.Image:
    """Any Pillow mode to ``L`` or ``RGB``: 16-bit is scaled, transparency is laid on white."""
    if picture.mode in ("L", "RGB"):
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        return _scaled(np.asarray(picture), 1 if picture.mode == "F" else 65535, name)
    if picture.mode == "1":
        return picture.convert("L")
    if "A" in picture.mode or "transparency" in picture.info:
        grey = picture.mode == "LA"
        picture = picture.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return flat.convert("L" if grey else "RGB")
    return picture.convert("RGB")


def _scaled(values: np.ndarray, white: int, name: str) -> Image.Image:
    """More than 8 bits (H, W) to ``L``. What is white depends on the kind of number, never on the content: a dark
    picture stays dark."""
    if not ((values >= 0) & (values <= white)).all():  # NaN is outside, too
        reason = f"its numbers leave 0 to {white}, so what is white in it is unknown; save it as an 8-bit PNG"
        raise BadImage(name, reason)
    return Image.fromarray(np.round(values * (255.0 / white)).astype(np.uint8), "L")


def from_pil(picture: Image.Image, channels: int | None = None) -> Tensor:
    """Pillow picture to an image.

    Args:
        picture: any mode.
        channels: 1 or 3; None keeps grey grey and colour colour.

    Returns:
        Tensor (C, H, W) in [-1, 1].

    Raises:
        BadImage: numbers of more than 8 bits, whose white is unknown.
    """
    picture = _plain_mode(picture)
    if channels is not None:
        picture = picture.convert({1: "L", 3: "RGB"}[channels])
    array = np.array(picture, dtype=np.uint8)
    array = array[:, :, None] if array.ndim == 2 else array
    return from_uint8(torch.from_numpy(array).permute(2, 0, 1))


def to_pil(image: Tensor) -> Image.Image:
    """Image (C, H, W) in [-1, 1], C 1 or 3, to an 8-bit Pillow picture."""
    array = to_uint8(image.detach()).cpu().permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else np.ascontiguousarray(array))


def load_image(source: str | Path | bytes, channels: int | None = None, size: int | None = None) -> Tensor:
    """Read a file as an image (C, H, W) in [-1, 1].

    Args:
        source: a path, or the file's bytes.
        channels: 1 or 3; None keeps the file's own.
        size: resize to a square of so many pixels; None keeps the file's own size.

    Raises:
        BadImage: see :func:`open_picture`.
    """
    image = from_pil(open_picture(source), channels)
    return image if size is None else resize(image, size)


def load_hole(source: str | Path | bytes) -> Tensor:
    """Read a hole picture (white = hidden) as (1, H, W) in [0, 1]."""
    return (from_pil(open_picture(source), 1) + 1) / 2


def is_grey(image: Tensor) -> bool:
    """Whether an image (C, H, W) in [-1, 1] has no colours: in 99 of 100 pixels channels differ by 3 of 255 at most."""
    spread = image.amax(0) - image.amin(0)
    return bool((spread <= 3 / 127.5 + 1e-6).float().mean() >= 0.99)


def save_image(image: Tensor, path: str | Path) -> None:
    """Write an image (C, H, W) in [-1, 1] atomically; the suffix names the format."""
    with atomic_path(path) as temporary:
        to_pil(image).save(temporary)


def save_hole(hole: Tensor, path: str | Path) -> None:
    """Write a hole (1, H, W) in [0, 1] as 8-bit grey, 255 = hidden."""
    save_image(hole * 2 - 1, path)


def from_uint8(pixels: Tensor) -> Tensor:
    """uint8 0..255 to float32 [-1, 1]."""
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(image: Tensor) -> Tensor:
    """Float [-1, 1] to uint8 0..255, rounded; the inverse of :func:`from_uint8` on all 256 values."""
    return image.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def to_unit(image: Tensor) -> Tensor:
    """[-1, 1] to [0, 1], the range metrics and feature nets are defined on."""
    return (image + 1) / 2


def to_channels(image: Tensor, channels: int) -> Tensor:
    """Repeat grey to colour, or reduce colour to luminance (ITU-R 601), along the channel axis (-3)."""
    have = image.shape[-3]
    if have == channels:
        return image
    if have == 1 and channels == 3:
        return image.expand(*image.shape[:-3], 3, *image.shape[-2:])
    if have == 3 and channels == 1:
        weights = image.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
        return (image * weights).sum(-3, keepdim=True)
    raise ValueError(f"cannot turn {have} channels into {channels}; give 1 or 3")


def resize(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (C, H, W) or (N, C, H, W), bilinear and antialiased; rounding never leaves the range of the input.

    Args:
        image: an image or a hole.
        size: the side of a square, or (height, width), pixels.
    """
    target = (size, size) if isinstance(size, int) else tuple(size)
    if tuple(image.shape[-2:]) == target:
        return image
    batch = image if image.dim() == 4 else image[None]
    out = F.interpolate(batch, size=target, mode="bilinear", antialias=True, align_corners=False)
    out = out.clamp(batch.amin(), batch.amax())  # a hole of 1.0000001 is none
    return out if image.dim() == 4 else out[0]


def composite(known: Tensor, pred: Tensor, hole: Tensor) -> Tensor:
    """``known`` where visible, ``pred`` where hidden.

    Args:
        known: (N, C, H, W), the picture as it was given.
        pred: same shape, the network's guess.
        hole: (N, 1, H, W) in [0, 1], 1 = hidden.

    Returns:
        (N, C, H, W). Where ``hole`` is 0 the result equals ``known`` bit for bit.
    """
    return known * (1 - hole) + pred * hole


def grid(images: Tensor, columns: int, gap: int = 2, background: float = 1.0) -> Tensor:
    """Lay images (N, C, H, W) out row by row; for looking, never for measuring.

    Returns:
        Tensor (C, rows·(H+gap)-gap, columns·(W+gap)-gap).
    """
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    out = images.new_full((channels, rows * (height + gap) - gap, columns * (width + gap) - gap), background)
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        out[:, top : top + height, left : left + width] = image
    return out
