"""Checkpoints: the whole run in one file that is either complete and intact, or refused.

A file is one line that names the format, one line with the SHA-256 of the rest, then what ``torch.save`` wrote. The sum
is checked before anything is parsed, parsing never runs code, and writing is atomic.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from facelab.errors import BadCheckpoint
from facelab.files import atomic_path
from facelab.train.optim import align_layouts, named
from facelab.train.state import State, plain_config, rng_state, set_rng_state

MAGIC = b"facelab checkpoint 1\n"
HEADER = len(MAGIC) + 65
PATTERN = "step_*.ckpt"


def name_of(step: int) -> str:
    """File name of the checkpoint after ``step`` steps."""
    return f"step_{step:08d}.ckpt"


def save(path: str | Path, model: nn.Module, opts: object, state: State) -> Path:
    """Write the full state: weights, optimisers, counters, all generators, configuration.

    Args:
        path: the file; it appears complete or not at all.
        model: one module holding every net, averages included.
        opts: one optimiser, or several in a dict, tuple or dataclass.
        state: the run's state.

    Raises:
        TypeError: something that could not be read back without running code.
    """
    content = {
        "model": model.state_dict(),
        "optimizers": {name: opt.state_dict() for name, opt in named(opts).items()},
        "state": state.state_dict(),
        "rng": rng_state(),
        "config": plain_config(state.cfg),
    }
    buffer = io.BytesIO()
    torch.save(_plain(content, "checkpoint"), buffer)
    with atomic_path(path) as temporary, open(temporary, "wb") as out:
        out.write(MAGIC + hashlib.sha256(buffer.getbuffer()).hexdigest().encode() + b"\n")
        out.write(buffer.getbuffer())
    return Path(path)


def load(
    path: str | Path, model: nn.Module, opts: object, state: State, changeable: Sequence[str] = ("steps",)
) -> None:
    """Put a run back to where :func:`save` left it, generators included. Nothing changes when the file is refused.

    Of several processes all go on with the main one's global generators: steps that must repeat draw from ``state``.

    Args:
        path: a checkpoint.
        model: built from the same configuration.
        opts: as they were saved.
        state: takes over step, tensors and generator; its ``cfg`` is compared with the saved one.
        changeable: settings that may differ.

    Raises:
        BadCheckpoint: damaged, unsafe, or from another configuration.
    """
    content = read(path)
    _same_config(path, content["config"], plain_config(state.cfg), changeable)
    _fits(path, content["model"], model.state_dict())
    wanted, found = _group_sizes(named(opts)), _group_sizes(content["optimizers"])
    if wanted != found:
        raise BadCheckpoint(path, f"holds optimisers over {found} tensors, this run has {wanted}", ANEW)
    model.load_state_dict(content["model"])
    for name, opt in named(opts).items():
        opt.load_state_dict(content["optimizers"][name])
        align_layouts(opt)
    state.load_state_dict(content["state"])
    set_rng_state(content["rng"])


ANEW = "Start anew with another run name, or use the settings the run was started with"


def read(path: str | Path) -> dict[str, Any]:
    """What a checkpoint holds, as dicts and CPU tensors.

    Raises:
        BadCheckpoint: missing, truncated, changed, or holding anything but plain data.
    """
    payload = _payload(path)
    try:
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except Exception as error:  # every fault of a foreign file is the file's fault
        first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise BadCheckpoint(path, f"holds more than plain data, and was not opened ({first})", OLDER) from None
    parts = {"model", "optimizers", "state", "rng", "config"}
    if not isinstance(content, dict) or not parts <= set(content):
        raise BadCheckpoint(path, "is not a training checkpoint", OLDER)
    return content


OLDER = "Resume from an older checkpoint of the run, or start anew"


def _payload(path: str | Path) -> memoryview:
    try:
        blob = Path(path).read_bytes()
    except OSError as error:
        raise BadCheckpoint(path, f"cannot be read ({error.strerror})", OLDER) from None
    if not blob.startswith(MAGIC) or len(blob) < HEADER:
        raise BadCheckpoint(path, "is not a facelab checkpoint, or its first bytes are damaged", OLDER)
    payload = memoryview(blob)[HEADER:]
    if blob[len(MAGIC) : HEADER] != hashlib.sha256(payload).hexdigest().encode() + b"\n":
        raise BadCheckpoint(path, "is damaged: its SHA-256 does not match its content", OLDER)
    return payload


def latest(folder: str | Path) -> Path | None:
    """The newest intact checkpoint of a folder; damaged ones are named in a warning and passed over.

    Returns:
        the file, or None where there is no checkpoint at all.

    Raises:
        BadCheckpoint: there are checkpoints, and none of them is intact.
    """
    found = sorted(Path(folder).glob(PATTERN), reverse=True)
    for path in found:
        try:
            _payload(path)
        except BadCheckpoint as error:
            warnings.warn(f"{error.path} {error.reason}; falling back to the one before it", stacklevel=2)
        else:
            return path
    if found:
        raise BadCheckpoint(folder, f"none of its {len(found)} checkpoints is intact", ANEW)
    return None


def set_aside(path: Path) -> list[str]:
    """Rename the checkpoints newer than ``path``, all of them damaged, to ``*.damaged``: they must not count as kept.

    Args:
        path: what :func:`latest` found.

    Returns:
        a line for people on each of them.
    """
    newer = sorted(other for other in path.parent.glob(PATTERN) if other.name > path.name)
    return [f"{other} is damaged: kept as {other.replace(f'{other}.damaged').name}" for other in newer]


def prune(folder: str | Path, keep: int) -> None:
    """Keep the ``keep`` newest checkpoints; remove older ones and what killed processes left half-written."""
    folder = Path(folder)
    for path in [*sorted(folder.glob(PATTERN))[:-keep], *folder.glob(f".{PATTERN}")]:
        path.unlink(missing_ok=True)


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Tensor):
        value = value.detach()
        whole = value.untyped_storage().nbytes() == value.numel() * value.element_size()
        return value if whole else value.clone()  # a view would drag its whole storage along
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, Mapping):
        return OrderedDict((_plain(k, where), _plain(v, f"{where}.{k}")) for k, v in value.items())
    if isinstance(value, list | tuple):
        parts = [_plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
        return tuple(parts) if isinstance(value, tuple) else parts
    if value is None or isinstance(value, str | int | float | bool | bytes):
        return value
    raise TypeError(f"{where} is a {type(value).__name__}; give tensors, numbers, text, lists or dicts")


def _flat(config: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(config, Mapping):
        return {prefix or "config": config}
    return {k: v for name, value in config.items() for k, v in _flat(value, f"{prefix}.{name}".lstrip(".")).items()}


def _same_config(path: str | Path, saved: Any, now: Any, changeable: Sequence[str]) -> None:
    old, new = _flat(saved), _flat(now)
    differing = [name for name in old if name in new and old[name] != new[name] and name not in changeable]
    if differing:
        listed = ", ".join(f"{name}={old[name]!r}, now {new[name]!r}" for name in differing[:4])
        raise BadCheckpoint(path, f"this run was started with {listed}", ANEW)
    if unknown := sorted(set(old) ^ set(new)):
        warnings.warn(f"{path}: settings known on one side only: {', '.join(unknown)}", stacklevel=3)


def _group_sizes(opts: Mapping[str, Any]) -> dict[str, list[int]]:
    saved = {name: opt if isinstance(opt, Mapping) else opt.state_dict() for name, opt in opts.items()}
    return {name: [len(group["params"]) for group in opt["param_groups"]] for name, opt in saved.items()}


def _fits(path: str | Path, saved: Mapping[str, Tensor], now: Mapping[str, Tensor]) -> None:
    if absent := sorted(set(saved) ^ set(now)):
        raise BadCheckpoint(path, f"its weights are of another network (first difference: {absent[0]})", ANEW)
    for name, value in now.items():
        if saved[name].shape != value.shape:
            raise BadCheckpoint(path, f"{name} is {tuple(saved[name].shape)} there and {tuple(value.shape)} here", ANEW)
