"""Optimisers: Adam in its fastest form, and the memory layout that form silently relies on."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

FUSED_DEVICES = ("cpu", "cuda")


def adam(params: Iterable[Tensor], lr: float, betas: tuple[float, float] = (0.5, 0.999)) -> torch.optim.Adam:
    """Adam, fused into one kernel where the device has it.

    Args:
        params: parameters on their final device.
        lr: learning rate, > 0.
        betas: decay of the running mean and of the running square.

    Source: Kingma and Ba, 2015; the betas customary for GANs are from DCGAN (Radford et al., 2016).
    """
    params = list(params)
    fusable = all(p.device.type in FUSED_DEVICES and p.is_floating_point() for p in params)
    return torch.optim.Adam(params, lr=lr, betas=betas, **({"fused": True} if fusable else {"foreach": True}))


def parameters(opt: Optimizer) -> list[nn.Parameter]:
    """All trainable parameters of an optimiser, in order."""
    return [p for group in opt.param_groups for p in group["params"] if p.requires_grad]


def align_layouts(opt: Optimizer) -> None:
    """Give gradients and optimiser state the strides of their parameter.

    The fused CPU kernel walks raw memory: a channels-last weight with a contiguous gradient (or the reverse) would be
    updated with its numbers in the wrong places, without any error.
    """
    for param in parameters(opt):
        if param.grad is not None and param.grad.stride() != param.stride():
            param.grad = torch.empty_like(param).copy_(param.grad)
        for name, value in opt.state.get(param, {}).items():
            if isinstance(value, Tensor) and value.shape == param.shape and value.stride() != param.stride():
                opt.state[param][name] = torch.empty_like(param).copy_(value)


def named(opts: object) -> dict[str, Optimizer]:
    """Optimisers by name, from one optimiser, a dict, a named tuple, a dataclass or a sequence."""
    if isinstance(opts, Optimizer):
        return {"opt": opts}
    if hasattr(opts, "_asdict"):
        opts = opts._asdict()
    elif hasattr(opts, "__dataclass_fields__"):
        opts = {name: getattr(opts, name) for name in opts.__dataclass_fields__}
    elif isinstance(opts, list | tuple):
        opts = {str(index): opt for index, opt in enumerate(opts)}
    return {name: opt for name, opt in dict(opts or {}).items() if isinstance(opt, Optimizer)}
