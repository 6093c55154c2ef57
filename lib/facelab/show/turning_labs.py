"""The labs of lesson 07: turn a head and see it guessed from the front; walk the plane of a small code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from facelab.data.kface import CAMERAS, ROW
from facelab.images import grid, to_channels
from facelab.metrics.image import psnr
from facelab.show.lab import Drawn, Lab, chooser, slider
from facelab.synth.render import render
from facelab.synth.view import Light, View, frontal
from facelab.synth.wear import ACCESSORIES

YAWS = tuple(int(CAMERAS[camera].yaw) for camera in ROW)
"""Degrees of the thirteen angles, in the order of their numbers."""
LIGHTS = {"soft, from above": (35.0, 0.62, 0.44), "hard": (15.0, 0.95, 0.16), "from below": (-30.0, 0.8, 0.25)}
"""Elevation in degrees, strength, ambient share of each light of :func:`turn_lab`."""
_REACH, _SIDE = 2.5, 5  # of the plane that is shown, standard deviations; pictures along its side


def turn_lab(models: Mapping[str, Callable[[Tensor], Any]], people: Sequence[int], size: int, channels: int = 3) -> Lab:
    """Turn a rendered head, move the lamp, put something on, and see what each network takes for its frontal view.

    Args:
        models: name → pictures (N, C, S, S) to a ``Restoration``.
        people: numbers of rendered people, see :func:`facelab.synth.person.person`.
        size: side of the pictures, pixels. channels: 1 or 3.

    Returns:
        A lab; its controls are ``who yaw pitch lamp light accessory``.

    Taught in: 07.
    """
    one = lambda who, view: to_channels(render(who, view, size).image, channels)[None]  # noqa: E731
    front = lru_cache(maxsize=16)(lambda who, accessory: one(who, frontal(View(accessory=accessory))))

    def draw(who, yaw, pitch, lamp, light, accessory) -> Drawn:
        elevation, strength, ambient = LIGHTS[light]
        lit = Light(lamp, elevation, strength, ambient)
        seen, truth = one(who, View(yaw=yaw, pitch=pitch, light=lit, accessory=accessory)), front(who, accessory)
        guesses = {name: restore(seen).image.detach().float().cpu() for name, restore in models.items()}
        panels = {"seen": seen, **guesses, "true front": truth}
        found = ", ".join(f"{name} <b>{psnr(guess, truth).item():.1f}</b>" for name, guess in guesses.items())
        words = f"to the true frontal picture: the input {psnr(seen, truth).item():.1f} dB" + (
            f", {found}" * bool(found)
        )
        return {name: picture[0] for name, picture in panels.items()}, words

    return Lab(draw, {
        "who": chooser("person", [(f"person {number}", number) for number in people]),
        "yaw": slider("yaw (°)", 45.0, -90.0, 90.0, 5.0), "pitch": slider("pitch (°)", 0.0, -30.0, 30.0, 5.0),
        "lamp": slider("lamp from (°)", 0.0, -90.0, 90.0, 10.0), "light": chooser("light", list(LIGHTS)),
        "accessory": chooser("wears", list(ACCESSORIES)),
    })  # fmt: skip


def plane_lab(
    decode: Callable[[Tensor, Tensor], Tensor], shown: Mapping[str, tuple[float, float]] | None = None
) -> Lab:
    """Walk the plane of a code of two numbers; the angle is a control of its own.

    Args:
        decode: codes (N, 2) and angles (N,) int64 to pictures (N, C, S, S) in [-1, 1].
        shown: name → code, of faces whose places in the plane one can jump to.

    Returns:
        A lab; its controls are ``place across up angle``.

    Taught in: 07.
    """
    places = {"by hand": None, **(shown or {})}

    def draw(place, across, up, angle) -> Drawn:
        here = torch.tensor([[across, up]])
        steps = torch.linspace(-_REACH, _REACH, _SIDE)
        plane = torch.cartesian_prod(steps.flip(0), steps).flip(1)  # up is up
        one = decode(here, torch.tensor([angle]))
        row = decode(here.expand(len(YAWS), 2), torch.arange(len(YAWS)))
        around = decode(plane, torch.full((len(plane),), angle))
        panels = {
            "this place": one[0], "its thirteen angles": _square(row),
            f"the plane, ±{_REACH:g}": grid(around.detach().float().cpu().clamp(-1, 1), _SIDE, 0),
        }  # fmt: skip
        words = minus(f"code (<b>{across:.2f}</b>, <b>{up:.2f}</b>), yaw {degrees(YAWS[angle])}")
        return {name: picture.detach().float().cpu() for name, picture in panels.items()}, words

    controls = _plane_controls(list(places))

    def jump(change) -> None:
        if places[change["new"]] is not None:
            controls["across"].value, controls["up"].value = places[change["new"]]

    controls["place"].observe(jump, names="value")
    return Lab(draw, controls)


def degrees(yaw: int) -> str:
    """An angle with its sign; straight ahead has none."""
    return minus(f"{yaw:+d}°" if yaw else "0°")


def minus(words: str) -> str:
    """Words with the minus sign that sliders write."""
    return words.replace("-", "−")


def _plane_controls(places: Sequence[str]) -> dict[str, ipywidgets.Widget]:
    angles = [(degrees(yaw), k) for k, yaw in enumerate(YAWS)]
    return {
        "place": chooser("place", [(name, name) for name in places]),
        "across": slider("1st number", 0.0, -_REACH, _REACH, 0.05),
        "up": slider("2nd number", 0.0, -_REACH, _REACH, 0.05),
        "angle": chooser("yaw", angles, len(YAWS) // 2),
    }


def _square(pictures: Tensor) -> Tensor:
    """Thirteen pictures as a square of four by four; the rest stays empty."""
    count = len(pictures)
    empty = pictures.new_full((16 - count, *pictures.shape[1:]), 1.0)
    return grid(torch.cat([pictures, empty]).detach().float().cpu().clamp(-1, 1), 4, 0)
