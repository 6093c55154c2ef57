"""The command ``facelab ablate``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facelab import files
from facelab.errors import BadConfig
from facelab.machine import usable_cores
from facelab.studies.ablation import table
from facelab.studies.ablation.subjects import SUBJECTS
from facelab.studies.ablation.sweep import sweep_named
from facelab.studies.ablation.variants import slug
from facelab.studies.tasks import task
from facelab.train.engine import make_engine


def add_ablate_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    sub.add_argument("system", choices=tuple(SUBJECTS), help="the system whose variants are compared")
    sub.add_argument(
        "--variants", nargs="+", default=[], metavar="NAME", help="some of them (default: all; see --list)"
    )
    sub.add_argument("--alone", action="store_true", help="only these, without the variants they are compared with")
    sub.add_argument("--list", action="store_true", help="list the variants and end")
    sub.add_argument("--data", help="dataset (default: orl; of frontalize synth, of vis2nir synth:nir)")
    sub.add_argument("--seeds", type=int, default=3, help="runs of each variant (default: 3)")
    sub.add_argument("--budget", type=int, default=0, help="training steps a run (default: 2 to 6 minutes on a core)")
    sub.add_argument("--size", type=int, default=64, help="pixels (default: 64)")
    sub.add_argument("--jobs", type=int, default=usable_cores(), help="runs at a time (default: one a core)")
    sub.add_argument("--device", default="auto", help="auto (default), cpu or cuda; with cuda choose --jobs 1")
    sub.add_argument("--count", type=int, default=256, help="test pictures (default: up to 256)")
    sub.add_argument("--out", help="folder; what is finished is never done again (default: runs/ablation-SYSTEM-DATA)")


def ablate_command(args: argparse.Namespace) -> None:
    """Run what is missing and print the table."""
    about = SUBJECTS[args.system]
    if args.list:
        for variant in about.variants:
            beside = f"{variant.parent}: " if variant.parent else ""
            print(f"{variant.name:<{max(len(v.name) for v in about.variants)}}  {beside}{variant.about}")
        return
    for name, low in (("seeds", 1), ("budget", 0), ("jobs", 1), ("count", 1)):
        if getattr(args, name) < low:
            raise BadConfig(f"--{name}", getattr(args, name), f"{low} or more")
    make_engine(args.device)  # a device that is not here is refused before anything is drawn
    data = args.data or task(args.system).data
    out = Path(args.out) if args.out else files.runs_root() / f"ablation-{args.system}-{slug(data)}"
    try:
        content = sweep_named(
            args.variants, data=data, seeds=args.seeds, steps=args.budget or about.steps, out=out, jobs=args.jobs,
            count=args.count, size=args.size, device=args.device, ancestors=not args.alone,
            system=args.system,
        )  # fmt: skip
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        raise
    kept = {name for row in content["rows"] for name in row.get("pictures", ())}
    for metric in (name for name in ("psnr_hole", "identity") if name in kept or not kept):
        print(f"\n{metric}\n\n{table.as_text(content, about.variants, metric)}")
    print(f"\nEverything: {out / 'table.csv'}")
