"""What every variant of a sweep made of the same faces: ``python -m facelab.show.sweep_faces FOLDER DATA``.

For sweeps of a system that makes whole pictures anew. The faces are people never seen in training, at places fixed in
advance; of each variant the first seed is shown. Written as ``notebooks/figures/NN_variants.jpg``, NN the lesson, or
under another ``--name``.
Taught in: lesson 08.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from facelab import images
from facelab.errors import BadConfig
from facelab.files import project_root
from facelab.show.canvas import save
from facelab.show.figures import rows
from facelab.studies.ablation import table
from facelab.studies.ablation.cell import shown
from facelab.studies.ablation.record import drawn
from facelab.studies.ablation.subjects import subject
from facelab.studies.ablation.variants import slug
from facelab.studies.tasks import task
from facelab.studies.training import system

TRUTH = "hidden truth"


def sweep_faces(folder: str | Path, data: str, title: str = "", names: Sequence[str] | None = None) -> Figure:
    """The figure: seen, a row a variant, the truth.

    Args:
        folder: of a sweep, with its ``cells``. data: the dataset it was run on. title: in front of what is known.
        names: of variants; None = all that were run.

    Returns:
        The figure; its last row says so where the truth is simulated, or another picture.

    Raises:
        BadConfig: the system fills holes.

    Taught in: lesson 08.
    """
    content = table.read(folder)
    about = content["header"]
    if not task(about["system"]).whole:
        raise BadConfig("folder", str(folder), "the sweep of a system that makes whole pictures anew")
    cfg = system(about["system"]).Config(**about["base"])
    test = next(iter(task(about["system"]).trials(data, cfg, about["count"], 1, None).values()))
    places = shown(len(test))
    strips = {"seen": test.occluded[places]}
    for name in (name for name in drawn(content) if names is None or name in names):
        strip = images.load_image(Path(folder) / "cells" / f"{slug(name)}-seed0" / "faces.png", test.truth.shape[1])
        strips[name] = strip[:, : cfg.size].unfold(2, cfg.size, cfg.size).permute(2, 0, 1, 3)
    words = f"{title}{data}, people never seen; {about['steps']} steps, seed 0"
    return rows(strips | {_called(test.truth_is): test.truth[places]}, title=words)


def _called(truth_is: str) -> str:
    """What the last row is called; of a rendered truth the data's name says it."""
    return f"{TRUTH}, {truth_is}" if truth_is not in ("", "rendered") else TRUTH


def main(argv: list[str] | None = None) -> int:
    """Draw it into ``notebooks/figures``."""
    parser = argparse.ArgumentParser(prog="python -m facelab.show.sweep_faces", description="Draw a sweep's faces.")
    parser.add_argument("folder", help="of the sweep")
    parser.add_argument("data", help="the dataset it was run on")
    parser.add_argument("--title", default="", help="in front of what is known")
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="some of them (default: all that were run)")
    parser.add_argument("--name", default="variants", help="of the picture (default: variants)")
    args = parser.parse_args(argv)
    lesson = subject(table.read(args.folder)["header"]["system"]).lesson
    target = project_root() / "notebooks" / "figures" / f"{lesson}_{args.name}.jpg"
    print(save(sweep_faces(args.folder, args.data, args.title, args.variants), target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
