"""Visible and near-infrared pictures of the same people: rendered ones, and photographs with a computed partner.

``synth:nir`` shows every rendered person in eight sittings. Each is recorded twice at the same moment: by an ordinary
camera in the light of the room, and by a near-infrared camera with its own lamp. ``lfw:nir`` is made of photographs:
their infrared partner is computed from them. People keep their split. Both halves of a pair agree pixel by pixel.
Taught in: lesson 08.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from facelab import images
from facelab.data import cache
from facelab.data.dataset import FaceDataset, Item
from facelab.data.fingerprints import fingerprint
from facelab.data.synth import FACES, FIRST, PEOPLE, SIZE, SynthFaces, lamp, shots_of
from facelab.errors import BadConfig, LayoutError
from facelab.synth import infrared as rendering
from facelab.synth import infrared_photo, render
from facelab.synth.view import View, roomier
from facelab.synth.wear import ACCESSORIES

SUFFIX = ":nir"
SITTINGS = 8  # of a rendered person
VERSION = 1  # raise when a sitting would be looked at differently
WORN = 0.45  # share of the sittings in which somebody wears what he or she owns
_YAW, _MOST, _PITCH, _ROLL = 12.0, 35.0, 5.0, 4.0  # degrees: spread of yaw, its most, spread of the other two


def view_of(number: int, sitting: int) -> View:
    """How a rendered person is looked at in a sitting, always in the same way.

    Args:
        number: of the person, see :func:`facelab.synth.person.person`.
        sitting: 0 or more; :data:`SITTINGS` of them are in the set.

    Taught in: lesson 08.
    """
    random = np.random.default_rng([23, number, sitting])
    owned = shots_of(number, 1)[1].accessory  # the second shot is with what is owned, or there is nothing
    worn = owned if random.random() < WORN else 1
    light, expression = int(random.integers(1, 31)), int(random.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
    dress, backdrop, sensor = (int(n) for n in random.integers(1, 2**31, 3))
    strength, (aside, nod, lean) = float(random.uniform(0.6, 1.1)), (float(n) for n in random.normal(0, 1, 3))
    return View(
        yaw=float(np.clip(_YAW * aside, -_MOST, _MOST)), pitch=_PITCH * nod, roll=_ROLL * lean, light=lamp(light),
        accessory=ACCESSORIES[worn - 1],
        expression={name: amount * strength for name, amount in FACES[expression].items()},
        gaze=(float(random.normal(0, 5)), float(random.normal(0, 3))), dress=dress, backdrop=backdrop, camera=sensor,
        zoom=float(random.uniform(0.9, 1.1)), shift=tuple(float(n) for n in random.uniform(-0.04, 0.04, 2)),
    )  # fmt: skip


@dataclass
class InfraredFaces(FaceDataset):
    """Rendered people, all visible pictures first, then the infrared ones of the same sittings in the same order.

    Args:
        sittings: (number of the person, sitting) of each pair, parallel to ``pairs``.

    Other fields as of :class:`FaceDataset`.
    """

    sittings: list[tuple[int, int]] = field(default_factory=list)

    def __getitem__(self, index: int) -> Tensor:
        return self.at(index, SIZE, 3)

    def sitting(self, index: int) -> tuple[int, View]:
        """Who a picture shows, and how."""
        number, sitting = self.sittings[index % len(self.sittings)]
        return number, view_of(number, sitting)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        return self.around(index, size, channels, 1.0)

    def around(self, index: int, size: int, channels: int, times: float) -> Tensor:
        number, view = self.sitting(index)
        view = roomier(view, times)
        if index < len(self.sittings):
            return images.to_channels(render.render(number, view, size).image, channels)
        return images.to_channels(rendering.infrared(number, view, size), channels)

    def known_landmarks(self, index: int, size: int) -> Tensor:
        return render.landmarks_of(*self.sitting(index), size)

    def known_yaw(self, index: int) -> float:
        return self.sitting(index)[1].yaw


def open_infrared(people: int = PEOPLE, sittings: int = SITTINGS) -> InfraredFaces:
    """So many rendered people, before two cameras.

    Args:
        people: 1 to 100,000; the first of a larger set are the same.
        sittings: of each, 1 to 100; the first of more are the same.

    Raises:
        BadConfig: another number.

    Taught in: lesson 08.
    """
    for name, value, most in (("people", people, 100_000), ("sittings", sittings, 100)):
        if not 1 <= value <= most:
            raise BadConfig(name, value, f"from 1 to {most:,}")
    root, every = Path("/synth"), [(who, at) for who in range(people) for at in range(sittings)]  # nothing lies there
    items = [Item(root / kind / f"{FIRST + who}/{at + 1}.png", str(FIRST + who))
             for kind in ("VIS", "NIR") for who, at in every]  # fmt: skip
    name = ("synth" if people == PEOPLE else f"synth:{people}") + SUFFIX
    made = f"/rendered {render.VERSION} infrared {rendering.VERSION} sittings {VERSION}"
    return InfraredFaces(name, root, items, **_halves(len(every)), made=made, sittings=every)


def _halves(count: int) -> dict[str, object]:
    """Groups and pairs of a set of so many pairs."""
    visible, infrared = list(range(count)), list(range(count, 2 * count))
    return {"groups": {"vis": visible, "nir": infrared}, "pairs": list(zip(visible, infrared, strict=True))}


def named_infrared(name: str) -> InfraredFaces:
    """``synth:nir`` or ``synth:PEOPLE:nir``.

    Raises:
        BadConfig: what stands between is no number, or one that :func:`open_infrared` refuses.
    """
    found = re.fullmatch(r"synth(?::(\d{1,9}))?:nir", name, re.ASCII)
    if found is None:
        raise BadConfig("dataset", name, "synth:nir or synth:PEOPLE:nir, such as synth:600:nir")
    return open_infrared(int(found[1] or PEOPLE))


@dataclass
class InfraredPhotographs(FaceDataset):
    """Photographs, and what a near-infrared camera would have seen, computed from each.

    Args:
        base: the set of photographs.
        sources: index into ``base`` of each pair, parallel to ``pairs``.
        marks: (len(base), 68, 2) landmarks for a picture of :data:`facelab.data.cache.KNOWN` pixels.

    Other fields as of :class:`FaceDataset`.
    """

    base: FaceDataset | None = None
    sources: list[int] = field(default_factory=list)
    marks: Tensor | None = None

    def __getitem__(self, index: int) -> Tensor:
        return self.at(index, cache.KNOWN, self.channels)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        source = self.sources[index % len(self.sources)]
        if index < len(self.sources):
            return self.base.at(source, size, channels)
        photo = self.base.at(source, size, 3)
        return images.to_channels(infrared_photo.simulate_nir(photo, self.known_landmarks(index, size)), channels)

    def known_landmarks(self, index: int, size: int) -> Tensor:
        return (self.marks[self.sources[index % len(self.sources)]] + 0.5) * (size / cache.KNOWN) - 0.5

    def family(self, index: int) -> str:
        return self.base.family(self.sources[index % len(self.sources)])


def infrared_set(base: FaceDataset) -> InfraredFaces | InfraredPhotographs:
    """A set's people before two cameras.

    Args:
        base: colour photographs, whose landmarks are looked for when they were not yet; or rendered people, who sit for
            it anew.

    Raises:
        BadConfig: grey photographs: what light of 850 nm would show follows from colour; or a set that has infrared
            pictures already.
        LayoutError: no photograph shows a face.
        MissingPart: landmarks must be looked for, and dlib is not here.

    Taught in: lesson 08.
    """
    if isinstance(base, SynthFaces):
        return open_infrared(len(base.identities))
    if base.channels == 1 or "nir" in base.groups:
        raise BadConfig("dataset", base.name + SUFFIX, "a set of colour photographs, such as lfw:nir, or synth:nir")
    marks, _ = cache.landmarks(base, cache.KNOWN)
    sources = torch.isfinite(marks).flatten(1).all(1).nonzero().flatten().tolist()
    if not sources:
        found, hint = f"none among {len(base):,}", "Use another set of photographs."
        raise LayoutError(base.root, "photographs that show a face", found, hint)
    visible = [Item(item.file, item.who) for item in (base.items[source] for source in sources)]
    partner = [Item(_partner(item.file), item.identity) for item in visible]
    made = f"/infrared photographs {infrared_photo.VERSION} {fingerprint(base)}"
    note = f"from {len(sources):,} of {len(base):,} photographs, those in which a face was found"
    return InfraredPhotographs(
        base.name + SUFFIX, base.root, visible + partner, frame=base.frame, **_halves(len(sources)),
        notes=[*base.notes, note], made=made, base=base, sources=sources, marks=marks,
    )  # fmt: skip


def _partner(file: Path) -> Path:
    return file.with_name(f"{file.stem}@850nm{file.suffix}")
