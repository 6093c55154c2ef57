"""What a process may have of a machine, and what it keeps."""

import ctypes
import subprocess
import sys

import pytest

from facelab import machine

FAULTS = """
import resource, sys, torch
from facelab.machine import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
draw = lambda: [torch.ones(2**20 + 4096 * k) for k in range(8)]  # 32 MiB that are freed at once
draw(), draw()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    draw()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_kept_memory_costs_no_page_faults():
    ask = lambda how: int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, check=True).stdout)  # noqa: E731
    assert ask("kept") < 500 < 5000 < ask("returned")


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    machine.keep_freed_memory.cache_clear()
    assert machine.keep_freed_memory() is False
    machine.keep_freed_memory.cache_clear()
