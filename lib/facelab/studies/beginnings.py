"""Runs that begin with weights: how they are read, and what is said where they do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from facelab.errors import BadWeights
from facelab.train.weights import fill_module, read_card, read_weights

SHAPES = ("model", "channels", "width", "encoder", "face_told", "face_width")
"""Settings, of any system, that decide about the shapes of its networks."""


def begun(model: Any, start: str | Path | None) -> Any:
    """The model with the generator of ``start``, in its running average too; unchanged where that is None.

    Raises:
        BadWeights: missing, damaged, or of another generator.
    """
    if start is not None:
        parts, _ = read_weights(start)
        for net in (model.G, model.average):
            if net is not None:
                fill_module(net, parts, "G", start)
    return model


def already_taught(cfg: Any, start: str | Path | None) -> Any:
    """A configuration for a run that may begin with weights: its flows were taught, pictures are made at once."""
    taught = start is not None and getattr(cfg, "paint_from", 0.0)
    return dataclasses.replace(cfg, paint_from=0.0) if taught else cfg


def set_alike(start: str | Path | None, cfg: Any) -> str:
    """What to set for networks as those of some weights; empty where :data:`SHAPES` are alike or the card is lost."""
    try:
        card = {} if start is None else read_card(start)
    except BadWeights:
        card = {}
    if not card:
        return ""
    fresh = {field.name: field.default for field in dataclasses.fields(cfg)}
    there = {name: card.get("config", {}).get(name, fresh[name]) for name in SHAPES if name in fresh}
    apart = [f"--set {name}={value}" for name, value in there.items() if value != getattr(cfg, name)]
    return f"For networks like theirs: {' '.join(apart)}" if apart else ""


def begun_with(start: str | Path | None) -> dict[str, Any]:
    """What a card says about the weights a run began with."""
    if start is None:
        return {}
    card = read_card(start)
    wanted = ("sha256", "data", "seed", "steps", "seconds", "device", "config", "start")  # its own beginning, too
    return {"start": {key: card[key] for key in wanted if key in card}}
