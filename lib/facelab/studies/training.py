"""Train a system from its name: data, engine, run folder, validation, and the weights at the end."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from facelab import files
from facelab.data.catalogue import open_dataset
from facelab.errors import BadWeights
from facelab.occlude.cutouts import Cutout, load_cutouts
from facelab.seeding import generator, seed_all
from facelab.studies.batches import Loader
from facelab.studies.beginnings import already_taught, begun, begun_with, set_alike
from facelab.studies.parts import Faces, doubtful
from facelab.studies.tasks import task
from facelab.studies.validation import as_judged, picture_grid, validator
from facelab.train.engine import Engine, make_engine
from facelab.train.fit import Outcome, fit
from facelab.train.launch import launch
from facelab.train.run import open_run
from facelab.train.state import State
from facelab.train.weights import read_card, write_weights


def system(name: str) -> ModuleType:
    """The module of a system, by name.

    Raises:
        BadConfig: no such system.
    """
    task(name)
    return import_module(f"facelab.systems.{name}")


def configure(name: str, profile: str, data: str, changes: Mapping[str, Any] | None = None):
    """A system's configuration for a profile and a dataset (which decides the channels)."""
    channels = {"channels": open_dataset(data).channels}
    return system(name).Config.for_profile(profile, **{**channels, **(changes or {})})


def train(
    name: str,
    cfg: Any,
    data: str,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    resume: str = "auto",
    device: str = "auto",
    seconds: float | None = None,
    cutouts: str | Path | None = None,
    start: str | Path | None = None,
    loader: Loader | None = None,
    watch: Callable[..., Callable[[int], dict[str, float]]] | None = None,
    **options: Any,
) -> tuple[Outcome, Any]:
    """Train one system and write ``weights.safetensors`` with its card and ``metrics.json`` into the run folder.

    Args:
        name: the system.
        cfg: its configuration.
        data: a dataset of the catalogue.
        seed: of weights, batches and every other draw.
        out: the run folder; ``runs/SYSTEM-DATA-seedN`` where None.
        resume: ``"auto"`` or ``"never"``.
        device: see :func:`facelab.train.engine.make_engine`.
        seconds: stop cleanly after so much wall time; resume goes on.
        cutouts: a folder of pictures with transparency, drawn as one more kind of occluder.
        start: weights of the same generator to begin with, a file or name; None begins with fresh ones. A face network
            inside comes along, and ``paint_from`` is 0.
        loader: batches by step number; None draws those of its :class:`facelab.studies.tasks.Task`.
        watch: called once with model, configuration, validation trial and engine; what it returns is called with the
            steps done at each validation, in evaluation mode, and its numbers join the history.
        **options: passed to :func:`facelab.train.fit.fit` (``curve``, ``progress``, ``every`` …).

    Returns:
        How the run ended, and the trained model.
    """
    module, engine = system(name), make_engine(device)
    own = load_cutouts(cutouts) if cutouts is not None else []
    cfg = already_taught(cfg, start)
    nets, model = _networks(name, cfg, data, seed, start, engine)
    opts = module.optimizers(model, cfg)
    state = State(total_steps=cfg.steps, generator=generator(seed, "train"), cfg=cfg)
    folder = Path(out) if out is not None else default_folder(name, data, seed)
    about = run_about(name, data, seed, cfg, own, start) | {"nets": {k: digest(net) for k, net in nets.items()}}
    run = open_run(folder, model, opts, state, engine=engine, resume=resume, about=about)
    loader = loader or task(name).loader(data, cfg, seed, own)
    held_out = task(name).held_out(data, cfg, 64, seed)
    restore = partial(module.restore, model)
    step = lambda batch: engine.mean(module.train_step(batch, model, opts, state, engine))  # noqa: E731
    looks = [validator(restore, held_out, engine)] + ([watch(model, cfg, held_out, engine)] if watch else [])
    measure = as_judged(model, lambda done: {name: value for look in looks for name, value in look(done).items()})
    draw = as_judged(model, picture_grid(restore, held_out, run.grid, engine))
    outcome = fit(
        step, loader, cfg.steps, validate=measure, picture=draw if engine.is_main else None, seconds=seconds,
        **{"best": "gain" if held_out.pixelwise else None, "every": max(1, cfg.steps // 20), **run.hooks(), **options},
    )  # fmt: skip
    if engine.is_main:
        write = partial(write_weights, folder / "weights.safetensors", {"G": model.best_generator()})
        write({"system": name, "data": data, "steps": outcome.step, "config": dataclasses.asdict(cfg)})  # safe already
        card = training_card(name, cfg, data, seed, outcome, engine, run.history.rows)
        card |= begun_with(start) | ({"nets": about["nets"]} if nets else {})
        card["kinds"] += [f"cutouts ({len(own)} of your own)"] if own else []
        write(card)
        card["validation"] = last_look(run.history.rows)
        files.write_text(folder / "metrics.json", json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return outcome, model


def last_look(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the last validation in a history found: ``step`` and ``val_…``; empty where there was none."""
    looks = ({name: value for name, value in row.items() if name.startswith("val_")} | {"step": row["step"]}
             for row in reversed(rows) if any(name.startswith("val_") for name in row))  # fmt: skip
    return next(looks, {})


def _networks(name: str, cfg: Any, data: str, seed: int, start: Any, engine: Engine) -> tuple[dict, torch.nn.Module]:
    """The networks that the system is handed, and its own, fresh or those of ``start``."""
    try:
        nets = task(name).nets(data, cfg, engine, start)
        seed_all(seed)
        return nets, engine.prepare(begun(system(name).build(cfg, **nets), start))
    except BadWeights as error:
        raise BadWeights(error.path, error.reason, set_alike(start, cfg) or error.hint) from error


def run_about(
    name: str, data: str, seed: int, cfg: Any, own: Sequence[Cutout] = (), start: Any = None
) -> dict[str, Any]:
    """What makes a run what it is, besides its configuration: resuming with anything else is refused.

    Args:
        name, data, seed: of the run.
        cfg: its configuration (channels decide about the kinds of occluders).
        own: occluders of the user's own, told apart by name and pixels.
        start: the weights it began with.
    """
    pixels = [hashlib.sha256(cutout.pixels.numpy().tobytes()).hexdigest()[:12] for cutout in own]
    names = [f"{cutout.name} {digest}" for cutout, digest in zip(own, pixels, strict=True)]
    begun_with = read_card(start).get("sha256") if start is not None else None
    return {"data": data, "seed": seed, "kinds": list(task(name).kinds(cfg)), "cutouts": names, "start": begun_with}


def digest(net: torch.nn.Module) -> str:
    """Which weights a network has, in twelve hexadecimal digits: a run is not gone on with beside another one."""
    parts = (value.detach().cpu().contiguous().numpy().tobytes() for _, value in sorted(net.state_dict().items()))
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def default_folder(name: str, data: str, seed: int) -> Path:
    """``runs/SYSTEM-DATA-seedN``."""
    return files.runs_root() / f"{name}-{data.replace(':', '_').replace('/', '_')}-seed{seed}"


def training_card(name: str, cfg: Any, data: str, seed: int, outcome: Outcome, engine: Engine, rows: list) -> dict:
    """What is known about weights when a run ends; the evaluation adds the metrics."""
    dataset, parts = open_dataset(data), ("train", "val", "test")
    held = {part: task(name).part(data, part, cfg) for part in parts}
    return {
        "system": name,
        "data": data,
        "kinds": list(task(name).kinds(cfg)),
        "split": {part: task(name).counted(members, part) for part, members in held.items()},
        "doubtful_in_training": doubtful(held["train"]) if isinstance(held["train"], Faces) else {},
        "people": len(dataset.identities),
        "steps": outcome.step,
        "seconds": round(training_seconds(rows), 1),
        "device": describe(engine),
        "seed": seed,
        "config": dataclasses.asdict(cfg),
    }


def training_seconds(rows: Sequence[Mapping[str, Any]]) -> float:
    """Seconds a run has trained, interruptions left out: each row speaks for all steps since the row before it."""
    steps = [0, *(int(row["step"]) for row in rows)]
    spans = [after - before for before, after in zip(steps, steps[1:], strict=False)]
    return sum(span * float(row.get("seconds", 0.0)) for span, row in zip(spans, rows, strict=True))


def describe(engine: Engine) -> str:
    """The device in words, e.g. ``"cpu, 2 threads, bf16"``."""
    if engine.device.type == "cuda":
        return f"{torch.cuda.get_device_name(engine.device)} × {engine.world}, {engine.precision}"
    threads = torch.get_num_threads()
    return f"{engine.device.type} ({platform.machine()}), {threads} thread{'s' * (threads > 1)}, {engine.precision}"


def train_system(
    name: str, profile: str = "laptop", data: str | None = None, steps: int = 0, resume: str = "auto", devices: int = 1,
    out: str | Path | None = None, seed: int = 0, changes: Mapping[str, Any] | None = None,
    seconds: float | None = None, cutouts: str | Path | None = None, start: str | Path | None = None,
) -> None:  # fmt: skip
    """The command ``facelab train``: see :func:`train`. ``steps`` 0 means the profile's own number, no ``data`` the
    system's own.

    Raises:
        BadConfig: an impossible setting, or ``out`` is no folder that files can be written to.
        LayoutError: the data is not here, or not what the system needs. Nothing is written then.
    """
    data = data or task(name).data
    more = {**(changes or {}), **({"steps": steps} if steps else {})}
    cfg = configure(name, profile, data, more)
    task(name).loader(data, cfg, seed, None)  # before a folder is made
    folder = files.usable_folder(out if out is not None else default_folder(name, data, seed))
    quietly = partial(_train_quietly, name, cfg, data, seed, folder, resume, seconds, cutouts, start)
    launch(quietly, devices=devices)


def _train_quietly(name, cfg, data, seed, folder, resume, seconds, cutouts, start) -> None:
    more = {"seconds": seconds, "cutouts": cutouts, "start": start}
    outcome, _ = train(name, cfg, data, seed=seed, out=folder, resume=resume, **more)
    if os.environ.get("RANK", "0") != "0":  # several processes, one line
        return
    weights, ended = str(folder / "weights.safetensors"), {"stopped": outcome.stopped, "step": outcome.step}
    ended |= {"seconds": round(outcome.seconds, 1), "run": str(folder), "weights": weights}
    print(json.dumps(ended, ensure_ascii=False), flush=True)
    print(f"Measure: facelab evaluate {shlex.join([name, '--weights', weights, '--data', data])}", file=sys.stderr)
