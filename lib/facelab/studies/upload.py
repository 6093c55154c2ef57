"""What becomes of an uploaded photograph: read from memory, restored, or refused with a reason a visitor understands.

Nothing here writes a file.
Taught in: lesson 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from facelab import images
from facelab.errors import BadImage, MissingPart
from facelab.studies.one_picture import face_anew, note_on_eyes, restore_faces, restore_image

MAX_BYTES = 20_000_000
MAX_MEGAPIXELS = 24.0
WORK_PIXELS = 1600 * 1600  # larger photographs are worked on at this many
LEAST = 32  # pixels of the shorter side
STARTS = {b"%PDF": "a PDF document", b"PK\x03\x04": "a ZIP archive or an office document", b"<svg": "a drawing (SVG)"}
"""How files begin that are not photographs, whatever their names say."""


@dataclass(frozen=True)
class Answer:
    """One photograph before and after.

    Args:
        before: (C, H, W) in [-1, 1].
        hole: (1, H, W) in [0, 1], 1 = was hidden; None where the system has no hole.
        after: (C, H, W), visible pixels as in ``before``.
        note: what a visitor should know, one sentence each.
    """

    before: Tensor
    hole: Tensor | None
    after: Tensor
    note: str


def read_upload(content: bytes) -> tuple[Tensor, str]:
    """A file's bytes to an image.

    Args:
        content: of a JPEG, PNG, WebP, BMP, GIF or TIFF file.

    Returns:
        (C, H, W) in [-1, 1] of at most :data:`WORK_PIXELS`, and a note about a change of size, or ``""``.

    Raises:
        BadImage: not a picture, damaged, or larger than :data:`MAX_BYTES` or :data:`MAX_MEGAPIXELS`.
    """
    if len(content) > MAX_BYTES:
        raise BadImage("the file", f"is too large: this page takes at most {MAX_BYTES / 1e6:.0f} MB. Save it smaller")
    try:
        image = images.from_pil(images.open_picture(bytes(content), MAX_MEGAPIXELS))
    except BadImage as error:
        raise BadImage("the file", _plainly(bytes(content), error.reason)) from error
    height, width = image.shape[-2:]
    if min(height, width) < LEAST:
        raise BadImage("the file", f"has {width}×{height} pixels; a face needs at least {LEAST}")
    if height * width <= WORK_PIXELS:
        return image, ""
    scale = (WORK_PIXELS / (height * width)) ** 0.5
    size = (round(height * scale), round(width * scale))
    return images.resize(image, size).clamp(
        -1, 1
    ), f"Reduced from {width}×{height} to {size[1]}×{size[0]} for this page."


def _plainly(content: bytes, reason: str) -> str:
    """A decoder's complaint in words for somebody who has never seen a decoder."""
    if "megapixels" in reason:
        return f"is too large: {reason}"
    if any(word in reason for word in ("cut off", "truncated", "empty")):
        return "is empty" if "empty" in reason else "is cut off: its end is missing"
    kind = next((words for start, words in STARTS.items() if content.startswith(start)), "")
    kind = "a video or a HEIC photograph" if content[4:8] == b"ftyp" else kind
    return (
        f"is {kind}, whatever its name says; save the photograph as JPEG or PNG"
        if kind
        else "cannot be read as a photograph"
    )


def answer(
    content: bytes, restore: Callable, size: int, channels: int, whole: bool = False, anew: str = "",
    by_eyes: bool = False,
) -> Answer:  # fmt: skip
    """Restore an uploaded photograph.

    Args:
        content: of the file.
        restore: images at the network's size to a restoration.
        size, channels: the network's.
        whole: take the picture for a crop of one face; else faces are looked for, and each is restored in its place.
        anew: of a system that makes whole pictures, how the largest face is cut out, one of
            :data:`facelab.studies.one_picture.CUTS`; both pictures show it alone.
        by_eyes: a picture taken for one face whose eyes are not at their canonical places is remarked on.

    Returns:
        The picture before and after, at most :data:`WORK_PIXELS` large; the sizes of all three parts agree.

    Raises:
        BadImage: see :func:`read_upload`; or no face was found.
    """
    image, note = read_upload(content)
    if whole:
        side = max(image.shape[-2:]) / min(image.shape[-2:])
        odd = "It is far from square: crop it around the face for a better result. " if side > 1.5 else ""
        if by_eyes and not odd and note_on_eyes(image):
            odd = "Its eyes are not where this network knows them: let the face be found for a better result. "
        after, hole = restore_image(restore, image, size, channels)
        return Answer(image, hole, after, odd + note)
    try:
        search = partial(face_anew, cut=anew) if anew else restore_faces
        found = search(restore, image, size, channels, doubtful=True)
    except MissingPart as error:
        raise BadImage(
            "the file", f"cannot be searched for faces here ({error}) Take it as one face instead"
        ) from error
    if found is None:
        raise BadImage("the photograph", "shows no face that could be found. If it is one face, large, covered "
                       "or turned, choose “the picture is one face”")  # fmt: skip
    if anew:
        face, turned, _ = found
        said = f"The largest face was cut out; every pixel of the answer is the network's. {note}"
        return Answer(face, None, turned, said.strip())
    after, hole, boxes = found
    many = "1 face was" if len(boxes) == 1 else f"{len(boxes)} faces were"
    return Answer(image, hole, after, f"{many} found and restored. {note}".strip())


def blended(shown: Answer, share: float) -> Tensor:
    """Input and result mixed.

    Args:
        shown: see :class:`Answer`. share: of the result, 0 (the input) to 1.

    Returns:
        (C, H, W) in [-1, 1].
    """
    return torch.lerp(shown.before, images.to_channels(shown.after, shown.before.shape[0]), share)
