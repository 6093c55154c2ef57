"""The record that lesson 10 reads: ``python -m facelab.studies.side_by_side [DATA] [--count N] [--out FILE]``.

``notebooks/figures/10_protocol.json`` holds the protocol, what each system does to faces as they are, the judges under
attack, and how far real faces are from real faces. ``--no-identity`` leaves out what needs dlib. What is measured so
far lies beside the record, under its name and ``.part``; the record is replaced when all of it is there.
Taught in: lesson 10.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import files
from facelab.errors import MissingPart
from facelab.faces.models import available
from facelab.studies.evaluation import summary
from facelab.studies.judging import ATTACKS, attacked, attacked_points, frechet_bias, judged, levels_for, reached
from facelab.studies.parts import Faces, faces
from facelab.studies.side_by_side import DAMAGES, NETS, SEED, contestants, damaged, harm, protocol
from facelab.studies.trials import Trial
from facelab.train.weights import read_card

SIZE, COUNT = 128, 100
DB = 24.0
"""The PSNR at which attacks are compared."""
HALVES, MOST = (10, 20, 40, 50, 100, 200, 400), 800
"""Sizes of sets of real faces, and how many of these are used at most."""
RUNS = 1
"""Trainings behind each system: one, so that nothing is said of another."""


def path() -> Path:
    """Where the record lies."""
    return files.project_root() / "notebooks" / "figures" / "10_protocol.json"


def recorded() -> dict[str, Any]:
    """The shipped record; empty where there is none."""
    return json.loads(path().read_text("utf-8")) if path().is_file() else {}


def at_equal_psnr(
    test: Trial, db: float = DB, nets: Sequence[str] = NETS, identity: bool = True
) -> dict[str, dict[str, Any]]:
    """What every judge says of every attack: those with levels at one PSNR, the others as they are.

    Args:
        test: faces with holes. db: PSNR of every picture. nets, identity: see
            :func:`facelab.studies.judging.judged`.

    Returns:
        Attack → ``harm`` (what we say of it), ``level`` (mean) and ``unit`` (None and "" where there is none),
        ``reached`` (how many pictures have this PSNR; those that have more at the most of an attack stay there), and
        ``metrics`` (metric → mean, low, high). Attacks that bring no picture so far down are left out.
    """
    levels: dict[str, Any] = levels_for(test, db, [name for name, one in ATTACKS.items() if one.unit])
    levels |= dict.fromkeys((name for name, one in ATTACKS.items() if not one.unit), 1.0)
    pictures = {name: attacked(test, name, level) for name, level in levels.items()}
    points = {name: attacked_points(test, name, level) for name, level in levels.items()}
    values = judged(test, pictures, nets, identity, points)
    return {name: {"harm": ATTACKS[name].harm, **_strength(name, levels[name], int(reached(after, test, db).sum())),
                   "metrics": summary(values[name], test.identities)}
            for name, after in pictures.items()}  # fmt: skip


def _strength(name: str, level: float | Tensor, count: int) -> dict[str, Any]:
    if not isinstance(level, Tensor):
        return {"level": None, "unit": ""}
    return {"level": round(level.mean().item(), 4), "unit": ATTACKS[name].unit, "reached": count}


def record(
    data: str, count: int = COUNT, seed: int = SEED, identity: bool = True, keep: Callable[[dict], None] | None = None
) -> dict[str, Any]:
    """All of it, on one dataset's test people.

    Args:
        data: a dataset of the catalogue. count: faces, at most. seed: of every draw.
        identity: measure identity distance (needs dlib). keep: told what is there after each part.
    """
    begun, part, who = time.perf_counter(), faces(data, "test", SIZE), contestants()
    test = damaged(part, DAMAGES[0], count, seed)
    out: dict[str, Any] = {
        "what": "systems side by side, and their judges under attack", "data": data, "split": "test", "size": SIZE,
        "count": len(test), "people": len(set(test.identities)), "seed": seed, "runs": RUNS, "device": "cpu",
        "nets": list(NETS),
        "weights": {name: _about(name) for name in who},
    }  # fmt: skip
    attacks = lambda: {"damage": DAMAGES[0], "psnr": DB, "attacks": at_equal_psnr(test, identity=identity)}  # noqa: E731
    parts: dict[str, Callable[[], Any]] = {
        "frechet_bias": lambda: _bias(part, seed),
        "protocol": lambda: protocol(data, SIZE, count, seed, identity=identity),
        "harm": lambda: harm(who, damaged(part, "nothing", count, seed), identity),
        "judges": attacks,
    }
    for name, measured in parts.items():
        out |= {name: measured(), "seconds": round(time.perf_counter() - begun, 1)}
        if keep:
            keep(out)
    return out


def _bias(part: Faces, seed: int) -> dict[str, dict[int, float]]:
    count = min(MOST, len(part))
    places = [place * len(part) // count for place in range(count)]
    real, who = part.take(places)[0], [part.identity(place) for place in places]
    return {net: frechet_bias(net, real, HALVES, seed, identities=who) for net in NETS}


def _about(name: str) -> dict[str, Any]:
    card = read_card(name)
    return {"data": card["data"], "steps": card["steps"], "sha256": card["sha256"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m facelab.studies.side_by_side")
    parser.add_argument("data", nargs="?", default="lfw", help="a dataset of the catalogue")
    parser.add_argument("--count", type=int, default=COUNT, help="faces, at most")
    parser.add_argument("--out", type=Path, help="where to write; the shipped record where left out")
    parser.add_argument("--no-identity", action="store_true", help="without what needs dlib")
    chosen = parser.parse_args(arguments)
    if not (chosen.no_identity or available()):
        raise MissingPart("dlib, which says whose face it is,", "Install the extra facelab[faces], or: --no-identity")
    torch.set_num_threads(1)
    target = chosen.out or path()
    beside = target.with_name(f"{target.name}.part")

    def keep(found: dict[str, Any]) -> None:
        files.write_text(beside, json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        print(f"{found['seconds']:.0f} s: {', '.join(found)}", file=sys.stderr, flush=True)

    record(chosen.data, chosen.count, identity=not chosen.no_identity, keep=keep)
    beside.replace(target)
    print(target)
    return 0
