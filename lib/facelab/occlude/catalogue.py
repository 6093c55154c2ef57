"""All kinds of occluders: how each draws its parameters, and how it becomes a shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from facelab.occlude import eyewear, freeform, objects, phone, plain, strands, unseen, wear
from facelab.occlude.chance import Params
from facelab.occlude.face import sides
from facelab.occlude.geometry import Shape
from facelab.occlude.surface import render


class Kind(NamedTuple):
    """``sample(landmarks, generator, size) -> params`` and ``draw(images, params) -> (occluded, hole)``."""

    sample: Callable[[Tensor, torch.Generator, int | tuple[int, int]], Params]
    draw: Callable[[Tensor, Params], tuple[Tensor, Tensor]]


SHAPES: dict[str, tuple[Callable, Callable[[Params, tuple[int, int]], Shape]]] = {
    "squares": (plain.sample_squares, plain.shape_boxes),
    "patch": (plain.sample_patch, plain.shape_boxes),
    "edge": (plain.sample_edge, plain.shape_edge),
    "glasses": (eyewear.sample_glasses, eyewear.shape_glasses),
    "sunglasses": (eyewear.sample_sunglasses, eyewear.shape_glasses),
    "scarf": (wear.sample_scarf, wear.shape_scarf),
    "phone": (phone.sample_phone, phone.shape_phone),
    "cap": (wear.sample_cap, wear.shape_cap),
    "facemask": (wear.sample_facemask, wear.shape_facemask),
    "freeform": (freeform.sample_freeform, freeform.shape_freeform),
    "thing": (objects.sample_thing, objects.shape_thing),
    "strands": (strands.sample_strands, strands.shape_strands),
}
TRAIN_KINDS = tuple(SHAPES)  # never add below: what follows is kept from training
SHAPES |= {
    "hand": (unseen.sample_hand, unseen.shape_hand),
    "cup": (unseen.sample_cup, unseen.shape_cup),
    "photo_blob": (unseen.sample_photo_blob, unseen.shape_photo_blob),
    "photo_bar": (unseen.sample_photo_bar, unseen.shape_photo_bar),
}
UNSEEN_KINDS = tuple(name for name in SHAPES if name not in TRAIN_KINDS)
WEIGHTS = {"squares": 0.5, "glasses": 0.7, "edge": 0.7, "patch": 1.3, "thing": 2.0, "freeform": 3.0}


def _drawer(shape: Callable[[Params, tuple[int, int]], Shape]) -> Callable[[Tensor, Params], tuple[Tensor, Tensor]]:
    def draw(images: Tensor, params: Params) -> tuple[Tensor, Tensor]:
        """Put one occluder into each image (N, C, H, W): (occluded, hole)."""
        return render(images, shape(params, sides(images.shape[-2:])), params)

    return draw


KINDS: dict[str, Kind] = {name: Kind(sample, _drawer(shape)) for name, (sample, shape) in SHAPES.items()}
