"""One picture of any size through a network of one size: a crop of a face, or a photograph that shows one somewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from facelab import images


def restore_image(restore: Callable, image: Tensor, size: int, channels: int, hole: Tensor | None = None):
    """Restore one picture of any size and mode.

    Args:
        restore: batch at the network's size (and a hole, where given) to a restoration.
        image: (C, H, W) at its own size.
        size, channels: the network's.
        hole: (1, H, W) at the picture's own size; None lets the network find it.

    Returns:
        (C, H, W) composed at the picture's own size, and the hole (1, H, W) or None.
    """
    small, given = images.resize(images.to_channels(image, channels), size)[None], ()
    if hole is not None:
        small, given = _seen_smaller(images.to_channels(image, channels), hole, size)
    out = restore(small, *given)
    own = tuple(image.shape[-2:])
    pred = images.to_channels(images.resize(out.raw[0].cpu(), own), image.shape[0]).clamp(-1, 1)
    seen = image if hole is None else image[:, hole[0] == 0][..., None]  # what is hidden decides nothing
    if images.is_grey(seen):  # most black and white photographs are stored in colour, and none has a red mouth
        pred = images.to_channels(images.to_channels(pred, 1), len(image))
    where = hole if hole is not None or out.hole is None else images.resize(out.hole[0].cpu(), own).clamp(0, 1)
    if where is None:
        return pred, None
    return images.composite(image[None], pred[None], where[None])[0], where


def _seen_smaller(image: Tensor, hole: Tensor, size: int) -> tuple[Tensor, tuple[Tensor]]:
    """Picture and hole at the network's size; only visible pixels are averaged.

    Args:
        image: (C, H, W). hole: (1, H, W), 0 or 1.

    Returns:
        (1, C, size, size), and a tuple with the hole (1, 1, size, size): 1 where less than half is visible. What is
        thinner than that is no hole at this size: the picture there is the mean of what is visible around it.
    """
    share = images.resize(1 - hole, size).clamp(0, 1)
    small = images.resize(image * (1 - hole), size) / share.clamp(min=1e-3)
    hidden = share < 0.5
    return torch.where(hidden, images.resize(image, size), small).clamp(-1, 1)[None], (hidden.float()[None],)


def restore_faces(
    restore: Callable, photo: Tensor, size: int, channels: int, doubtful: bool = False
) -> tuple[Tensor, Tensor | None, list[list[int]]] | None:
    """Find the faces of a photograph, restore each in its aligned square, paste them back.

    Args:
        restore: batch at the network's size to a restoration.
        photo: (C, H, W) at its own size.
        size, channels: the network's.
        doubtful: also take what may be no face, where nothing clearer is there.

    Returns:
        The photograph (C, H, W), where it was filled (1, H, W) or None, and the faces' boxes, [left, top, right,
        bottom] in pixels; None where there is no face.

    Raises:
        MissingPart: dlib is not here.
    """
    from facelab.faces.align import align, paste_back
    from facelab.faces.detect import detect
    from facelab.faces.landmarks import find_landmarks

    boxes = detect(photo, doubtful=doubtful)
    hidden, black = None, torch.zeros(1, *photo.shape[-2:])
    for box in boxes:
        face, matrix = align(photo, find_landmarks(photo, box), size)
        done, hole = restore_image(restore, face, size, channels)
        photo = paste_back(photo, done, matrix, hole)
        if hole is not None:
            hidden = torch.maximum(black if hidden is None else hidden, paste_back(black, hole, matrix))
    return (photo, hidden, [list(box) for box in boxes]) if boxes else None


CUTS = ("portrait", "eyes")
"""How a face is cut out that is made anew: upright as it is, or by its eyes, which come to their canonical places."""
LARGEST = 512  # pixels of the side of such a cut


def face_anew(
    restore: Callable, photo: Tensor, size: int, channels: int, doubtful: bool = False, cut: str = "portrait"
) -> tuple[Tensor, Tensor, list[list[int]]] | None:
    """Find the largest face of a photograph, cut it out, and make its picture anew.

    It is not pasted back: a face seen from elsewhere, or in another light, fits nowhere.

    Args:
        restore, photo, size, channels, doubtful: as of :func:`restore_faces`.
        cut: one of :data:`CUTS`.

    Returns:
        The cut and the answer (C, S, S), and the face's box in a list; None where there is no face.

    Raises:
        MissingPart: dlib is not here.
    """
    from facelab.faces.detect import detect
    from facelab.faces.landmarks import find_landmarks

    boxes = detect(photo, doubtful=doubtful)
    if not boxes:
        return None
    face = _cut_out(photo, find_landmarks(photo, boxes[0]), cut)
    return face, restore_image(restore, face, size, channels)[0], [list(boxes[0])]


def _cut_out(photo: Tensor, marks: Tensor, cut: str) -> Tensor:
    from facelab.faces.align import EYE_DISTANCE, align, eye_centres
    from facelab.faces.portrait import portrait

    if cut == "portrait":
        return portrait(photo, marks, LARGEST)
    apart = float((eye_centres(marks)[1] - eye_centres(marks)[0]).norm())
    return align(photo, marks, max(16, min(round(apart / EYE_DISTANCE), LARGEST)))[0]


ASTRAY = 0.06
"""How far an eye may be from its canonical place, in sides of the picture: three times what training moves it."""


def wants_eyes(cut: str, cfg: Any) -> bool:
    """Whether a network has learned from faces whose eyes are at their canonical places, and knows no others.

    Args:
        cut: of the system's task. cfg: the network's configuration.
    """
    return cut == "eyes" and getattr(cfg, "align", True)


def note_on_eyes(image: Tensor) -> str:
    """What is said of a crop whose eyes are not where alignment puts them; the crop itself is used as it is.

    Args:
        image: (C, H, W), one face.

    Returns:
        A sentence; ``""`` where the eyes are at their places, are not found, or cannot be looked for without dlib.

    Taught in: lesson 08.
    """
    from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_centres
    from facelab.faces.landmarks import find_landmarks
    from facelab.faces.models import available

    marks = find_landmarks(image) if available() else None
    if marks is None:
        return ""
    found = (eye_centres(marks) + 0.5) / torch.tensor([image.shape[-1], image.shape[-2]])
    places = torch.tensor([[0.5 - EYE_DISTANCE / 2, EYE_HEIGHT], [0.5 + EYE_DISTANCE / 2, EYE_HEIGHT]])
    off = (found - places).norm(dim=1).max().item()
    if off <= ASTRAY:
        return ""
    return (
        f"an eye is {off:.0%} of the side away from where this network has learned eyes to be; "
        "--find-faces cuts the face out by its eyes"
    )
