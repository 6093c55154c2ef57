"""Weights that ship: one ``.safetensors`` file a system, half precision, and a ``.json`` card beside it.

Keys are prefixed by the net (``G.``). The card says what the file is (system, config, sha256) and how it came about
(data, split, steps, device, seed, metrics).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from textwrap import shorten

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn

from facelab import files
from facelab.errors import BadWeights

LIMIT_BYTES = 12_000_000


def weights_path(path_or_name: str | Path) -> Path:
    """A file as given, or ``weights/NAME.safetensors`` of the project for a bare name."""
    given = Path(path_or_name)
    return given if given.suffix == ".safetensors" else files.weights_root() / f"{path_or_name}.safetensors"


def write_weights(path_or_name: str | Path, nets: dict[str, nn.Module], card: dict) -> Path:
    """Write nets (by prefix) in half precision, and their card; both atomically.

    Raises:
        BadWeights: a number is NaN, infinite or beyond half precision (65,504); or the file would go to ``weights/``,
            and is larger than a shipped weight file may be (12 MB). Nothing is written then.
    """
    path = weights_path(path_or_name)
    tensors = {
        f"{prefix}.{key}": (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for prefix, net in nets.items()
        for key, value in net.state_dict().items()
    }
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            reason = f"{key} holds a number that is not finite, or beyond half precision (largest 65,504)"
            raise BadWeights(path, reason, "Take an earlier checkpoint, and train on with a smaller learning rate")
    content = to_safetensors(tensors)
    refuse_large(path, len(content))  # before anything is written; a run folder may hold larger ones
    files.write_bytes(path, content)
    card = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    files.write_text(path.with_suffix(".json"), json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return path


def refuse_large(path: Path, size: int) -> None:
    """Raise ``BadWeights`` for a file in ``weights/`` of more bytes than may be shipped."""
    if size > LIMIT_BYTES and path.resolve().parent == files.weights_root().resolve():
        raise BadWeights(path, f"{size:,} bytes are more than the {LIMIT_BYTES:,} that ship", "Choose a smaller width.")


def read_card(path_or_name: str | Path) -> dict:
    """The card beside a weight file.

    Raises:
        BadWeights: missing, not JSON, or not a card.
    """
    path = weights_path(path_or_name).with_suffix(".json")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadWeights(path, "there is no card here", "Train first, or name another weight file.") from error
    except ValueError as error:
        raise BadWeights(path, f"the card is not JSON ({error})", "Restore it from the repository.") from error
    if not isinstance(card, dict) or not isinstance(card.get("config", {}), dict):
        raise BadWeights(path, "the card is no card: an object with an object `config` is needed", "Restore it.")
    return card


def read_weights(path_or_name: str | Path) -> tuple[dict[str, Tensor], dict]:
    """All tensors of a weight file, fp32, and its card; the file's checksum is verified before it is parsed.

    Raises:
        BadWeights: missing, damaged, or not the file its card describes.
    """
    path = weights_path(path_or_name)
    if not path.is_file():
        raise BadWeights(path, "there is no weight file here", "Train first, or name another weight file.")
    card = read_card(path)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise BadWeights(path, "its bytes are not those its card describes", "Restore both from the repository.")
    try:
        tensors = parse_safetensors(content)
    except SafetensorError as error:
        raise BadWeights(path, f"damaged ({error})", "Restore it from the repository.") from error
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, card


def config_from_card(kind: type, card: dict):
    """The configuration a card records; settings this version does not know are left out."""
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: value for key, value in card.get("config", {}).items() if key in known})


def fill_module(module: nn.Module, tensors: dict[str, Tensor], prefix: str, source: str | Path) -> None:
    """Load the tensors under ``prefix.`` into a module.

    Raises:
        BadWeights: a missing, unexpected or differently shaped tensor, named.
    """
    part = {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(f"{prefix}.")}
    try:
        with torch.no_grad():
            module.load_state_dict(part, strict=True)
    except RuntimeError as error:
        first = (str(error).splitlines()[1:2] or [str(error)])[0]
        raise BadWeights(source, f"made for another network: {shorten(first, 160)}", "Use its own card.") from error
