"""What this machine lets a process have."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's names for mallopt's first argument


def usable_cores() -> int:
    """Cores this process may run on: fewer than the machine has, where a container or a user says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_has_bf16() -> bool:
    """True where the CPU multiplies bf16 in hardware (AVX-512 BF16 or AMX)."""
    import torch

    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in names)


@cache
def keep_freed_memory() -> bool:
    """Ask the C library to keep memory that is freed for the next request, instead of returning it to the system.

    A step of a network frees tensors of many megabytes and asks for the same ones again a moment later. Returned memory
    comes back page by page, each with an interruption; ``facelab bench memory`` measures what they cost here. The
    process then stays as large as its largest moment. Tensors of 32 MiB and more are returned all the same: that
    is the most the library allows.

    Returns:
        False where the C library is not glibc, which alone has the call, or refuses; nothing is changed there.

    Source: the manual of mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is None or not mallopt(_MMAP_THRESHOLD, 32 << 20):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_TOP_PAD, 64 << 20))
