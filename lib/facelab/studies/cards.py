"""What the cards of the shipped weights hold, in one table: every system on its own trials.

Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facelab.studies.tasks import TASKS, task
from facelab.train.weights import read_card, weights_path

GUESSES = ("mean face in the true hole", "biharmonic in the true hole", "mean face")


def from_cards() -> list[dict[str, Any]]:
    """The recorded metrics of every shipped system: a row a trial, the systems in the order of their tasks.

    Numbers of two systems are not comparable: each was shown its own pictures. What each gains over its own input and
    its own best guess is.

    Returns:
        Rows: ``system trial data count people`` (how many), ``told`` (the hole), ``whole`` (makes the picture anew),
        ``truth`` (``""`` where it is the photograph itself), ``input`` and ``answer`` (metric → mean, low, high),
        ``baseline`` (name of the best guess, by PSNR, or where there is none by identity), ``guess`` (its metrics), and
        ``gain``: metric (``psnr ssim identity``) → mean, low, high over the input, picture by picture.

    Taught in: lesson 10.
    """
    out = []
    for name in TASKS:
        if weights_path(name).with_suffix(".json").is_file():
            metrics = read_card(name).get("metrics", {})
            out += [_row(name, label, metrics, test) for label, test in metrics.get("trials", {}).items()]
    return out


def _row(name: str, label: str, metrics: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    rows = test["rows"]
    answer, guessed = rows[name], {row: rows[row] for row in GUESSES if row in rows}
    best = max(guessed, key=lambda row: _merit(guessed[row]), default="")
    gains = {metric: answer[f"{metric}_gain"] for metric in ("psnr", "ssim", "identity") if f"{metric}_gain" in answer}
    return {
        "system": name, "trial": label, "data": metrics["data"], "count": test["count"], "people": test["people"],
        "told": task(name).given, "whole": task(name).whole, "truth": test.get("truth", ""), "input": rows["input"],
        "answer": answer, "baseline": best, "guess": guessed.get(best, {}), "gain": gains,
    }  # fmt: skip


def _merit(row: Mapping[str, Any]) -> float:
    return row["psnr"]["mean"] if "psnr" in row else -row["identity"]["mean"]
