"""``facelab bench``: this machine, ours against the plain way, always as ratios paired in one run.

Absolute times belong to one machine and one afternoon; the two sides of a ratio are measured in turn (A, B, A, B …)
and each side's minimum counts. Speed is never asserted in tests.
"""

from facelab.bench.command import add_bench_arguments, bench_command

__all__ = ["add_bench_arguments", "bench_command"]
