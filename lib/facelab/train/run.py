"""A run folder: everything a training run leaves behind, and what it needs to go on.

``config.json`` · ``history.jsonl`` · ``checkpoints/step_*.ckpt`` · ``best.ckpt`` · ``grid_*.png`` · ``bad_batch_*.pt``
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facelab import files
from facelab.errors import BadCheckpoint, BadConfig, NotFinite
from facelab.train import checkpoint
from facelab.train.engine import Engine
from facelab.train.history import History
from facelab.train.state import State, plain_config


@dataclass
class Run:
    """A folder bound to the nets, optimisers and state it keeps.

    Args:
        folder: where everything goes.
        model: one module holding every net.
        opts: its optimisers.
        state: its state.
        engine: only the main process writes.
        history: the rows so far.
        keep: how many checkpoints stay.
        resumed: True when an earlier checkpoint was loaded.
    """

    folder: Path
    model: nn.Module
    opts: object
    state: State
    engine: Engine
    history: History
    keep: int = 3
    resumed: bool = False

    def save(self, best: bool = False) -> None:
        """Write a checkpoint, or ``best.ckpt``.

        Raises:
            NotFinite: a weight is NaN or infinite; such a checkpoint would only hide the last good one.
        """
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise NotFinite(f"weight {name}", self.state.step)
        if not self.engine.is_main:
            return
        if best:
            checkpoint.save(self.folder / "best.ckpt", self.model, self.opts, self.state)
            return
        folder = self.folder / "checkpoints"
        checkpoint.save(folder / checkpoint.name_of(self.state.step), self.model, self.opts, self.state)
        checkpoint.prune(folder, self.keep)

    def save_batch(self, batch: Any) -> Path:
        """Keep the batch that broke a run, readable by ``torch.load`` with ``weights_only=True``."""
        path = self.folder / f"bad_batch_{self.state.step:08d}_{self.engine.rank}.pt"
        with files.atomic_path(path) as temporary:
            torch.save(_on_cpu(batch), temporary)
        return path

    def grid(self, step: int | None = None) -> Path:
        """Where the validation picture of a step goes."""
        return self.folder / f"grid_{self.state.step if step is None else step:08d}.png"

    def hooks(self) -> dict[str, Any]:
        """The arguments of :func:`facelab.train.fit.fit` that this folder answers for."""
        history = self.history if self.engine.is_main else History()
        return {
            "state": self.state,
            "save": self.save,
            "on_bad_batch": self.save_batch,
            "history": history,
            "engine": self.engine,
        }


def open_run(
    folder: str | Path,
    model: nn.Module,
    opts: object,
    state: State,
    *,
    engine: Engine | None = None,
    resume: str = "auto",
    keep: int = 3,
    changeable: Sequence[str] = ("steps",),
    about: Mapping[str, Any] | None = None,
    note: Callable[[str], None] = print,
) -> Run:
    """Open a run folder, and continue what is in it.

    Args:
        folder: made if missing.
        model: already built and prepared; its weights are replaced when the run continues.
        opts: its optimisers.
        state: fresh, with ``cfg`` and ``total_steps`` set.
        engine: of this process; a single CPU process by default.
        resume: ``"auto"`` continues from the newest intact checkpoint if there is one, and renames damaged newer
            ones to ``*.damaged``; ``"never"`` starts anew and moves an earlier run aside to ``<folder>.1``, ``.2``, ….
        keep: how many checkpoints stay, at least 1.
        changeable: settings of ``state.cfg`` that may differ from the earlier part of the run.
        about: what else makes the run what it is (data, seed …), plain values; must not change either.
        note: told in one line what happens.

    Raises:
        BadCheckpoint: the folder belongs to another configuration or is about something else, or all its checkpoints
            are damaged.
        BadConfig: an unknown ``resume``.
    """
    if resume not in ("auto", "never"):
        raise BadConfig("resume", resume, "auto or never")
    if keep < 1:
        raise BadConfig("keep", keep, "at least 1")
    folder, engine = Path(folder), engine or Engine()
    note = note if engine.is_main else lambda line: None
    if resume == "never" and engine.is_main:
        _move_aside(folder, note)
    engine.wait()
    found, about = checkpoint.latest(folder / "checkpoints"), plain_config(about or {})
    if found:
        _refuse_other(folder / "config.json", about)
        _resume(found, model, opts, state, changeable, note)
        _move_tensors(state, engine.device)
        for line in checkpoint.set_aside(found) if engine.is_main else ():
            note(line)
    history = History(folder / "history.jsonl" if engine.is_main else None)
    if engine.is_main:
        history.truncate(state.step)
        described = {"config": plain_config(state.cfg), "total_steps": state.total_steps, "about": about}
        described["torch"] = torch.__version__
        files.write_text(folder / "config.json", json.dumps(described, indent=2) + "\n")
    engine.wait()
    return Run(folder, model, opts, state, engine, history, keep, found is not None)


def _refuse_other(described: Path, about: Mapping[str, Any]) -> None:
    known = json.loads(described.read_text("utf-8")).get("about", {}) if described.exists() else {}
    for name in sorted(known.keys() & about.keys()):
        if known[name] != about[name]:
            hint = "Start anew with another run name, or go on with what it was"
            raise BadCheckpoint(described, f"the run is about {name} {known[name]}, not {about[name]}", hint)


def _resume(path: Path, model, opts, state: State, changeable: Sequence[str], note: Callable[[str], None]) -> None:
    asked = state.total_steps
    content = checkpoint.read(path)["state"]
    if asked and content["step"] > asked:
        hint = "Ask for more steps, or start anew with another run name"
        raise BadCheckpoint(path, f"is at step {content['step']}, beyond the {asked} asked for", hint)
    checkpoint.load(path, model, opts, state, changeable)
    if asked and content["total_steps"] not in (0, asked):
        note(f"the run was planned for {content['total_steps']} steps, now {asked}: schedules follow the new length")
    note(f"resuming {path.parent.parent} at step {state.step}" + (f" of {asked}" if asked else ""))


def _move_tensors(state: State, device: torch.device) -> None:
    """A checkpoint is read on the CPU; what the state carried there goes back to the device, its layout unchanged."""
    for name, value in state.tensors.items():
        state.tensors[name] = value.to(device) if isinstance(value, Tensor) else value


def _move_aside(folder: Path, note: Callable[[str], None]) -> None:
    if not (folder / "checkpoints").is_dir() and not (folder / "history.jsonl").is_file():
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(aside)
    note(f"the earlier run in {folder} is kept as {aside.name}")


def _on_cpu(batch: Any) -> Any:
    if isinstance(batch, Mapping):
        return {str(name): _on_cpu(value) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        return [_on_cpu(part) for part in batch]
    if isinstance(batch, Tensor):
        return batch.detach().cpu().clone()
    return batch if batch is None or isinstance(batch, str | int | float | bool) else repr(batch)
