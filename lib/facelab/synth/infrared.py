"""What a near-infrared camera with its own lamp sees: the same head, the same look, another light.

Such cameras carry light-emitting diodes of 850 nm around the lens and a filter that stops visible light. So the lamps
of the room do not count, no shadow lies at a side, and what is far from the camera is dark.
Taught in: lesson 08.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from facelab.synth.person import Person
from facelab.synth.render import render
from facelab.synth.view import Light, View, rotation, towards

VERSION = 1  # raise when a picture of the same view would come out differently
NEAR, ABOVE = 700.0, 2.0
"""The lamp: mm before the middle of the head, and degrees above the lens."""
STRENGTH, AMBIENT = 0.37, 0.02
"""Of the lamp; and of what the room throws back of it. Skin comes out about half as bright as white."""


def lamp_at_camera(view: View) -> Light:
    """The camera's own lamp, as lights are given: in the room in which the subject looks straight ahead.

    Args:
        view: where the camera stands follows from yaw, pitch and roll, for it is the head that is turned there.
    """
    x, y, z = rotation(view).T @ towards(Light(0.0, ABOVE))
    azimuth, elevation = np.degrees([np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))])
    return Light(float(azimuth), float(elevation), STRENGTH, AMBIENT, near=NEAR)


def infrared(who: Person | int, view: View, size: int) -> Tensor:
    """Somebody as a near-infrared camera sees him or her. The same person, view and size give the same bits.

    Args:
        who: a person or a number.
        view: how he or she is looked at; all of it counts but the light, which is the camera's own. A camera of seed 0
            adds nothing, any other its noise, which is not the visible camera's.
        size: side of the picture, pixels, 16 to 1024.

    Returns:
        (1, size, size) in [-1, 1]; every pixel shows what it shows in the picture :func:`facelab.synth.render.render`
        makes of the view.

    Raises:
        BadConfig: an impossible person or size.

    Source: active near-infrared imaging as in Li, Chu, Liao and Zhang 2007, "Illumination Invariant Face Recognition
    Using Near-Infrared Images"; the numbers are ours.
    Taught in: lesson 08.
    """
    seen = render(who, replace(view, light=lamp_at_camera(view), camera=0), size).nir
    return _recorded(seen[0].numpy(), view.camera)


def _recorded(picture: np.ndarray, seed: int) -> Tensor:
    """What the sensor makes of a picture (S, S) in [-1, 1]: exposure, softness, noise; little light makes more of it.

    Returns:
        (1, S, S).
    """
    if seed == 0:
        return torch.from_numpy(picture.copy())[None]
    random = np.random.default_rng([29, seed])
    bright = (picture.astype(np.float64) + 1) / 2 * random.uniform(0.92, 1.08)
    bright = gaussian_filter(bright, random.uniform(0.1, 0.6))
    bright += random.standard_normal(picture.shape) * random.uniform(0.005, 0.020)
    return torch.from_numpy((bright.clip(0, 1) * 2 - 1).astype(np.float32))[None]
