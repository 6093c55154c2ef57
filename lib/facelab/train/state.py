"""What a training run remembers besides its weights."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor


@dataclass
class State:
    """The counters, generator and tensors that a step may read and write; all of it is in every checkpoint.

    Args:
        step: number of steps completed; during the first step it is 0.
        total_steps: the length the schedules are made for; 0 lets ``fit`` set it.
        generator: every random choice of a step draws from it.
        cfg: the system's configuration (a dataclass or a dict).
        tensors: whatever else must survive, such as an image pool.
        best: best value of the chosen metric so far.
        best_step: the step it was reached at.
    """

    step: int = 0
    total_steps: int = 0
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    cfg: Any = None
    tensors: dict[str, Tensor] = field(default_factory=dict)
    best: float | None = None
    best_step: int = 0

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0 to 1."""
        return self.step / self.total_steps if self.total_steps else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors only."""
        return {
            "step": self.step,
            "total_steps": self.total_steps,
            "generator": self.generator.get_state(),
            "tensors": dict(self.tensors),
            "best": self.best,
            "best_step": self.best_step,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave. The configuration and the planned length stay this run's own."""
        self.step = int(saved["step"])
        self.total_steps = self.total_steps or int(saved["total_steps"])
        self.generator.set_state(saved["generator"])
        self.tensors.clear()
        self.tensors.update(saved["tensors"])
        self.best, self.best_step = saved["best"], int(saved["best_step"])


def plain_config(cfg: Any) -> Any:
    """A configuration as JSON would hold it: dicts, lists, strings, numbers."""
    if dataclasses.is_dataclass(cfg) and not isinstance(cfg, type):
        return {f.name: plain_config(getattr(cfg, f.name)) for f in dataclasses.fields(cfg)}
    if isinstance(cfg, Mapping):
        return {str(name): plain_config(value) for name, value in cfg.items()}
    if isinstance(cfg, list | tuple):
        return [plain_config(value) for value in cfg]
    if isinstance(cfg, numpy.generic):
        return cfg.item()
    if cfg is None or isinstance(cfg, str | int | float | bool):
        return cfg
    return str(cfg) if isinstance(cfg, Path | torch.device | torch.dtype) else repr(cfg)


def rng_state() -> dict[str, Any]:
    """The global generators of torch (CPU and GPUs), NumPy and Python, as plain values and tensors."""
    kind, keys, position, has_gauss, gauss = numpy.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [str(kind), torch.from_numpy(keys.astype("int64")), int(position), int(has_gauss), float(gauss)],
        "python": random.getstate(),
    }


def set_rng_state(saved: Mapping[str, Any]) -> None:
    """Put the global generators back to where :func:`rng_state` saw them."""
    torch.set_rng_state(saved["torch"])
    if saved["cuda"] and torch.cuda.is_available() and len(saved["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(saved["cuda"])
    kind, keys, position, has_gauss, gauss = saved["numpy"]
    numpy.random.set_state((kind, keys.numpy().astype("uint32"), position, has_gauss, gauss))
    version, numbers, gauss_next = saved["python"]
    random.setstate((version, tuple(numbers), gauss_next))
