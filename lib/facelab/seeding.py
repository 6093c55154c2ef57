"""Random numbers that are asked for by name, so that the same seed gives the same bits."""

from __future__ import annotations

import hashlib
import random

import torch


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed for one purpose.

    Args:
        seed: the run's seed.
        *names: what the numbers are for, e.g. ``"occlude", step``.

    Returns:
        int in [0, 2**63): the same for the same arguments on every machine.
    """
    text = "/".join([str(int(seed)), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: object) -> torch.Generator:
    """A fresh CPU generator for one purpose; see :func:`derive`."""
    return torch.Generator().manual_seed(derive(seed, *names))


def seed_all(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators (weight initialisation draws from torch's)."""
    import numpy

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)
