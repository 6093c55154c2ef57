"""What a process may have of a machine, and what it keeps."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

from facelab import machine

FAULTS = """
import ctypes, resource, sys, torch
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages, which would hide what is counted here
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


def test_kept_memory_costs_no_page_faults(monkeypatch, glibc):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    ask = lambda how: int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, check=True).stdout)  # noqa: E731
    assert ask("kept") < 500 < 5000 < ask("returned")


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert machine.keep_freed_memory.__wrapped__() is False


def test_a_refusal_changes_nothing_else(monkeypatch):
    asked = []
    library = SimpleNamespace(mallopt=lambda name, value: asked.append(name))  # None: refused
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert machine.keep_freed_memory.__wrapped__() is False and len(asked) == 1
