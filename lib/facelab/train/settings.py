"""What the configurations of all systems have in common."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

from facelab.errors import BadConfig


def refuse_other_types(cfg: Any) -> None:
    """Raise where a setting is not of its default's type: ``"false"`` is true, and NaN passes every comparison.

    Args:
        cfg: a configuration, a dataclass whose fields have defaults; a whole number may stand for a decimal one.

    Raises:
        BadConfig: with the name of the first such setting.
    """
    for field in dataclasses.fields(cfg):
        value, wanted = getattr(cfg, field.name), type(field.default)
        if wanted is float and type(value) is int:
            continue
        if type(value) is not wanted:
            raise BadConfig(field.name, value, f"of type {wanted.__name__}, as {field.default!r}")
        if wanted is float and not math.isfinite(value):
            raise BadConfig(field.name, value, "a finite number")


def refuse_unless(cfg: Any, fields: Iterable[str], fits: Callable[[Any], bool], allowed: str) -> None:
    """Raise ``BadConfig`` for the first of the fields whose value does not fit; ``allowed`` says what would."""
    for field in fields:
        if not fits(getattr(cfg, field)):
            raise BadConfig(field, getattr(cfg, field), allowed)


def refuse_impossible(cfg: Any, counts: Iterable[str], amounts: Iterable[str], shares: Iterable[str]) -> None:
    """The bounds that every system's settings have.

    Args:
        cfg: with ``beta1 beta2 learning_rate critic_learning_rate``, and weights whose names begin with ``lambda_``.
        counts: settings of 1 or more. amounts: of 0 or more, beside the weights. shares: from 0 to 1.

    Raises:
        BadConfig: with the name of the first that is out of bounds.
    """
    weights = [name for name in vars(cfg) if name.startswith("lambda_")]
    refuse_unless(cfg, counts, lambda value: value >= 1, "1 or more")
    refuse_unless(cfg, ("beta1", "beta2"), lambda value: 0 <= value < 1, "a number from 0, less than 1")
    refuse_unless(cfg, shares, lambda value: 0 <= value <= 1, "a number from 0 to 1")
    refuse_unless(cfg, ("learning_rate", "critic_learning_rate"), lambda value: value > 0, "a positive number")
    refuse_unless(cfg, (*weights, *amounts), lambda value: value >= 0, "0 or more")
