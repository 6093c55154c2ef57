"""The image pool: a critic is also shown what the generator painted some steps ago.

Taught in: lesson 08.
"""

from __future__ import annotations

import torch
from torch import Tensor

from facelab.train.state import State


def from_pool(fakes: Tensor, state: State, name: str, size: int) -> Tensor:
    """Exchange fakes with a pool of earlier ones: each goes in, and with even chances an earlier one comes out instead.

    Until the pool is full every fake is returned as it is. The pool lies in ``state.tensors[name]``, so that it is in
    every checkpoint; its draws are the state's, so that a resumed run makes the same ones. Each of several processes
    has a pool of its own, and a checkpoint holds the first one's.

    Args:
        fakes: (N, C, H, W), detached. state: of the run. name: of the pool. size: pictures it holds; 0: no pool.

    Returns:
        (N, C, H, W), what the critic shall be shown.

    Source: Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial Training";
    Zhu et al. 2017 keep fifty.
    """
    if not size:
        return fakes
    pool, out = state.tensors.get(name, fakes[:0]), []
    for fake in fakes:
        if len(pool) < size:
            pool = torch.cat([pool, fake[None]])
            out.append(fake)
        elif torch.rand((), generator=state.generator) < 0.5:
            place = int(torch.randint(size, (), generator=state.generator))
            out.append(pool[place].clone())
            pool[place] = fake
        else:
            out.append(fake)
    state.tensors[name] = pool
    return torch.stack(out)
