"""What every variant shares, made once and kept on disk: the batches of each seed, and the test trials."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import numpy
import torch

from facelab import files
from facelab.errors import MissingPart
from facelab.faces.descriptor import descriptors
from facelab.studies.batches import Loader
from facelab.studies.tasks import task
from facelab.studies.trials import Trial


def fill(load: Loader, steps: int, folder: Path) -> Path:
    """Draw ``steps`` batches into ``folder``, one array a name; nothing to do where it is there already.

    Pictures and holes are kept in half precision: 0.0005 off at most, and the same in ``truth`` as in ``occluded``.
    """
    if folder.is_dir():
        return folder
    half_done = folder.with_name(folder.name + ".part")
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir(parents=True)
    kept: dict[str, numpy.ndarray] = {}
    for step in range(steps):
        for name, value in load(step).items():
            if name not in kept:
                kind = "float16" if value.is_floating_point() else "int64"
                path, shape = half_done / f"{name}.npy", (steps, *value.shape)
                kept[name] = numpy.lib.format.open_memmap(path, "w+", kind, shape)
            kept[name][step] = value.numpy()
    del kept
    half_done.replace(folder)
    return folder


def loader(folder: Path) -> Loader:
    """The kept batches as a function of the step number."""
    kept = {path.stem: numpy.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}

    def load(step: int) -> dict[str, torch.Tensor]:
        rows = {name: numpy.array(array[step]) for name, array in kept.items()}
        return {name: torch.from_numpy(row).float() if row.dtype == "float16" else torch.from_numpy(row)
                for name, row in rows.items()}  # fmt: skip

    return load


def fill_trials(path: Path, name: str, data: str, cfg: Any, count: int) -> Path:
    """Draw the test trials of a system, describe the true faces, and keep all of it in one file."""
    if path.is_file():
        return path
    kept = {label: vars(test) for label, test in task(name).trials(data, cfg, count, 1, None).items()}
    for test in kept.values():
        with contextlib.suppress(MissingPart, ImportError):  # no dlib here: no identity distance
            test["known"] = descriptors(test["truth"], test["points"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_path(path) as temporary:
        torch.save(kept, temporary)
    return path


def trials(path: Path) -> dict[str, tuple[Trial, torch.Tensor | None]]:
    """The kept trials by name, each with the descriptors (N, 128) of its true faces; None without dlib."""
    kept = torch.load(path, weights_only=True)
    known = {label: test.pop("known", None) for label, test in kept.items()}
    return {label: (Trial(**test), known[label]) for label, test in kept.items()}
