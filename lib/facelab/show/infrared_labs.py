"""The labs of lesson 08: bring eyes to one place, look for what a cycle hides, and move the room's lamp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from facelab.images import to_channels
from facelab.metrics.image import l1_inside, psnr
from facelab.seeding import generator
from facelab.show.alignment_lab import alignment_lab
from facelab.show.lab import WHITE, Drawn, chooser, error_map, face_chooser, slider
from facelab.show.stacked_lab import StackedLab
from facelab.studies.trials import ANOTHER
from facelab.synth.infrared import infrared
from facelab.synth.part import LABELS
from facelab.synth.render import render
from facelab.synth.view import CANONICAL_LIGHT, Light, View
from facelab.systems.vis2nir import Vis2Nir, as_seen, lead_back, there_and_back

__all__ = ["alignment_lab", "cycle_lab", "light_lab"]

FACE = ("skin", "brows", "eyes", "lips", "mouth")
"""Labels of a rendered picture that :func:`light_lab` measures."""
DOMAINS = {"vis": "visible", "nir": "near infrared"}


def cycle_lab(
    model: Vis2Nir, vis: Tensor, nir: Tensor | None = None, names: Sequence[str] | None = None, truth_is: str = ""
) -> StackedLab:
    """Send a face to the other domain and back, and disturb it on the way where nobody sees it.

    A translator that keeps shadows and colours as a faint pattern needs that pattern on the way back. Noise too weak to
    be seen destroys it, and what comes back is worse by more than the noise.

    Args:
        model: a "cyclegan", from :func:`facelab.systems.vis2nir.build` or ``load``.
        vis: (N, C, S, S) in [-1, 1], as they are, not equalised; S divisible by 4.
        nir: (N, 1, S, S), what near infrared shows of the same, pixel by pixel; None: not known, and then there is one
            direction only. Where they are :data:`facelab.studies.trials.ANOTHER`, no distance is told.
        names: of the faces.
        truth_is: what the infrared pictures are where that must be said, such as "simulated"; stands at each of them.

    Returns:
        A lab; its controls are ``face start hide``: the domain to start from, and the standard deviation of the noise
        on what the first translator made, in units of [-1, 1].

    Raises:
        ValueError: not as many infrared pictures as visible ones. BadConfig: a model that leads nowhere back, or
            pictures that do not fit.

    Source: Chu, Zhmoginov, Sandler 2017, "CycleGAN, a Master of Steganography".
    Taught in: lesson 08.
    """
    faces = {"vis": vis.detach().float().cpu()} | ({} if nir is None else {"nir": nir.detach().float().cpu()})
    if nir is not None and len(nir) != len(vis):
        raise ValueError(f"{len(nir)} infrared pictures of {len(vis)} visible faces")
    device = next(model.parameters()).device

    @lru_cache(maxsize=1)  # the noise changes nothing before it
    def cycle(face: int, start: str) -> tuple[Tensor, ...]:
        return tuple(part.cpu() for part in there_and_back(model, faces[start][face : face + 1].to(device), start))

    def draw(face, start, hide) -> Drawn:
        x, there, back = cycle(face, start)
        random = torch.randn(there.shape, generator=generator(face, "cycle lab"))
        noisy = (there + hide * random).clamp(-1, 1)
        again = lead_back(model, noisy.to(device), start).cpu() if hide else back
        other = "nir" if start == "vis" else "vis"
        truth = faces[other][face : face + 1] if other in faces else None
        if truth is not None and other == "vis":
            truth = as_seen(truth, model.cfg)
        panels = _cycle_panels(x, noisy, truth, again, back, start, model.cfg.equalise, truth_is)
        words = _nearness(faces[start][face : face + 1], there, truth, truth_is == ANOTHER)
        words += _coming_back(x, back, again, noisy - there)
        return {name: picture[0] for name, picture in panels.items()}, words

    ways = [("VIS → NIR → VIS", "vis"), ("NIR → VIS → NIR", "nir")][: len(faces)]
    return StackedLab(draw, {
        "face": face_chooser(len(vis), names), "start": chooser("direction", ways),
        "hide": slider("noise", 0.0, 0.0, 0.1, 0.01),
    })  # fmt: skip


def _cycle_panels(x, there, truth, again, back, start: str, equalise: bool, truth_is: str) -> dict[str, Tensor]:
    """Two rows: there, and back."""
    first, second, one = ("G", "F", "x") if start == "vis" else ("F", "G", "y")
    called = {"vis": "visible" + ", equalised" * equalise, "nir": "near infrared" + f", {truth_is}" * bool(truth_is)}
    here, away = called if start == "vis" else reversed(called)
    panels = {f"{one}: {called[here]}": x, f"{first}({one}): {DOMAINS[away]}": there}
    panels |= {} if truth is None else {f"truth: {called[away]}": truth}
    return panels | {
        f"{second}({first}({one})): {DOMAINS[here]} again": again,
        f"its error, white = {WHITE:.0%}": error_map(again, x), "its error without the noise": error_map(back, x),
    }  # fmt: skip


def _apart(one: Tensor, other: Tensor | float) -> float:
    """Mean absolute difference, share of the range from black to white."""
    return ((one - other).abs().mean() / 2).item()


def _nearness(given: Tensor, there: Tensor, truth: Tensor | None, another: bool) -> str:
    if truth is None or another:
        return "The true counterpart is not known. "
    before, after = psnr(to_channels(given, truth.shape[1]), truth).item(), psnr(there, truth).item()
    return f"To the truth: input {before:.1f} dB, translated <b>{after:.1f} dB</b>. "


def _coming_back(x: Tensor, back: Tensor, again: Tensor, noise: Tensor) -> str:
    said = f"Back again: {psnr(back, x).item():.1f} dB to the start, error <b>{_apart(back, x):.1%}</b>"
    if noise.any():
        said += f"; with noise of {_apart(noise, 0.0):.1%} on the way {psnr(again, x).item():.1f} dB, error "
        said += f"<b>{_apart(again, x):.1%}</b>"
    return said + ". An error that grows by more than the noise hints at detail hidden in what lies between."


class _Lit(NamedTuple):
    """One head in one light, (1, 1, S, S) each but for the first: in colour; its luminance; at 850 nm under the same
    lamp; before the camera with a lamp of its own. ``face`` is 1 in the face, else 0."""

    colour: Tensor
    visible: Tensor
    room: Tensor
    camera: Tensor
    face: Tensor


def _lit(who: int, light: Light, size: int) -> _Lit:
    view = View(light=light)
    seen = render(who, view, size)
    face = torch.isin(seen.labels, torch.tensor([LABELS.index(name) for name in FACE])).float()
    colour, room = seen.image[None], seen.nir[None]
    return _Lit(colour, to_channels(colour, 1), room, infrared(who, view, size)[None], face[None, None])


def light_lab(people: Sequence[int], size: int = 96) -> StackedLab:
    """Move the room's lamp before a rendered head, and see what each camera makes of it.

    Below every picture stands its change against the plain light of the room: grey is none, white much brighter. The
    picture at 850 nm under the room's lamp changes, too; that of a camera with its own lamp does not. It is rendered
    for every light anew, and comes out the same: the filter and the lamp of that camera leave out all the room's.

    Args:
        people: numbers of rendered people, see :func:`facelab.synth.person.person`.
        size: side of the pictures, pixels.

    Returns:
        A lab; its controls are ``who azimuth elevation ambient``, of the lamp in degrees, and the light
        from everywhere.

    Taught in: lesson 08.
    """
    plain: Callable[[int], _Lit] = lru_cache(maxsize=16)(lambda who: _lit(who, CANONICAL_LIGHT, size))

    def draw(who, azimuth, elevation, ambient) -> Drawn:
        now, before = _lit(who, Light(azimuth, elevation, ambient=ambient), size), plain(who)
        panels = {"visible, room's lamp": now.colour, "850 nm, room's lamp": now.room,
                  "850 nm, camera's lamp": now.camera}  # fmt: skip
        parts = {"visible": "visible", "850 nm, room": "room", "850 nm, camera": "camera"}
        pairs = {label: (getattr(now, part), getattr(before, part)) for label, part in parts.items()}
        panels |= {f"{label}: change": (one - other).clamp(-1, 1) for label, (one, other) in pairs.items()}
        return {name: picture[0] for name, picture in panels.items()}, _change_said(
            *(l1_inside(*pair, now.face).item() for pair in pairs.values())
        )

    return StackedLab(draw, {
        "who": chooser("person", [(f"person {number}", number) for number in people]),
        "azimuth": slider("lamp from (°)", 60.0, -90.0, 90.0, 5.0),
        "elevation": slider("from above (°)", 20.0, -30.0, 60.0, 5.0),
        "ambient": slider("ambient", 0.1, 0.0, 0.6, 0.02),
    })  # fmt: skip


def _change_said(visible: float, room: float, camera: float) -> str:
    return (
        f"In the face, against plain light: visible brightness changes by <b>{visible:.1%}</b> of its range, 850 nm "
        f"under the room's lamp by <b>{room:.1%}</b>, 850 nm under the camera's own by <b>{camera:.1%}</b>: there the "
        "room's lamps are left out. It is the lamp that makes near infrared steady, not the wavelength alone. In the "
        "lower row grey is no change."
    )
