"""Rendered heads as a dataset, in K-FACE's scheme: who, with what on, in which light, with which face, from where.

``synth`` has 240 people, ``synth:600`` as many as it says. Nothing lies on disk: a picture is computed when it is asked
for, and always comes out the same. :func:`write_synth` writes files, for whoever wants files.
Taught in: lesson 07.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from torch import Tensor

from facelab import files, images
from facelab.data.dataset import FaceDataset, Item
from facelab.data.kface_names import CAMERAS, FRONTAL_CAMERA, LIGHTS, Shot
from facelab.data.waiting import Progress, said_in_lines
from facelab.errors import BadConfig
from facelab.synth.match import match
from facelab.synth.render import VERSION, landmarks_of, render
from facelab.synth.view import Light, View, roomier
from facelab.synth.wear import ACCESSORIES

PEOPLE, VIEWS, SIZE = 240, 9, 128
"""People of ``synth``, turned pictures of each, and the side in pixels of a picture on its own."""
FIRST = 19_000_000  # K-FACE's people have eight digits


def lamp(light: int) -> Light:
    """One of K-FACE's thirty lights, as our lamps stand; the camera's exposure makes up for part of the dark.

    Args:
        light: 1 … 30, see :data:`facelab.data.kface_names.LIGHTS`. Its azimuth counts to the subject's right, which is
            the image's left; our lamps' counts to the image's right.
    """
    about = LIGHTS[light]
    bright = 0.6 + 0.4 * (about.lux / 1000) ** 0.5
    if about.all_round:
        return Light(0.0, 35.0, 0.62 * bright, 0.44 * bright)
    return Light(-about.azimuth, about.elevation + 8.0, 0.78 * bright + 0.1, 0.30 * bright)


FACES = {1: {}, 2: {"smile": 0.85, "open": 0.25, "squint": 0.4}, 3: {"frown": 0.9, "squint": 0.3}}
"""Movements of K-FACE's three expressions."""


def view_of(shot: Shot) -> View:
    """How a shot looks at somebody. The canonical frontal is exact; all others differ a little, as photographs do.

    Args:
        shot: of a person of ours, see :func:`shots_of`. One shot is always looked at in the same way.
    """
    accessory = ACCESSORIES[shot.accessory - 1]
    if shot.is_target:
        return View(accessory=accessory)
    seed = [int(shot.person), shot.accessory, shot.light, shot.expression, shot.camera]
    random, camera = np.random.default_rng([17, *seed]), CAMERAS[shot.camera]
    dress, backdrop, sensor = (int(n) for n in random.integers(1, 2**31, 3))
    strength = float(random.uniform(0.6, 1.1))
    aside, lean = (float(n) for n in random.normal(0, 1, 2))
    return View(
        yaw=float(np.clip(camera.yaw + 3.5 * aside, -90, 90)), pitch=camera.pitch + float(random.normal(0, 3)),
        roll=2.5 * lean, light=lamp(shot.light), accessory=accessory,
        expression={name: amount * strength for name, amount in FACES[shot.expression].items()},
        gaze=(float(random.normal(0, 5)), float(random.normal(0, 3))), dress=dress, backdrop=backdrop, camera=sensor,
        zoom=float(random.uniform(0.9, 1.1)), shift=tuple(float(n) for n in random.uniform(-0.04, 0.04, 2)),
    )  # fmt: skip


def shots_of(number: int, views: int = VIEWS) -> tuple[Shot, ...]:
    """The shots of a person: the canonical frontal, plain and with what he or she wears; and turned ones.

    Args:
        number: of the person, see :func:`facelab.synth.person.person`.
        views: how many turned ones, 1 to 19; the first of more are the same.
    """
    random, person = np.random.default_rng([19, number]), str(FIRST + number)
    own = int(random.choice([1, 2, 3, 4, 5, 6], p=[0.4, 0.2, 0.16, 0.1, 0.07, 0.07]))
    out = [Shot(person, 1, 1, 1, FRONTAL_CAMERA)] + ([Shot(person, own, 1, 1, FRONTAL_CAMERA)] if own > 1 else [])
    turned = [camera for camera in CAMERAS if camera != FRONTAL_CAMERA]
    for camera in random.permutation(turned)[:views]:
        worn = own if random.random() < 0.45 else 1
        light, expression = int(random.integers(1, 31)), int(random.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
        out.append(Shot(person, worn, light, expression, int(camera)))
    return tuple(out)


@dataclass
class SynthFaces(FaceDataset):
    """Rendered heads.

    Args:
        shots: what each picture shows, parallel to ``items``.

    Other fields as of :class:`FaceDataset`.
    """

    shots: list[Shot] = field(default_factory=list)

    def __getitem__(self, index: int) -> Tensor:
        return self.at(index, SIZE, 3)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        return self.around(index, size, channels, 1.0)

    def around(self, index: int, size: int, channels: int, times: float) -> Tensor:
        shot = self.shots[index]
        return images.to_channels(render(number_of(shot), roomier(view_of(shot), times), size).image, channels)

    def known_landmarks(self, index: int, size: int) -> Tensor:
        shot = self.shots[index]
        return landmarks_of(number_of(shot), view_of(shot), size)

    def known_match(self, index: int, size: int) -> np.ndarray:
        shot = self.shots[index]
        return match(number_of(shot), view_of(shot), size)

    def known_yaw(self, index: int) -> float:
        return view_of(self.shots[index]).yaw


def number_of(shot: Shot) -> int:
    """The number of the person in a shot, see :func:`facelab.synth.person.person`."""
    return int(shot.person) - FIRST


def open_synth(people: int = PEOPLE, views: int = VIEWS) -> SynthFaces:
    """So many rendered people.

    Args:
        people: 1 to 100,000; the first of a larger set are the same.
        views: turned pictures of each, 1 to 19.

    Raises:
        BadConfig: another number.

    Taught in: 07.
    """
    for name, value, most in (("people", people, 100_000), ("views", views, 19)):
        if not 1 <= value <= most:
            raise BadConfig(name, value, f"from 1 to {most:,}")
    shots = [shot for number in range(people) for shot in shots_of(number, views)]
    root = Path("/synth")  # nothing lies there: pictures are computed
    place = {shot: index for index, shot in enumerate(shots)}
    pairs = [(index, place[shot.target]) for index, shot in enumerate(shots) if not shot.is_target]
    items = [Item(root / shot.path(), shot.person) for shot in shots]
    number = f":{people}" + (f"x{views}" if views != VIEWS else "")
    name = "synth" if (people, views) == (PEOPLE, VIEWS) else f"synth{number}"
    return SynthFaces(name, root, items, pairs=pairs, made=f"/rendered {VERSION}", shots=shots)


def named_synth(name: str) -> SynthFaces:
    """``synth``, ``synth:PEOPLE`` or ``synth:PEOPLExVIEWS``.

    Raises:
        BadConfig: what follows the colon is none of these, or a number that :func:`open_synth` refuses.
    """
    found = re.fullmatch(r"synth(?::(\d{1,9})(?:x(\d{1,9}))?)?", name, re.ASCII)
    if found is None:
        raise BadConfig("dataset", name, "synth, synth:PEOPLE or synth:PEOPLExVIEWS, such as synth:600 or synth:600x4")
    return open_synth(int(found[1] or PEOPLE), int(found[2] or VIEWS))


def write_synth(folder: str | Path, dataset: SynthFaces, size: int = SIZE, progress: Progress | None = None) -> int:
    """Write a set as files in K-FACE's layout; :func:`facelab.data.kface.open_shots` opens them. Files there are kept.

    Args:
        folder: gets ``Middle_Resolution/``. dataset: which pictures. size: side, pixels.
        progress: called with (done, all); None = a line on stderr now and then.

    Returns:
        How many were written.
    """
    tell, written = progress or said_in_lines("rendering"), 0
    for index in range(len(dataset)):
        path = Path(folder) / PurePosixPath(dataset.relative(index))
        if not path.is_file():
            files.write_bytes(path, _jpeg(dataset.at(index, size, 3)))
            written += 1
        tell(index + 1, len(dataset))
    return written


def _jpeg(image: Tensor) -> bytes:
    out = io.BytesIO()
    images.to_pil(image).save(out, format="JPEG", quality=95, subsampling=0)
    return out.getvalue()
