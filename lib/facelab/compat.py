"""torchvision on a CPU-only torch.

The wheel of torchvision that goes with a CUDA build cannot load its compiled operators beside a CPU build of torch,
and then fails to import for want of two operator names. Declaring the names is enough: everything in pure Python
works, and the missing operators raise a clear error when called.
"""

from __future__ import annotations

import sys

_ANSWER: str | None = None
_LIBRARY = None  # keeps the declared operators alive


def ensure_torchvision() -> str:
    """Make ``import torchvision`` work.

    Returns:
        ``"native"`` where its compiled operators load, ``"stub"`` where only their names were declared.

    Raises:
        RuntimeError: any failure that is not the missing operators.
    """
    global _ANSWER, _LIBRARY
    if _ANSWER is not None:
        return _ANSWER
    import torch

    try:
        import torchvision  # noqa: F401

        _ANSWER = "native"
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            _LIBRARY.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for module in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        import torchvision  # noqa: F401

        _ANSWER = "stub"
    return _ANSWER
