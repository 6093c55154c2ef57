"""The command ``facelab bench``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch

from facelab import files
from facelab.bench.cycle import bench_cycle
from facelab.bench.pictures import (
    bench_facemasks,
    bench_hog,
    bench_loader,
    bench_occluders,
    bench_render,
    bench_restore,
    bench_ssim,
)
from facelab.bench.step import bench_memory, bench_step
from facelab.errors import BadConfig
from facelab.machine import cpu_has_bf16

BENCHES = {
    "step": bench_step, "memory": bench_memory, "loader": bench_loader, "occluders": bench_occluders,
    "facemasks": bench_facemasks, "restore": bench_restore, "ssim": bench_ssim, "hog": bench_hog,
    "render": bench_render, "cycle": bench_cycle,
}  # fmt: skip


def about_this_machine() -> dict:
    """What the figures belong to."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "torch": torch.__version__, "threads": torch.get_num_threads(), "bf16 in hardware": cpu_has_bf16(),
        "load average before": round(load, 2),
    }  # fmt: skip


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab bench``."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(BENCHES) + " (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds, taken in turn (default: 5)")
    parser.add_argument("--out", help="write the results as JSON here")


def bench_command(args: argparse.Namespace) -> int:
    """Run the benches and print one block each."""
    unknown = [name for name in args.names if name not in BENCHES]
    if unknown or args.rounds < 1:
        raise BadConfig("bench", unknown or args.rounds, "names of " + ", ".join(BENCHES) + ", and 1 or more rounds")
    results = {"machine": about_this_machine(), "benches": {}}
    print(json.dumps(results["machine"]))
    if results["machine"]["load average before"] > 1:
        print("other work is running on this machine: trust the ratios, not the seconds")
    for name in args.names or BENCHES:
        results["benches"][name] = BENCHES[name](args.rounds)
        print(json.dumps(results["benches"][name], indent=1))
    if args.out:
        files.write_text(Path(args.out), json.dumps(results, indent=1) + "\n")
    return 0
