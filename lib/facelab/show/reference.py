"""Figures of the shipped weights on people never seen: ``python -m facelab.show.reference [FOLDER]``.

They need ``lfw`` and ``realmasks`` under ``FACELAB_DATA``; systems that make whole pictures anew are shown the sets of
their cards, rendered heads among them. The faces stand at places fixed in advance (every n-th of the test part), never
chosen by their result; where the worst are shown, all were asked. Above an infrared face stands what its truth is:
rendered, simulated from the photograph, or another picture of the same person. Two figures need weight files that do
not ship: ``--critic WITHOUT WITH`` compares two runs of OA-GAN that differ in their loss terms only, ``--beginning
FILE`` shows what a shipped system began with, or its twin finished by L1 alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure

from facelab.files import project_root
from facelab.hog import hog_picture
from facelab.images import to_channels
from facelab.metrics.image import psnr
from facelab.occlude.irregular import BUCKETS
from facelab.show.answers import answers_of, caption, restorer, strips, trials_of
from facelab.show.canvas import save
from facelab.show.figures import best_and_worst, rows
from facelab.show.judging_reference import failures_10, judges_10
from facelab.show.reference_pairs import beginning, critic_04, twin
from facelab.studies.evaluation import run_restore
from facelab.studies.inpainting import label
from facelab.studies.natural import EYES_MOST, MOUTH_LEAST, margin, masked_study
from facelab.systems import hog_inpaint
from facelab.train.weights import read_card, weights_path


def hero() -> Figure:
    """Eight faces, every eighth of each trial: four behind kinds trained on, four behind kinds never trained on."""
    trials, answers = answers_of("oagan")
    places = {name: [8 * k + shift for k in range(4)] for name, shift in zip(trials, (1, 5), strict=True)}
    parts = [strips(trials[name], answers[name], places[name]) for name in trials]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    titles = [trials[name].kinds[place].replace("_", " ") for name in trials for place in places[name]]
    titles[4:] = [f"{title} *" for title in titles[4:]]
    return rows(joined, titles, title=f"{caption('oagan')};  * kind never trained on")


def ends(name: str, trial: str) -> Figure:
    """The four best and the four worst of a system's trial by PSNR gain."""
    trials, answers = answers_of(name)
    test, answer = trials[trial], answers[trial]
    gain = psnr(answer[0], test.truth) - psnr(test.untouched, test.truth)
    title = f"{len(test)} faces by PSNR gain, {trial}; {caption(name)}"
    return best_and_worst(
        strips(test, answer, list(range(len(test)))), gain, "PSNR gain", "dB", form="+.1f", title=title
    )


def photographs(name: str, fixed: int = 10, worst: int = 0) -> Figure:
    """Real masked faces at fixed places, and those whose hole is furthest on the wrong side: no truth exists."""
    restore, cfg = restorer(name)
    record, (pictures, image, hole, good) = masked_study(restore, cfg.size)
    places = [int(k * len(pictures) / fixed) for k in range(fixed)]
    places += torch.argsort(margin(hole), stable=True).tolist()[:worst]
    parts = {"photograph": pictures, "predicted hole": hole, "output": image}
    notes = ["passes" if good[place] else "fails" for place in places]
    titles = [""] * fixed + ["worst"] + [""] * (worst - 1) if worst else None
    share = f"{record['share']:.1%} [{record['low']:.1%}, {record['high']:.1%}]"
    title = f"real facemasks, never trained on: {int(good.sum())} of {record['count']} holes pass, {share}"
    bar = f" (mouth hidden ≥ {MOUTH_LEAST:.0%}, eyes < {EYES_MOST:.0%})"
    return rows({part: strip[places] for part, strip in parts.items()}, titles, notes, title=title + bar)


def drawn_first() -> Figure:
    """A face a bucket of hidden shares, from 20 % on: what was left, the predicted guide, and what was painted."""
    model, cfg = hog_inpaint.load("hog_inpaint")
    trials = [trials_of("hog_inpaint")[label(bucket)] for bucket in BUCKETS[2:]]
    places = [11 * k + 3 for k in range(2, len(BUCKETS))]
    pick = lambda name: torch.cat([getattr(test, name)[k : k + 1] for test, k in zip(trials, places, strict=True)])  # noqa: E731
    left, hole, truth = (pick(name) for name in ("occluded", "hole", "truth"))
    with torch.no_grad():
        guide = hog_inpaint.predicted_guide(model.best_generator(), left, hole, cfg)
        image = run_restore(partial(hog_inpaint.restore, model), left, hole)[0]
    stars = lambda guide: to_channels(hog_picture(guide, 2 * cfg.cell, 1.4), truth.shape[1])  # noqa: E731
    parts = {"left": left, "predicted guide": stars(guide), "output": image.clamp(-1, 1), "truth": truth}
    parts["true guide"] = stars(hog_inpaint.true_guide(truth, cfg))
    titles = [f"{share:.0%} hidden" for share in hole.mean((1, 2, 3))]
    return rows(parts, titles, title=caption("hog_inpaint"), side=1.6)


def turned_heads() -> Figure:
    """Five rendered heads and four photographs, turned further and further: what is seen, what is answered, the truth.

    The sets are those of the card; one person of each trial, at a place fixed in advance, stands for it.
    """
    trials, _ = answers_of("frontalize")
    photographs = sorted(label for label in trials if ":turned, " in label)
    heads = sorted(label for label in trials if label.endswith("°") and label not in photographs)
    labels = heads[1:] + photographs  # without the smallest turn of a head
    chosen = {label: [(7 * place + 3) % len(trials[label])] for place, label in enumerate(labels)}  # to either side
    return _anew("frontalize", chosen, [label.rpartition(", ")[2] for label in labels])


def seen_in_the_dark() -> Figure:
    """Faces of each of the card's sets, every seventh of its trial: seen, answered, and the truth nobody was shown."""
    trials, _ = answers_of("vis2nir")
    count = 8 // len(trials)
    chosen = {label: [(7 * k + 3) % len(test) for k in range(count)] for label, test in trials.items()}
    words = {"simulated": "simulated truth"}
    truths = [words.get(test.truth_is, test.truth_is) for test in trials.values() for _ in range(count)]
    return _anew("vis2nir", chosen, truths)


def _anew(name: str, chosen: Mapping[str, list[int]], titles: list[str]) -> Figure:
    """Places of some trials of a system that makes whole pictures anew."""
    trials, answers = answers_of(name)
    each = [strips(trials[label], answers[label], places) for label, places in chosen.items()]
    parts = {part: torch.cat([to_channels(one[part], 3) for one in each]) for part in ("input", "output", "truth")}
    return rows(parts, titles, title=caption(name), side=1.1)


FIGURES: dict[str, tuple[str, Callable[[], Figure]]] = {
    "hero": ("oagan", hero),
    "04_trained": ("oagan", partial(ends, "oagan", "trained kinds")),
    "04_unseen": ("oagan", partial(ends, "oagan", "unseen kinds")),
    "04_realmasks": ("oagan", partial(photographs, "oagan")),
    "06_reference": ("mask_removal", partial(ends, "mask_removal", "facemasks")),
    "06_realmasks": ("mask_removal", partial(photographs, "mask_removal", 6, 4)),
    "07_reference": ("frontalize", turned_heads),
    "08_reference": ("vis2nir", seen_in_the_dark),
    "09_reference": ("hog_inpaint", partial(ends, "hog_inpaint", "holes of 20 to 30 %")),
    "09_guides": ("hog_inpaint", drawn_first),
    "10_judges": ("oagan", judges_10),
    "10_failures": ("oagan", failures_10),
}
"""Name → whose weights it shows, and what draws it."""


def main(argv: list[str] | None = None) -> int:
    """Draw them into ``notebooks/figures``, or into a folder given."""
    parser = argparse.ArgumentParser(prog="python -m facelab.show.reference", description="Draw the reference figures.")
    parser.add_argument("folder", nargs="?", type=Path, default=project_root() / "notebooks" / "figures")
    parser.add_argument("--only", nargs="+", choices=FIGURES, help="some (default: all whose weights are here)")
    parser.add_argument("--critic", nargs=2, metavar=("WITHOUT", "WITH"), help="weight files: draws 04_critic, too")
    parser.add_argument("--beginning", metavar="FILE", help="a weight file: draws 06_critic or 09_critic, too")
    args = parser.parse_args(argv)
    here = [name for name, (whose, _) in FIGURES.items() if weights_path(whose).is_file()]
    chosen = {name: FIGURES[name][1] for name in args.only or here}
    chosen |= {"04_critic": partial(critic_04, *args.critic)} if args.critic else {}
    if args.beginning:
        chosen[twin(read_card(args.beginning))[0]] = partial(beginning, args.beginning)
    for name, draw in chosen.items():
        print(save(draw(), args.folder / f"{name}.jpg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
