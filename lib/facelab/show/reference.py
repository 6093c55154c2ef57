"""Figures of the shipped weights on real colour photographs: ``python -m facelab.show.reference [FOLDER]``.

They need ``lfw`` and ``realmasks`` under ``FACELAB_DATA``. The faces are people never seen in training, at places fixed
in advance (every n-th of the test part), never chosen by their result; where the worst are shown, all were asked. Two
figures need weight files that do not ship: ``--critic WITHOUT WITH`` compares two runs of OA-GAN that differ in their
loss terms only, ``--beginning FILE`` shows what a shipped system began with, or its twin finished by L1 alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from facelab.errors import BadConfig
from facelab.files import project_root
from facelab.hog import hog_picture
from facelab.images import to_channels
from facelab.metrics.image import psnr
from facelab.metrics.sharpness import sharpness
from facelab.occlude.irregular import BUCKETS
from facelab.show.canvas import save
from facelab.show.figures import best_and_worst, rows
from facelab.studies.evaluation import run_restore
from facelab.studies.inpainting import label
from facelab.studies.natural import EYES_MOST, MOUTH_LEAST, margin, masked_study
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.studies.trials import Trial
from facelab.systems import hog_inpaint
from facelab.train.weights import read_card, weights_path

COUNT, SEED = 64, 1


def _restore(name: str, weights: str | Path | None = None) -> tuple[Callable, Any]:
    model, cfg = system(name).load(weights or name)
    return partial(system(name).restore, model), cfg


@cache
def _trials(name: str, weights: str | Path | None = None) -> dict[str, Trial]:
    (_, cfg), card = _restore(name, weights), read_card(weights or name)
    return task(name).trials(card["data"] if task(name).whole else "lfw", cfg, COUNT, SEED, card.get("kinds"))


@cache
def _answers(name: str) -> tuple[dict[str, Trial], dict[str, tuple[Tensor, Tensor, Tensor]]]:
    restore, _ = _restore(name)
    return _trials(name), {label: run_restore(restore, *test.shown) for label, test in _trials(name).items()}


def caption(weights: str | Path) -> str:
    """Data, steps, device and seed of weights, from their card."""
    card = read_card(weights)
    before = card.get("continued_from") or card.get("start")
    steps = f"{card['steps']:,} steps" + (" after earlier runs" if before else "")
    data = card["data"] if task(card["system"]).whole else "lfw"
    return f"{data}, people never seen; {steps}, {card['device'].split(' ')[0]}, seed {card['seed']}"


def strips(test: Trial, answer: tuple[Tensor, ...], places: list[int]) -> dict[str, Tensor]:
    """Input, predicted hole (where none was told), output and truth of some faces."""
    image, hole, _ = answer
    parts = {"input": test.occluded} | ({} if test.given or hole is None else {"predicted hole": hole})
    parts |= {"output": image, "truth": test.truth}
    return {name: part[places].clamp(-1, 1) for name, part in parts.items()}


def hero() -> Figure:
    """Eight faces, every eighth of each trial: four behind kinds trained on, four behind kinds never trained on."""
    trials, answers = _answers("oagan")
    places = {name: [8 * k + shift for k in range(4)] for name, shift in zip(trials, (1, 5), strict=True)}
    parts = [strips(trials[name], answers[name], places[name]) for name in trials]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    titles = [trials[name].kinds[place].replace("_", " ") for name in trials for place in places[name]]
    titles[4:] = [f"{title} *" for title in titles[4:]]
    return rows(joined, titles, title=f"{caption('oagan')};  * kind never trained on")


def ends(name: str, trial: str) -> Figure:
    """The four best and the four worst of a system's trial by PSNR gain."""
    trials, answers = _answers(name)
    test, answer = trials[trial], answers[trial]
    gain = psnr(answer[0], test.truth) - psnr(test.occluded, test.truth)
    title = f"{len(test)} faces by PSNR gain, {trial}; {caption(name)}"
    return best_and_worst(
        strips(test, answer, list(range(len(test)))), gain, "PSNR gain", "dB", form="+.1f", title=title
    )


def photographs(name: str, fixed: int = 10, worst: int = 0) -> Figure:
    """Real masked faces at fixed places, and those whose hole is furthest on the wrong side: no truth exists."""
    restore, cfg = _restore(name)
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


def _refuse_strangers(*weights: str | Path) -> None:
    """Raise ``BadConfig`` where two runs differ in more than when their terms join."""
    cards = [read_card(path) for path in weights]
    found = [{**card["config"], **{key: card[key] for key in ("data", "seed", "steps")}} for card in cards]
    for key in found[0].keys() | found[1].keys():
        if key not in ("perceptual_from", "adversarial_from") and found[0].get(key) != found[1].get(key):
            raise BadConfig(key, found[1].get(key), f"{found[0].get(key)}, as in {weights[0]}: twins are compared")


def critic_04(without: str | Path, with_all: str | Path) -> Figure:
    """Six faces at fixed places: one run finished with L1 only, its twin with perceptual, style and critic terms."""
    _refuse_strangers(without, with_all)
    return _side_by_side("oagan", "trained kinds", {"L1 only": without, "all terms": with_all}, caption(with_all))


TWINS = {"mask_removal": ("06_critic", "facemasks"), "hog_inpaint": ("09_critic", "holes of 20 to 30 %")}
"""System → the figure that compares what ships with what it began with or a twin, and on which trial."""


def _twin(card: Mapping[str, Any]) -> tuple[str, str]:
    """The figure's name and the trial for a card's system."""
    if card["system"] not in TWINS:
        raise BadConfig("--beginning", card["system"], f"weights of {' or '.join(TWINS)}; OA-GAN's go to --critic")
    return TWINS[card["system"]]


def beginning(weights: str | Path) -> Figure:
    """Six faces at fixed places: what L1 alone reaches, and what ships.

    Args:
        weights: some that the shipped run of their system came from, or a twin that began with them.

    Raises:
        BadConfig: they are neither, or of a system that has no such figure.
    """
    given, known = read_card(weights), set()
    name = given["system"]
    _, trial = _twin(given)
    card = shipped = read_card(name)
    while card := card.get("start"):
        known.add(card.get("sha256"))
    related = known & {given.get("sha256"), given.get("start", {}).get("sha256")}
    if given.get("sha256") == shipped.get("sha256") or not related:
        raise BadConfig("--beginning", given.get("sha256"), "weights the shipped run came from, or a twin of it")
    both: dict[str, str | Path | None] = {"L1 only": weights, "all terms": None}
    return _side_by_side(name, trial, both, caption(name))


def drawn_first() -> Figure:
    """A face a bucket of hidden shares, from 20 % on: what was left, the predicted guide, and what was painted."""
    model, cfg = hog_inpaint.load("hog_inpaint")
    trials = [_trials("hog_inpaint")[label(bucket)] for bucket in BUCKETS[2:]]
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
    trials, answers = _answers("frontalize")
    photographs = sorted(label for label in trials if ":turned, " in label)
    heads = sorted(label for label in trials if label.endswith("°") and label not in photographs)
    labels = heads[1:] + photographs  # without the smallest turn of a head
    chosen = [(7 * place + 3) % len(trials[label]) for place, label in enumerate(labels)]  # to either side
    each = [strips(trials[label], answers[label], [place]) for label, place in zip(labels, chosen, strict=True)]
    parts = {name: torch.cat([part[name] for part in each]) for name in ("input", "output", "truth")}
    return rows(parts, [label.rpartition(", ")[2] for label in labels], title=caption("frontalize"), side=1.1)


def _side_by_side(name: str, trial: str, files: dict[str, Any], words: str) -> Figure:
    """Six faces of a trial at fixed places, given back by two weight files of one system."""
    places, (first, _) = [10 * k + 1 for k in range(6)], files.values()
    test = _trials(name, first)[trial]
    outputs = {label: run_restore(_restore(name, file)[0], *test.shown)[0] for label, file in files.items()}
    crisp = [sharpness(out, test.truth, test.hole) for out in outputs.values()]
    means = " → ".join(f"{value.nanmean():.2f}" for value in crisp)
    level = " → ".join(f"{psnr(out, test.truth).mean():.1f}" for out in outputs.values())
    notes = [f"sharpness {crisp[0][place]:.2f} → {crisp[1][place]:.2f}" for place in places]
    title = f"{' → '.join(files)}, mean of {len(test)}: {level} dB, sharpness {means}; {words}"
    parts = {"input": test.occluded, **outputs, "truth": test.truth}
    return rows({name: part[places].clamp(-1, 1) for name, part in parts.items()}, None, notes, title=title, side=1.5)


FIGURES: dict[str, tuple[str, Callable[[], Figure]]] = {
    "hero": ("oagan", hero),
    "04_trained": ("oagan", partial(ends, "oagan", "trained kinds")),
    "04_unseen": ("oagan", partial(ends, "oagan", "unseen kinds")),
    "04_realmasks": ("oagan", partial(photographs, "oagan")),
    "06_reference": ("mask_removal", partial(ends, "mask_removal", "facemasks")),
    "06_realmasks": ("mask_removal", partial(photographs, "mask_removal", 6, 4)),
    "07_reference": ("frontalize", turned_heads),
    "09_reference": ("hog_inpaint", partial(ends, "hog_inpaint", "holes of 20 to 30 %")),
    "09_guides": ("hog_inpaint", drawn_first),
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
        chosen[_twin(read_card(args.beginning))[0]] = partial(beginning, args.beginning)
    for name, draw in chosen.items():
        print(save(draw(), args.folder / f"{name}.jpg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
