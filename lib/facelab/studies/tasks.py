"""What each system is for: what hides the faces it trains on, and what it is judged by. One row a system.

A system knows networks and losses; which pictures it is shown is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.studies import batches, face_network, facemasks, infrared, inpainting, turning, turning_trials
from facelab.studies.batches import Loader
from facelab.studies.evaluation import training_mean
from facelab.studies.parts import Faces, faces
from facelab.studies.trials import AREA, Trial, standard_trials, trial
from facelab.train.engine import Engine


def spread_people(data: str, count: int) -> list[str]:
    """Who ``count`` test pictures show that are evenly spread over a dataset's."""
    part = faces(data, "test", 64, None)
    count = min(count, len(part))
    return [part.identity(int(i * len(part) / count)) for i in range(count)]


@dataclass(frozen=True)
class Task:
    """How one system is trained and judged.

    Args:
        what: what hides the faces of its trials, in words.
        action: what it does to a photograph, in words for a visitor of the demo.
        kinds: configuration → names of what is drawn on its training faces.
        loader: data, configuration, seed and the user's own cutouts → batches by step number.
        held_out: data, configuration, count and seed → the trial that is looked at while it trains.
        trials: data, configuration, count, seed and the kinds its weights' card names → trials by label.
        given: it is told what is hidden, and finds nothing by itself.
        data: the dataset it is trained and judged on where none is named.
        part: data, split and configuration → what it has of a split, with a length.
        counted: such a part and its split → how many pictures a card says that it has.
        mean: data, size and channels → the training people's mean face, for its baseline row.
        people: data and count → who the pictures of its first trial show.
        nets: data, configuration, engine, and the weights a run begins with, if any → further networks that
            its ``build`` is handed, by name.
        natural: it is also shown real facemasks when its weights are released.
        whole: it makes whole pictures anew; there are no holes to give it.
        cut: how it wants the face of a whole photograph cut out then, one of
            :data:`facelab.studies.one_picture.CUTS`.
    """

    what: str
    action: str
    kinds: Callable[[Any], Sequence[str]]
    loader: Callable[..., Loader]
    held_out: Callable[[str, Any, int, int], Trial]
    trials: Callable[..., dict[str, Trial]]
    given: bool = False
    data: str = "orl"
    part: Callable[[str, str, Any], Any] = lambda data, split, cfg: faces(data, split, cfg.size, cfg.channels)
    counted: Callable[[Any, str], Any] = lambda part, split: len(part)
    mean: Callable[[str, int, int], Tensor] = training_mean
    people: Callable[[str, int], list[str]] = spread_people
    nets: Callable[..., dict[str, nn.Module]] = lambda data, cfg, engine, start=None: {}
    natural: bool = True
    whole: bool = False
    cut: str = ""


def _oagan_trials(data: str, cfg: Any, count: int, seed: int, kinds: Sequence[str] | None) -> dict[str, Trial]:
    return standard_trials(data, cfg.size, cfg.channels, count, seed, kinds)


def _facemask_loader(data: str, cfg: Any, seed: int, cutouts: Sequence | None = None) -> Loader:
    if cutouts:
        raise BadConfig("cutouts", f"{len(cutouts)} pictures", "none: mask_removal draws facemasks and nothing else")
    return facemasks.training_loader(data, cfg, seed)


def _facemask_trials(data: str, cfg: Any, count: int, seed: int, kinds: Sequence[str] | None) -> dict[str, Trial]:
    part = faces(data, "test", cfg.size, cfg.channels)
    known = tuple(kind for kind in kinds or () if kind in facemasks.TYPES) or facemasks.paired_types(cfg.channels)
    out = {"facemasks": facemasks.facemask_trial(part, count, seed, known)}
    unseen = tuple(kind for kind in facemasks.TYPES if kind not in known)
    out |= {"a type never paired": facemasks.facemask_trial(part, count, seed, unseen)} if unseen else {}
    return out | {"drawn in another way": facemasks.other_drawing(part, count, seed)}


def _hole_loader(data: str, cfg: Any, seed: int, cutouts: Sequence | None = None) -> Loader:
    if cutouts:
        raise BadConfig("cutouts", f"{len(cutouts)} pictures", "none: hog_inpaint cuts holes and draws nothing")
    return inpainting.training_loader(data, cfg, seed)


def _turning_loader(data: str, cfg: Any, seed: int, cutouts: Sequence | None = None) -> Loader:
    if cutouts:
        raise BadConfig("cutouts", f"{len(cutouts)} pictures", "none: frontalize draws nothing on a face")
    return turning.training_loader(data, cfg, seed)


def _translating_loader(data: str, cfg: Any, seed: int, cutouts: Sequence | None = None) -> Loader:
    if cutouts:
        raise BadConfig("cutouts", f"{len(cutouts)} pictures", "none: vis2nir draws nothing on a face")
    return infrared.training_loader(data, cfg, seed)


def _face_network(data: str, cfg: Any, engine: Engine, start: Any = None) -> dict[str, nn.Module]:
    if not (cfg.face_steps and (cfg.face_told or cfg.lambda_identity_preserving)):
        return {}
    settings = face_network.Settings(cfg.face_steps, cfg.channels, cfg.face_width)
    if start is not None and cfg.face_told:  # its decoder understands no other
        return {"embed": face_network.told_by(start, settings)}
    return {"embed": face_network.face_network(data, settings, engine)}


def _val(data: str, cfg: Any) -> Faces:
    return faces(data, "val", cfg.size, cfg.channels)


TASKS = {
    "oagan": Task(
        f"holes of {100 * AREA[0]:.0f} to {100 * AREA[1]:.0f} % of the picture",
        "remove what hides the face",
        lambda cfg: batches.paired_kinds(cfg.channels),
        batches.training_loader,
        lambda data, cfg, count, seed: trial(_val(data, cfg), count, seed, batches.paired_kinds(cfg.channels)),
        _oagan_trials,
    ),
    "mask_removal": Task(
        "drawn facemasks",
        "take the facemask off",
        lambda cfg: facemasks.paired_types(cfg.channels),
        _facemask_loader,
        lambda data, cfg, count, seed: facemasks.facemask_trial(
            _val(data, cfg), count, seed, facemasks.paired_types(cfg.channels)
        ),
        _facemask_trials,
    ),
    "frontalize": Task(
        "faces turned aside",
        "turn to the front",
        lambda cfg: ("turned faces",),
        _turning_loader,
        turning_trials.held_out_trial,
        lambda data, cfg, count, seed, kinds: turning_trials.turned_trials(data, cfg, count, seed),
        data="synth",
        part=lambda data, split, cfg: turning.pairs(data, split, cfg.size, cfg.channels),
        mean=turning_trials.mean_frontal,
        people=turning_trials.judged_people,
        nets=_face_network,
        natural=False,
        whole=True,
        cut="portrait",
    ),
    "vis2nir": Task(
        "faces in visible light",
        "see in near infrared",
        lambda cfg: ("visible and near-infrared faces, unpaired" if not cfg.paired else "pairs of both",),
        _translating_loader,
        infrared.held_out_trial,
        lambda data, cfg, count, seed, kinds: infrared.nir_trials(data, cfg, count, seed),
        data="synth:nir",
        part=lambda data, split, cfg: infrared.domains(data, split, cfg.size, align=cfg.align),
        counted=infrared.counted,
        mean=infrared.mean_nir,
        people=infrared.judged_people,
        natural=False,
        whole=True,
        cut="eyes",
    ),
    "hog_inpaint": Task(
        "irregular holes, told",
        "fill what you erase",
        lambda cfg: ("irregular holes",),
        _hole_loader,
        lambda data, cfg, count, seed: inpainting.hole_trial(_val(data, cfg), count, seed),
        lambda data, cfg, count, seed, kinds: inpainting.hole_trials(data, cfg, count, seed),
        given=True,
        natural=False,
    ),
}


def task(name: str) -> Task:
    """The task of a system, by name.

    Raises:
        BadConfig: no such system.
    """
    if name not in TASKS:
        raise BadConfig("system", name, "one of " + ", ".join(TASKS))
    return TASKS[name]
