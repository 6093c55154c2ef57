"""Reference figures that compare two weight files of one system: what L1 alone reaches, and what ships."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from facelab.errors import BadConfig
from facelab.metrics.image import psnr
from facelab.metrics.sharpness import sharpness
from facelab.show.answers import caption, restorer, trials_of
from facelab.show.figures import rows
from facelab.studies.evaluation import run_restore
from facelab.train.weights import read_card


def _refuse_strangers(*weights: str | Path) -> None:
    """Raise ``BadConfig`` where two runs differ in more than when their terms join."""
    cards = [read_card(path) for path in weights]
    found = [{**card["config"], **{key: card[key] for key in ("data", "seed", "steps")}} for card in cards]
    for key in found[0].keys() | found[1].keys():
        if key not in ("perceptual_from", "adversarial_from") and found[0].get(key) != found[1].get(key):
            raise BadConfig(key, found[1].get(key), f"{found[0].get(key)}, as in {weights[0]}: twins are compared")


def critic_04(without: str | Path, with_all: str | Path) -> Figure:
    """Six faces at fixed places: one run finished with L1 only, its twin with perceptual, style and critic terms."""
    _refuse_strangers(without, with_all)
    return _side_by_side("oagan", "trained kinds", {"L1 only": without, "all terms": with_all}, caption(with_all))


TWINS = {"mask_removal": ("06_critic", "facemasks"), "hog_inpaint": ("09_critic", "holes of 20 to 30 %")}
"""System → the figure that compares what ships with what it began with or a twin, and on which trial."""


def twin(card: Mapping[str, Any]) -> tuple[str, str]:
    """The figure's name and the trial for a card's system."""
    if card["system"] not in TWINS:
        raise BadConfig("--beginning", card["system"], f"weights of {' or '.join(TWINS)}; OA-GAN's go to --critic")
    return TWINS[card["system"]]


def beginning(weights: str | Path) -> Figure:
    """Six faces at fixed places: what L1 alone reaches, and what ships.

    Args:
        weights: some that the shipped run of their system came from, or a twin that began with them.

    Raises:
        BadConfig: they are neither, or of a system that has no such figure.
    """
    given, known = read_card(weights), set()
    name = given["system"]
    _, trial = twin(given)
    card = shipped = read_card(name)
    while card := card.get("start"):
        known.add(card.get("sha256"))
    related = known & {given.get("sha256"), given.get("start", {}).get("sha256")}
    if given.get("sha256") == shipped.get("sha256") or not related:
        raise BadConfig("--beginning", given.get("sha256"), "weights the shipped run came from, or a twin of it")
    both: dict[str, str | Path | None] = {"L1 only": weights, "all terms": None}
    return _side_by_side(name, trial, both, caption(name))


def _side_by_side(name: str, trial: str, files: dict[str, Any], words: str) -> Figure:
    """Six faces of a trial at fixed places, given back by two weight files of one system."""
    places, (first, _) = [10 * k + 1 for k in range(6)], files.values()
    test = trials_of(name, first)[trial]
    outputs = {label: run_restore(restorer(name, file)[0], *test.shown)[0] for label, file in files.items()}
    crisp = [sharpness(out, test.truth, test.hole) for out in outputs.values()]
    means = " → ".join(f"{value.nanmean():.2f}" for value in crisp)
    level = " → ".join(f"{psnr(out, test.truth).mean():.1f}" for out in outputs.values())
    notes = [f"sharpness {crisp[0][place]:.2f} → {crisp[1][place]:.2f}" for place in places]
    title = f"{' → '.join(files)}, mean of {len(test)}: {level} dB, sharpness {means}; {words}"
    parts = {"input": test.occluded, **outputs, "truth": test.truth}
    return rows({name: part[places].clamp(-1, 1) for name, part in parts.items()}, None, notes, title=title, side=1.5)
