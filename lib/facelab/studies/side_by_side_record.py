"""The record that lesson 10 reads: ``python -m facelab.studies.side_by_side [DATA] [--count N] [--out FILE]``.

``notebooks/figures/10_protocol.json`` holds the protocol, what each system does to whole faces, the judges under
attack, how far real faces are from real faces, and how far the judges agree on the recorded sweeps.
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
from facelab.studies.agreement import agreement, records
from facelab.studies.evaluation import summary
from facelab.studies.judging import ATTACKS, attacked, attacked_points, equal_psnr, frechet_bias, judged
from facelab.studies.parts import Faces, faces
from facelab.studies.side_by_side import DAMAGES, NETS, SEED, contestants, damaged, harm, protocol
from facelab.studies.trials import Trial
from facelab.train.weights import read_card

SIZE, COUNT = 128, 100
DB = 24.0
"""The PSNR at which attacks are compared."""
HALVES, MOST = (10, 20, 40, 50, 100, 200, 400), 800
"""Sizes of sets of real faces, and how many of these are used at most."""


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
        test: faces with holes. db: mean PSNR. nets, identity: see :func:`facelab.studies.judging.judged`.

    Returns:
        Attack → ``harm`` (what a person would say), ``level`` and ``unit`` (None and "" where there is none), and
        ``metrics`` (metric → mean, low, high). Attacks that do not reach this PSNR are left out.
    """
    levels: dict[str, float | None] = dict.fromkeys(name for name, one in ATTACKS.items() if not one.unit)
    found = equal_psnr(test, db, [name for name, one in ATTACKS.items() if one.unit])
    levels = {name: level for name, (level, _) in found.items()} | levels
    pictures = {name: found[name][1] if name in found else attacked(test, name, 1.0) for name in levels}
    points = {name: attacked_points(test, name, 1.0 if level is None else level) for name, level in levels.items()}
    values = judged(test, pictures, nets, identity, points)
    return {name: {"harm": ATTACKS[name].harm, "level": None if level is None else round(level, 4),
                   "unit": ATTACKS[name].unit, "metrics": summary(values[name], test.identities)}
            for name, level in levels.items()}  # fmt: skip


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
        "count": len(test), "people": len(set(test.identities)), "seed": seed, "device": "cpu", "nets": list(NETS),
        "weights": {name: _about(name) for name in who},
    }  # fmt: skip
    attacks = lambda: {"damage": DAMAGES[0], "psnr": DB, "attacks": at_equal_psnr(test, identity=identity)}  # noqa: E731
    parts: dict[str, Callable[[], Any]] = {
        "agreement": lambda: agreement(records()),
        "frechet_bias": lambda: {net: frechet_bias(net, _real(part), HALVES, seed) for net in NETS},
        "protocol": lambda: protocol(data, SIZE, count, seed, identity=identity),
        "harm": lambda: harm(who, damaged(part, "nothing", count, seed), identity),
        "judges": attacks,
    }
    for name, measured in parts.items():
        out |= {name: measured(), "seconds": round(time.perf_counter() - begun, 1)}
        if keep:
            keep(out)
    return out


def _real(part: Faces) -> Tensor:
    count = min(MOST, len(part))
    return part.take([place * len(part) // count for place in range(count)])[0]


def _about(name: str) -> dict[str, Any]:
    card = read_card(name)
    return {"data": card["data"], "steps": card["steps"], "sha256": card["sha256"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m facelab.studies.side_by_side")
    parser.add_argument("data", nargs="?", default="lfw", help="a dataset of the catalogue")
    parser.add_argument("--count", type=int, default=COUNT, help="faces, at most")
    parser.add_argument("--out", type=Path, help="where to write; the shipped record where left out")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    target = chosen.out or path()

    def keep(found: dict[str, Any]) -> None:
        files.write_text(target, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{found['seconds']:.0f} s: {', '.join(found)}", file=sys.stderr, flush=True)

    record(chosen.data, chosen.count, keep=keep)
    print(target)
    return 0
