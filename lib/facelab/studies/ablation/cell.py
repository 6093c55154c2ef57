"""One cell of an ablation: one variant trained with one seed, and measured on people it never saw."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import files, images
from facelab.errors import BadConfig, NotFinite
from facelab.nets.features import feature_net
from facelab.studies.ablation import stock
from facelab.studies.ablation.subjects import subject
from facelab.studies.evaluation import measure, run_restore
from facelab.studies.training import describe, system, train, training_seconds
from facelab.train import history
from facelab.train.engine import make_engine
from facelab.train.state import plain_config

LOOKS = 8  # at a run, spread evenly
SHOWN = 8  # faces of each cell's picture
#: What is kept for each picture: differences between variants are taken picture by picture.
KEPT = {"psnr_hole": 2, "identity": 3, "iou": 2, "sharpness": 2}  # and with how many decimals
DIGITS = {**KEPT, "psnr": 2, "ssim": 3, "rank1": 0}  # the same for what a subject keeps of each trial


@dataclass(frozen=True)
class Cell:
    """What one process needs to know.

    Args:
        variant: name of the row. cfg: its full configuration.
        data: a dataset of the catalogue.
        seed: of weights and every draw; decides with ``data`` about the batches.
        folder: the run folder.
        batches, trials: what :func:`facelab.studies.ablation.stock.fill` and ``fill_trials`` made.
        device: see :func:`facelab.train.engine.make_engine`.
        system: whose variant it is.
    """

    variant: str
    cfg: Any
    data: str
    seed: int
    folder: Path
    batches: Path
    trials: Path
    device: str = "auto"
    system: str = "oagan"


def run(cell: Cell) -> dict[str, Any]:
    """Train and measure, or go on where a killed process stopped; the row is in ``row.json`` before this returns.

    Returns:
        ``variant seed steps ended seconds device torch``, and where the run ended well ``means``, ``unseen`` (means on
        the second trial: kinds that no picture with truth wore), ``further`` (on the third), or ``trials`` (means on
        each, by label), ``pictures`` (a list a metric of :data:`KEPT`, and those that the system's subject adds), and
        ``course`` (what was seen in training).

    Raises:
        BadConfig: the folder holds a run of other settings.
    """
    finished = cell.folder / "row.json"
    _refuse_other(cell)
    if finished.is_file():
        return json.loads(finished.read_text("utf-8"))
    about = subject(cell.system)
    row: dict[str, Any] = {"variant": cell.variant, "seed": cell.seed, "steps": cell.cfg.steps, "ended": "done"}
    try:
        _, model = train(
            cell.system, cell.cfg, cell.data, seed=cell.seed, out=cell.folder, device=cell.device, progress=False,
            loader=stock.loader(cell.batches), watch=about.watch, every=math.ceil(cell.cfg.steps / LOOKS),
        )  # fmt: skip
    except NotFinite as error:
        row["ended"] = f"not finite at step {error.step}"
    rows = history.read(cell.folder / "history.jsonl")
    row["seconds"] = round(training_seconds(rows), 1)
    row |= {"device": describe(make_engine(cell.device)), "torch": torch.__version__}
    if row["ended"] == "done":
        model = model.cpu().eval()
        row |= judged(partial(system(cell.system).restore, model), cell)
        if about.also is not None:
            row["pictures"] |= about.also(model, next(iter(stock.trials(cell.trials).values()))[0], cell.cfg)
    row["course"] = [{k.removeprefix("val_"): _short(v) for k, v in seen.items() if k == "step" or k.startswith("val_")}
                     for seen in rows if any(k.startswith("val_") for k in seen)]  # fmt: skip
    files.write_text(finished, json.dumps(row) + "\n")
    for left in (cell.folder / "checkpoints", cell.folder / "best.ckpt", *cell.folder.glob("grid_*.png")):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    return row


def _refuse_other(cell: Cell) -> None:
    described = cell.folder / "config.json"
    if described.is_file():
        known = json.loads(described.read_text("utf-8"))
        if (known["config"], known["about"]["data"]) != (plain_config(cell.cfg), cell.data):
            raise BadConfig("--out", str(cell.folder.parents[1]), "a folder whose runs have the same settings")


def judged(restore: Callable, cell: Cell) -> dict[str, Any]:
    """Measure on the held-out people of the trials, and draw what the faces of the first became."""
    about, found = subject(cell.system), {}
    nets = {metric: feature_net(name) for metric, name in about.nets.items()}
    for place, (label, (test, known)) in enumerate(stock.trials(cell.trials).items()):
        with torch.no_grad():
            image, hole, _ = run_restore(restore, *about.told(test, cell.cfg).shown)
            values = measure(image, test, hole=None if test.given else hole, known=known, nets=nets)
        means = {name: short_mean(value) for name, value in values.items()}
        if place == 0:
            first = {name: digits for name, digits in KEPT.items() if name in values}
            found |= {"means": means, "pictures": {name: _listed(values[name], n) for name, n in first.items()}}
            _draw(image, hole, cell.folder / "faces.png")
        elif not about.each_trial:
            found["unseen" if place == 1 else "further"] = means
        if about.each_trial:
            found.setdefault("trials", {})[label] = means
            found["pictures"] |= kept(values, about.each_trial, label)
    return found


def kept(values: Mapping[str, Tensor], wanted: Sequence[str], label: str) -> dict[str, list[float | None]]:
    """What a record keeps of a trial, a list a metric; those that were measured: without dlib nobody is recognised."""
    return {f"{name}, {label}": _listed(values[name], DIGITS[name]) for name in wanted if name in values}


def short_mean(value: Tensor) -> float:
    """Mean of what is finite, five significant digits."""
    return _short(_mean(value))


def _listed(value: Tensor, digits: int) -> list[float | None]:
    return [_rounded(one, digits) for one in value.tolist()]


def shown(count: int) -> list[int]:
    """Places in the trial whose faces are drawn: fixed, evenly spread."""
    return [i * count // min(SHOWN, count) for i in range(min(SHOWN, count))]


def _draw(image: Tensor, hole: Tensor | None, path: Path) -> None:
    chosen = shown(len(image))
    holes = () if hole is None else (images.to_channels(hole[chosen] * 2 - 1, image.shape[1]),)
    images.save_image(images.grid(torch.cat([image[chosen], *holes]).clamp(-1, 1), len(chosen), 0), path)


def _mean(value: Tensor) -> float:
    return torch.where(torch.isfinite(value), value, torch.nan).nanmean().item()


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None  # a hole too small to have an inside has no sharpness


def _short(value: Any) -> Any:
    """Five significant digits: a record is read by people, too."""
    return float(f"{value:.5g}") if isinstance(value, float) else value
