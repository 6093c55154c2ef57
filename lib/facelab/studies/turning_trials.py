"""What frontalization is judged by: fixed sets of turned faces, one a yaw, every person once, against a gallery.

Rank-1 asks whose face the answer is: the descriptor of each answer is compared with those of all true frontal pictures.
Taught in: lesson 07.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from facelab.data import splits
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset
from facelab.data.joined import JoinedFaces
from facelab.data.kface import CAMERAS, FRONTAL_CAMERA, Shot, shot_of
from facelab.data.synth import SynthFaces, number_of, view_of
from facelab.data.turned import TurnedFaces
from facelab.errors import LayoutError
from facelab.images import to_channels
from facelab.metrics.baselines import mean_face
from facelab.seeding import generator
from facelab.studies.parts import refuse_empty
from facelab.studies.trials import Trial
from facelab.studies.turning import Pairs, pairs, yaw_at
from facelab.synth.photo import MOST, relief, turn, turned_landmarks
from facelab.synth.render import Rendered, render

YAWS = (45, 15, 30, 60, 75, 90)
"""Degrees; the first is looked at first."""
LIT = "0°, another light"
"""The trial that bounds the others: faces from the front already, in a light that the gallery was not made in."""
GALLERY = 100  # people


def label(yaw: float) -> str:
    """A yaw in words: ``"45°"``."""
    return f"{yaw:g}°"


def turned_trials(data: str, cfg: Any, count: int = GALLERY, seed: int = 1) -> dict[str, Trial]:
    """One trial a yaw, to either side in turn, people held out; each of them once a trial.

    Rendered heads wear nothing and are seen in K-FACE's lights with any expression; photographs are turned up to 60
    degrees. Of several sets joined, the labels name each.

    Args:
        data: a dataset with pairs. cfg: a configuration, with ``size channels``.
        count: people a trial, at most :data:`GALLERY`. seed: of the lights.

    Raises:
        LayoutError: the set has no turned faces, or nobody is in its test part.

    Taught in: 07.
    """
    return _trials(open_dataset(data), "test", cfg.size, cfg.channels, min(count, GALLERY), seed)


def _trials(dataset: FaceDataset, split: str, size: int, channels: int, count: int, seed: int) -> dict[str, Trial]:
    if isinstance(dataset, JoinedFaces):
        parts = {part.name: _trials(part, split, size, channels, count, seed) for part in dataset.parts}
        return {f"{name}, {key}": test for name, found in parts.items() for key, test in found.items()}
    if isinstance(dataset, SynthFaces):
        return rendered_trials(people_of(dataset, split, count), size, channels, seed)
    if isinstance(dataset, TurnedFaces):
        return photo_trials(dataset, split, size, channels, count)
    return recorded_trials(dataset.name, split, size, channels, count)


def people_of(dataset: FaceDataset, split: str, count: int) -> list[str]:
    """Up to ``count`` people of a split, evenly spread over the list of all of them.

    Raises:
        LayoutError: nobody is in this split.
    """
    everyone = sorted({str(dataset.items[index].identity) for index in splits.split(dataset, split)})
    if not everyone:
        raise LayoutError(dataset.root, "people in this split", "nobody", "Use a larger set, such as synth:600.")
    return spread(everyone, count)


def spread(everything: Sequence[Any], count: int) -> list[Any]:
    """Up to ``count`` of a list, evenly spread over it."""
    count = min(count, len(everything))
    return [everything[k * len(everything) // count] for k in range(count)]


def judged_people(data: str, count: int) -> list[str]:
    """Who the first trial of :func:`turned_trials` shows, in order."""
    dataset = open_dataset(data)
    first = dataset.parts[0] if isinstance(dataset, JoinedFaces) else dataset
    if isinstance(first, SynthFaces | TurnedFaces):
        return people_of(first, "test", min(count, GALLERY))
    part = pairs(first.name, "test", 64)
    return [part.identities[place] for place in next(iter(_of_each_yaw(part, min(count, GALLERY)).values()))]


def rendered_trials(
    people: Sequence[str], size: int, channels: int, seed: int, yaws: Sequence[int] = YAWS
) -> dict[str, Trial]:
    """Trials of rendered people, and the bound :data:`LIT`.

    Args:
        people: their identities. size, channels: of the pictures.
        seed: of lights and expressions. yaws: degrees, each that of a camera of K-FACE's row.
    """
    front = [render(number_of(Shot(who, 1, 1, 1, FRONTAL_CAMERA)), size=size) for who in people]
    out = {label(yaw): _rendered(people, front, yaw, size, channels, seed) for yaw in yaws}
    return out | {LIT: _rendered(people, front, 0, size, channels, seed)}


def _rendered(people: Sequence[str], front: list[Rendered], yaw: int, size: int, channels: int, seed: int) -> Trial:
    random, seen = generator(seed, "turned", yaw), []
    for place, who in enumerate(people):
        light = int(torch.randint(*((1, 31) if yaw else (16, 31)), (1,), generator=random))
        expression = int(torch.randint(1, 4, (1,), generator=random)) if yaw else 1
        camera = next(n for n, at in CAMERAS.items() if at == (yaw if place % 2 else -yaw, 0))
        view = view_of(Shot(who, 1, light, expression, camera))
        seen.append(render(number_of(Shot(who, 1, 1, 1, 1)), dataclasses.replace(view, yaw=CAMERAS[camera].yaw), size))
    stack = lambda shots: torch.stack([to_channels(shot.image, channels) for shot in shots])  # noqa: E731
    marks = lambda shots: torch.stack([shot.landmarks for shot in shots])  # noqa: E731
    return _trial(stack(seen), stack(front), marks(front), marks(seen), label(yaw) if yaw else LIT, people)


def _trial(side: Tensor, front: Tensor, points: Tensor, shown: Tensor, kind: str, people: Sequence[str]) -> Trial:
    everywhere, kinds = front.new_ones(len(front), 1, *front.shape[-2:]), (kind,) * len(front)
    return Trial(side, front, everywhere, points, kinds, tuple(people), whole=True, shown_points=shown)


def photo_trials(dataset: TurnedFaces, split: str, size: int, channels: int, count: int) -> dict[str, Trial]:
    """Trials of photographs, the first frontal one of each person, turned by exactly so many degrees.

    Args:
        dataset: from :func:`facelab.data.turned.turned`. split: ``"test"``, ``"val"`` or ``"train"``.
        size, channels: of the pictures. count: people a trial.
    """
    people = people_of(dataset, split, count)
    first: dict[str, int] = {}
    for index, item in enumerate(dataset.items):
        if dataset.angles[index] == (0.0, 0.0):
            first.setdefault(str(item.identity), index)
    chosen = [first[who] for who in people]
    front = torch.stack([dataset.at(index, size, channels) for index in chosen])
    points = torch.stack([dataset.known_landmarks(index, size) for index in chosen])
    depths, out = [relief(marks, size) for marks in points], {}
    for yaw in (yaw for yaw in YAWS if yaw <= MOST):
        angles = [yaw if place % 2 else -yaw for place in range(len(people))]
        side = torch.stack([turn(*one, 0.0, depth) for *one, depth in zip(front, points, angles, depths, strict=True)])
        marks = zip(points, angles, depths, strict=True)
        shown = torch.stack([turned_landmarks(own, angle, 0.0, depth) for own, angle, depth in marks])
        out[label(yaw)] = _trial(side, front, points, shown, label(yaw), people)
    return out


def recorded_trials(name: str, split: str, size: int, channels: int, count: int) -> dict[str, Trial]:
    """Trials of a set on disk (K-FACE): for each yaw one picture a person that the set has, cut out by what is found.

    Args:
        name: of the set. split: ``"test"``, ``"val"`` or ``"train"``.
        size, channels: of the pictures. count: people a trial.

    Raises:
        LayoutError: nobody is in the split, or nobody is turned by one of :data:`YAWS`.
    """
    part, out = pairs(name, split, size, channels), {}
    for yaw, chosen in _of_each_yaw(part, count).items():
        side, front = (part.cache.batch([part.rows[place][k] for place in chosen]) for k in (0, 1))
        unknown = torch.full((len(chosen), 68, 2), torch.nan)
        out[label(yaw)] = _trial(side, front, unknown, unknown, label(yaw), [part.identities[p] for p in chosen])
    return out


def _of_each_yaw(part: Pairs, count: int) -> dict[int, list[int]]:
    """Yaw → places in a part, one a person, sides in turn where the set has both; those of :data:`YAWS` it has."""
    refuse_empty(part)
    seen: dict[int, dict[str, dict[bool, int]]] = {yaw: {} for yaw in YAWS}
    dataset = part.cache.dataset
    for place, (side, _) in enumerate(part.rows):
        index = int(part.cache.indices[side])
        yaw, shot = round(yaw_at(dataset, index)), shot_of(dataset.items[index].file)
        if abs(yaw) in seen and (shot is None or not CAMERAS[shot.camera].pitch):
            seen[abs(yaw)].setdefault(part.identities[place], {}).setdefault(yaw > 0, place)
    out = {}
    for yaw, people in ((yaw, people) for yaw, people in seen.items() if people):
        chosen = (people[who] for who in spread(sorted(people), count))
        out[yaw] = [sides.get(k % 2 == 1, min(sides.values())) for k, sides in enumerate(chosen)]
    if not out:
        found = f"{len(part):,} pairs of other angles"
        raise LayoutError(dataset.root, "faces turned by " + ", ".join(map(label, YAWS)), found, "Use another set.")
    return out


def held_out_trial(data: str, cfg: Any, count: int, seed: int) -> Trial:
    """What is looked at while a run trains: pairs of validation people, evenly spread over what the set has.

    Args:
        data: a dataset with pairs. cfg: a configuration, with ``size channels``.
        count: pairs at most. seed: nothing is drawn here.

    Raises:
        LayoutError: the set has no pairs, or nobody is in its validation part.
    """
    part = pairs(data, "val", cfg.size, cfg.channels)
    refuse_empty(part)
    chosen = spread(range(len(part)), count)
    side, front = (part.cache.batch([part.rows[place][k] for place in chosen]) for k in (0, 1))
    points = torch.full((len(chosen), 68, 2), torch.nan)
    return _trial(side, front, points, points, "turned", [part.identities[place] for place in chosen])


def mean_frontal(data: str, size: int, channels: int) -> Tensor:
    """Mean frontal face (C, S, S) of the training people.

    Raises:
        LayoutError: the set has no pairs, or nobody is in its training part.
    """
    part = pairs(data, "train", size, channels)
    refuse_empty(part)
    return mean_face(part.cache, sorted({front for _, front in part.rows}))
