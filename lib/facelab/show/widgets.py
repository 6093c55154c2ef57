"""The labs of the lessons: put occluders on faces, scrub a predicted hole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from facelab.images import composite, to_channels
from facelab.metrics.image import psnr
from facelab.occlude import KINDS
from facelab.occlude.chance import Params
from facelab.occlude.face import fill
from facelab.occlude.texture import FAMILY_NAMES
from facelab.restoration import decided
from facelab.seeding import generator
from facelab.show.lab import LABEL, Drawn, Lab, chooser, face_chooser, slider

AS_DRAWN = "as drawn"
COLOURS = {
    "black": (0.03, 0.03, 0.03), "white": (0.95, 0.95, 0.93), "grey": (0.5, 0.5, 0.5), "skin": (0.85, 0.62, 0.5),
    "blue": (0.45, 0.68, 0.85), "red": (0.75, 0.1, 0.12), "green": (0.15, 0.45, 0.22), "yellow": (0.95, 0.8, 0.2),
}  # fmt: skip
VIEWS = ("composite", "raw", "truth")
PHOTOGRAPHS = ("photo_blob", "photo_bar")  # kinds that show a piece of a photograph


def restyled(params: Params, texture: str, colour: str) -> Params:
    """The same occluder in another material.

    Args:
        params: from a kind's ``sample``.
        texture: a name of ``facelab.occlude.texture.FAMILY_NAMES``, or "as drawn".
        colour: a name of ``COLOURS``, or "as drawn".
    """
    new = dict(params)
    if texture != AS_DRAWN:
        new["family"] = torch.full_like(params["family"], FAMILY_NAMES.index(texture))
        new["mix"] = torch.zeros_like(params["mix"])
    if colour != AS_DRAWN:
        shades = params["palette"] - params["palette"].mean(1, keepdim=True)
        spread = shades if texture == "flat" else shades + torch.linspace(-0.18, 0.18, shades.shape[1]).view(1, -1, 1)
        new["palette"] = (torch.tensor(COLOURS[colour]) + spread).clamp(0, 1)
        new["match"] = torch.zeros_like(params["match"])
    return new


def without_effect(kind: str, colour: str) -> dict[str, str]:
    """Controls that change nothing on this occluder, and why.

    Args:
        kind: of the occluder.
        colour: a name of ``COLOURS``, or "as drawn".

    Returns:
        Control → reason; empty for most kinds.
    """
    if kind in PHOTOGRAPHS:
        return dict.fromkeys(("texture", "colour"), "this kind shows a photograph")
    if kind == "squares" and colour == AS_DRAWN:
        return {"texture": "these squares are black; choose a colour first"}
    return {}


def moved(params: Params, right: float, down: float, size: float, turn: float) -> Params:
    """The same occluder elsewhere.

    Args:
        params: from a kind's ``sample``.
        right, down: pixels.
        size: factor.
        turn: degrees, clockwise.
    """
    return params | {
        "x": params["x"] + right, "y": params["y"] + down, "angle": params["angle"] + turn,
        "width": params["width"] * size, "height": params["height"] * size,
    }  # fmt: skip


def occlusion_lab(
    images: Tensor,
    landmarks: Tensor | None = None,
    names: Sequence[str] | None = None,
    kinds: Sequence[str] = tuple(KINDS),
) -> Lab:
    """Put an occluder of your choice on a face; the library draws it, and the hole it makes.

    Args:
        images: (N, C, H, W) in [-1, 1].
        landmarks: (N, 68, 2) pixels (x, y); None or rows of NaN stand for a canonical face.
        names: of the faces.
        kinds: occluders to choose from.

    Returns:
        A lab; its controls are ``face kind texture colour right down size turn edge shadow another``.

    Taught in: 02.
    """
    faces = images.detach().float().cpu()
    points = landmarks if landmarks is not None else torch.full((len(faces), 68, 2), torch.nan)
    frame, controls = tuple(faces.shape[-2:]), _occlusion_controls(len(faces), names, kinds)

    def draw(face, kind, texture, colour, right, down, size, turn, edge, shadow, another) -> Drawn:
        idle = without_effect(kind, colour)  # decided before a value that another kind left behind is dropped
        texture, colour = (AS_DRAWN if n in idle else v for n, v in (("texture", texture), ("colour", colour)))
        params = KINDS[kind].sample(fill(points[face : face + 1], 1, frame), generator(another, "lab", kind), frame)
        params = moved(restyled(params, texture, colour), right * frame[1], down * frame[0], size, turn)
        params |= {"softness": torch.full((1,), edge), "shadow": torch.full((1,), shadow)}
        image, hole = KINDS[kind].draw(faces[face : face + 1], params)
        half = ((hole > 0.01) & (hole < 0.99)).float().mean()
        words = f"<b>{kind}</b> hides {float(hole.mean()):.1%} of the picture; {float(half):.1%} lies in between"
        words += _switch_off(controls, idle)
        return {"face": faces[face], "hole (white = 1 = hidden)": hole[0] * 2 - 1, "composite": image[0]}, words

    return Lab(draw, controls)


def _switch_off(controls: dict[str, ipywidgets.Widget], reasons: dict[str, str]) -> str:
    """Switch off the controls that do nothing, and all others on; returns the words about it."""
    for name, control in controls.items():
        control.disabled = name in reasons
    return f"; no {' or '.join(reasons)}: {next(iter(reasons.values()))}" if reasons else ""


def _occlusion_controls(count: int, names: Sequence[str] | None, kinds: Sequence[str]) -> dict[str, ipywidgets.Widget]:
    first = "sunglasses" if "sunglasses" in kinds else kinds[0]
    layout = ipywidgets.Layout(width="300px")
    another = ipywidgets.IntSlider(0, min=0, max=50, description="another", layout=layout, style=LABEL)
    return {
        "face": face_chooser(count, names),
        "kind": chooser("kind", list(kinds), first),
        "another": another,
        "texture": chooser("texture", [AS_DRAWN, *FAMILY_NAMES]),
        "colour": chooser("colour", [AS_DRAWN, *COLOURS]),
        "edge": slider("rim (px)", 1.0, 0.5, 12.0, 0.5),
        "right": slider("right", 0.0, -0.6, 0.6, 0.01),
        "down": slider("down", 0.0, -0.6, 0.6, 0.01),
        "shadow": slider("shadow", 0.2, 0.0, 0.8, 0.05),
        "size": slider("size", 1.0, 0.2, 2.5, 0.05),
        "turn": slider("turn (°)", 0.0, -90.0, 90.0, 1.0),
    }


def scrubbed(hole: Tensor, threshold: float, softness: float) -> Tensor:
    """A predicted hole made decisive: 0 below the threshold, 1 above it, a ramp around it.

    The ramp ends where belief ends, at 0 or 1: what nobody doubts stays wholly visible or wholly hidden.

    Args:
        hole: any shape, in [0, 1].
        threshold: where the ramp has ½.
        softness: 0 = a hard step; 1 = the widest ramp, which with threshold ½ leaves the hole as it is.

    Returns:
        Same shape, in [0, 1].

    Taught in: 04.
    """
    if softness <= 0:
        return (hole > threshold).to(hole.dtype)
    reach = softness * min(threshold, 1 - threshold)
    return decided(hole, threshold - reach, threshold + reach)


def hole_lab(occluded: Tensor, restored: Any, truths: Tensor | None = None, names: Sequence[str] | None = None) -> Lab:
    """Scrub a predicted hole and see what the composite becomes.

    Args:
        occluded: (N, C, H, W) in [-1, 1], what the network was given.
        restored: its ``Restoration`` (fields ``hole`` and ``raw``), or a function from ``occluded`` to one.
        truths: (N, C, H, W), where they are known: then PSNR is shown.
        names: of the faces.

    Returns:
        A lab; its controls are ``face view threshold softness``.

    Taught in: 04.
    """
    made = restored(occluded) if callable(restored) else restored
    known = occluded.detach().float().cpu()
    raw, holes = to_channels(made.raw.detach().float().cpu(), known.shape[1]), made.hole.detach().float().cpu()
    views = VIEWS if truths is not None else VIEWS[:2]

    def draw(face: int, view: str, threshold: float, softness: float) -> Drawn:
        hole = scrubbed(holes[face], threshold, softness)
        whole = {"composite": composite(known[face], raw[face], hole), "raw": raw[face]}
        words = f"filled: {float(hole.mean()):.1%} of the picture"
        if truths is not None:
            whole["truth"] = truths[face].detach().float().cpu()
            scores = {name: _psnr(image, whole["truth"]) for name, image in {"input": known[face], **whole}.items()}
            words += "".join(f" · PSNR {name} <b>{scores[name]}</b>" for name in ("input", "composite", "raw"))
        return {"input": known[face], "hole": hole * 2 - 1, view: whole[view]}, words

    controls = {
        "face": face_chooser(len(known), names),
        "view": chooser("show", views),
        "threshold": slider("threshold", 0.5, 0.02, 0.98, 0.02),
        "softness": slider("softness", 1.0, 0.0, 1.0, 0.05),
    }
    return Lab(draw, controls, columns=2)


def _psnr(image: Tensor, truth: Tensor) -> str:
    value = float(psnr(image[None], truth[None]))
    return "∞ dB" if value == float("inf") else f"{value:.1f} dB"
