"""What the configurations of all systems have in common."""

from __future__ import annotations

import dataclasses
import math
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
