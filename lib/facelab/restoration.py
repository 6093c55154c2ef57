"""What every system's ``restore`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Restoration(NamedTuple):
    """``image`` the composite, ``hole`` where it was filled (N, 1, H, W), ``raw`` the generator's whole picture."""

    image: Tensor
    hole: Tensor | None
    raw: Tensor
