"""The figures of lesson 10 that ship: two are drawn from records alone, two ask for pictures again.

``10_protocol.png`` and ``10_agreement.png`` are drawn by :mod:`facelab.show.curated`, ``10_judges.jpg`` and
``10_failures.jpg`` by :mod:`facelab.show.reference`.
Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from facelab.show.answers import COUNT, SEED, restorer
from facelab.show.judging_figures import agreement_plot, equal_psnr_strip, failure_gallery, protocol_plot
from facelab.studies.agreement import agreement, records
from facelab.studies.evaluation import run_restore
from facelab.studies.judging import ELSE, attacked, equal_psnr
from facelab.studies.parts import faces
from facelab.studies.side_by_side import damaged
from facelab.studies.side_by_side_record import path, recorded
from facelab.studies.tasks import TASKS, task
from facelab.studies.trials import Trial
from facelab.train.weights import read_card, weights_path

FACES = (7, 47)
"""Places of the faces under attack that are shown, fixed in advance."""
UNLEVELLED = (ELSE, "mirrored")
"""Attacks without a level that stand beside those at one PSNR."""
PAIRS = (
    ("psnr_hole", "identity"), ("psnr_hole", "sharpness"), ("psnr_hole", "ssim"), ("sharpness", "identity"),
    ("identity", "rank1"),
)  # fmt: skip
"""Judges whose agreement is shown, where a record has both."""


def record() -> dict[str, Any]:
    """What ``python -m facelab.studies.side_by_side`` measured.

    Raises:
        FileNotFoundError: it has not been run.
    """
    found = recorded()
    if not found:
        raise FileNotFoundError(f"{path()} is not here: python -m facelab.studies.side_by_side")
    return found


def about(found: Mapping[str, Any]) -> str:
    """Data, people, device and seed of a record."""
    return f"{found['data']}, {found['people']} people never seen; {found['device']}, seed {found['seed']}"


def protocol_10() -> Figure:
    """Every system whose job it is on the same damaged faces, beside those who guess."""
    found = record()
    told = sorted({name for part in found["protocol"].values() for name in part["told"]})
    title = f"{about(found)}; one training each; intervals over people"
    return protocol_plot(found["protocol"], told=told, title=title)


def agreement_10() -> Figure:
    """Who agrees with whom on the recorded sweeps of lessons 05 to 09."""
    found = agreement(records())
    there = {tuple(pair.split(" | ")) for pairs in found.values() for pair in pairs}
    pairs = [pair for pair in PAIRS if pair in there or pair[::-1] in there]
    return agreement_plot(found, pairs=pairs, title="Do two judges put the variants of a sweep in one order?")


def judges_10() -> Figure:
    """Two faces under attacks of one PSNR, and what every judge says of all faces, as recorded."""
    found = record()
    judges = found["judges"]
    test = damaged(faces(found["data"], "test", found["size"]), judges["damage"], found["count"], found["seed"])
    pictures = equal_psnr(test, judges["psnr"], [name for name, row in judges["attacks"].items() if row["unit"]])
    equal = len(pictures)
    pictures |= {name: (1.0, attacked(test, name, 1.0)) for name in UNLEVELLED}
    values = {name: judges["attacks"][name]["metrics"] for name in pictures}
    title = f"{about(found)}. The first {equal} have one PSNR, face by face; levels and numbers: means over all; "
    title += "blue: a judge likes it best, red: least"
    return equal_psnr_strip(test, pictures, values, faces=FACES, title=title)


def asked_on(name: str) -> str:
    """The photographs that a system is asked on here: whoever makes pictures anew, those it was trained for.

    Args:
        name: of a system whose weights are here.
    """
    return read_card(name)["data"].split("+")[-1] if task(name).whole else "lfw"


def asked(name: str) -> tuple[Trial, tuple[Any, ...]]:
    """A trial of a system on photographs of people never seen, the first of its own, and what it answers.

    Args:
        name: of a system whose weights are here.
    """
    (restore, cfg), card = restorer(name), read_card(name)
    test = next(iter(task(name).trials(asked_on(name), cfg, COUNT, SEED, card.get("kinds")).values()))
    return test, run_restore(restore, *test.shown)


def failures_10() -> Figure:
    """The worst of :data:`facelab.show.answers.COUNT` faces of each system, by three judges."""
    both = {f"{name}\n{asked_on(name)}": asked(name) for name in TASKS if weights_path(name).is_file()}
    trials, answers = ({name: pair[place] for name, pair in both.items()} for place in (0, 1))
    counts = sorted({len(test) for test in trials.values()})
    most = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    title = f"People never seen; the worst of {most} faces of each shipped system, none left out; seed {SEED}"
    return failure_gallery(trials, answers, title=title)
