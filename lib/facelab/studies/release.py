"""Turn a finished run into the weights that ship: measure them, and write the card with what was measured.

``python -m facelab.studies.release oagan RUN --data lfw``
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from facelab import files
from facelab.errors import MissingPart
from facelab.studies.batches import masked_photographs_here
from facelab.studies.evaluation import table_text
from facelab.studies.natural import masked_study
from facelab.studies.protocol import evaluate_system
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.train.weights import read_card, refuse_large, weights_path


def release(
    name: str, run: str | Path, data: str, *, count: int = 256, beside: Mapping[str, str | Path] | None = None,
    told: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Copy a run's weights into ``weights/`` with a card that holds its metrics.

    Args:
        name: the system.
        run: the run folder, with ``weights.safetensors`` and its card.
        data: whose held-out people are measured.
        count: pictures a trial.
        beside: further rows, label → weight file of the same system and size.
        told: what no run knows of itself and the card shall say, such as how several of them followed each other.

    Returns:
        The card: the run's own, ``told``, and what was measured.

    Raises:
        BadWeights: the run has no readable weights, or they are too large to ship.
    """
    source, target = Path(run) / "weights.safetensors", weights_path(name)
    card = read_card(source)
    refuse_large(target, source.stat().st_size)  # before the long measurement
    card = {**card, **(told or {})}
    card["metrics"] = evaluate_system(name, source, data, count=count, beside=beside)
    if task(name).natural:
        card["metrics"]["natural"] = _natural(name, source)
    files.write_bytes(target, source.read_bytes())
    files.write_text(target.with_suffix(".json"), json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return card


def _natural(name: str, source: Path) -> dict[str, Any]:
    """What the weights do with real facemasks, or why that is not known; damaged photographs raise."""
    model, cfg = system(name).load(source)
    if not masked_photographs_here(cfg.channels):
        return {"not measured": "no photographs of masked people here, or a network for grey pictures"}
    study = partial(masked_study, partial(system(name).restore, model), cfg.size)
    try:
        return study(look_for_faces=True)[0]
    except MissingPart as error:  # no dlib: the holes can be judged all the same
        return study()[0] | {"faces not looked for": str(error)}


def _pair(text: str) -> tuple[str, str]:
    label, found, file = text.partition("=")
    if not (label and found and file):
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL=FILE")
    return label, file


def main(argv: list[str] | None = None) -> int:
    """Command line of :func:`release`."""
    about = "Measure a run and write the weights that ship."
    parser = argparse.ArgumentParser(prog="python -m facelab.studies.release", description=about)
    parser.add_argument("system")
    parser.add_argument("run")
    parser.add_argument("--data", default="lfw")
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument(
        "--beside", action="append", default=[], type=_pair, metavar="LABEL=FILE", help="a further row; may repeat"
    )
    parser.add_argument("--told", type=Path, metavar="JSON", help="a file with what else the card shall say")
    args = parser.parse_args(argv)
    told = json.loads(args.told.read_text(encoding="utf-8")) if args.told else None
    card = release(args.system, args.run, args.data, count=args.count, beside=dict(args.beside), told=told)
    for label, part in card["metrics"]["trials"].items():
        print(f"\n{label}\n\n{table_text(part['rows'])}")
    if "natural" in card["metrics"]:
        print("\nreal facemasks:", json.dumps(card["metrics"]["natural"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
