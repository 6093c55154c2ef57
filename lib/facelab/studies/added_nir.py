"""Does recognition in near infrared get better when translated pictures are added to what it is taught with?

``python -m facelab.studies.added_nir OUT --data synth:600:nir A=runs/a0/weights.safetensors,runs/a1/… B=…``

A hundred held-out people, whom no translator was trained on. Of each there is one near-infrared picture to learn
from, three to be tested with, and visible pictures of other sittings. Those are added: as they are in grey, as each
translator sees them in near infrared, and, as a bound, as a near-infrared camera saw them.
Taught in: lesson 08.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import files
from facelab.data.catalogue import open_dataset
from facelab.data.splits import split
from facelab.errors import BadConfig, FacelabError, LayoutError
from facelab.images import to_channels
from facelab.studies import recognition
from facelab.studies.albums import Album, beside, join, refuse_leaks, refuse_twins
from facelab.studies.evaluation import run_restore
from facelab.studies.identification import CLASSIFIERS
from facelab.studies.infrared import Domains, domains
from facelab.studies.training import system
from facelab.train.engine import Engine, make_engine
from facelab.train.weights import read_card

PEOPLE, REAL, TESTED, MOST = 100, 1, 3, 3  # people; pictures of each: real ones, tested ones, visible ones at most
USED = ("small", "lbp", "dlib", "inception-resnet")  # classifiers, unless told otherwise
GREY, BOUND = "+ grey VIS", "+ true NIR"


@dataclass(frozen=True)
class Gallery:
    """Pictures of held-out people.

    Args:
        real: near-infrared pictures to learn from. test: others, to be tested with.
        seen: (N, 3, S, S) visible pictures of other sittings. of: what an album of them needs, N each.
        truth: (N, 1, S, S), what a near-infrared camera saw at the same moments; None where nobody knows.
        people: who the labels are.
    """

    real: Album
    test: Album
    seen: Tensor
    of: dict[str, Any]
    truth: Tensor | None
    people: tuple[str, ...]

    def added(self, images: Tensor) -> Album:
        """The visible pictures, as somebody sees them: an album to stand beside the real one."""
        return beside(Album(images, **self.of))


def gallery(part: Domains, people: int = PEOPLE, channels: int = 3) -> Gallery:
    """Divide the pictures of held-out people.

    Args:
        part: test people, aligned.
        people: at most so many; of those with enough pictures, in the order of their names.
        channels: of visible pictures.

    Raises:
        LayoutError: fewer than two people have enough pictures.

    Taught in: lesson 08.
    """
    chosen = []
    for who in sorted({part.identity(row) for row in part.vis}):
        nir = [row for row in part.nir if part.identity(row) == who]
        kept = {*nir[:REAL], *nir[-TESTED:]}
        vis = [row for row in part.vis if part.identity(row) == who and part.counterpart.get(row) not in kept][:MOST]
        if len(nir) >= REAL + TESTED and vis and len(chosen) < people:
            chosen.append((who, nir[:REAL], nir[-TESTED:], vis))
    if len(chosen) < 2:
        wanted, hint = f"people with {REAL + TESTED} near-infrared pictures or more", "Use a larger set: synth:600:nir."
        raise LayoutError(part.cache.dataset.root, wanted, f"{len(chosen)} in this split", hint)
    real, test, vis = ([(label, row) for label, one in enumerate(chosen) for row in one[k]] for k in (1, 2, 3))
    rows = [row for _, row in vis]
    index = lambda some: [int(part.cache.indices[row]) for row in some]  # noqa: E731
    refuse_twins(index(rows), index(row for _, row in test), part.cache.dataset.pairs)
    truth = [part.counterpart.get(row) for row in rows]
    return Gallery(
        _album(part, real), _album(part, test), to_channels(part.cache.batch(rows), channels), _about(part, vis),
        None if None in truth else to_channels(part.cache.batch(truth), 1), tuple(one[0] for one in chosen),
    )  # fmt: skip


def _about(part: Domains, rows: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Labels, landmarks and file names of (label, row)."""
    points = torch.stack([part.points(row, part.cache.size) for _, row in rows])
    names = tuple(part.cache.dataset.relative(int(part.cache.indices[row])) for _, row in rows)
    marks = points if torch.isfinite(points).all() else None
    return {"labels": torch.tensor([label for label, _ in rows]), "landmarks": marks, "files": names}


def _album(part: Domains, rows: Sequence[tuple[int, int]]) -> Album:
    return Album(to_channels(part.cache.batch([row for _, row in rows]), 1), **_about(part, rows))


def translated(weights: str | Path, pictures: Gallery, engine: Engine | None = None) -> Album:
    """The visible pictures as a translator sees them.

    Args:
        weights: of the system ``vis2nir``, a file or name.

    Raises:
        BadWeights: they cannot be read. BadConfig: it, or what it began with, was trained on somebody of the gallery.
        LayoutError: a set that it was trained on is not here, and nobody can say who that was.
    """
    module, crew = system("vis2nir"), engine or Engine()
    model, _ = module.load(weights)
    refuse_leaks(taught_by(read_card(weights)), pictures.people)
    model = model.to(crew.device)
    with torch.no_grad(), crew.autocast():
        made = run_restore(partial(module.restore, model), pictures.seen.to(crew.device))[0]
    return pictures.added(made)


def taught_by(card: Mapping[str, Any] | None) -> set[str]:
    """Whoever weights were trained on, and the weights they began with, and so on back.

    Args:
        card: of the weights. Its sets must be here; no picture is decoded.

    Taught in: lesson 08.
    """
    people: set[str] = set()
    while card:
        dataset = open_dataset(card["data"])
        people |= {dataset.items[index].who for index in split(dataset, "train")}
        card = card.get("start")
    return people


def training_sets(pictures: Gallery, weights: Mapping[str, str | Path], engine: Engine | None = None) -> dict:
    """Name → whole training set: the real pictures with grey ones, with those of each translator, with true ones."""
    sets = {GREY: pictures.added(to_channels(pictures.seen, 1))}
    sets |= {f"+ {name}": translated(path, pictures, engine) for name, path in weights.items()}
    sets |= {} if pictures.truth is None else {BOUND: pictures.added(pictures.truth)}
    return {name: join(pictures.real, album) for name, album in sets.items()}


def added_nir(
    out: str | Path, data: str, weights: Mapping[str, Sequence[str | Path]], *, size: int = 64, people: int = PEOPLE,
    classifiers: Sequence[str] = USED, steps: int = recognition.STEPS,
    device: str = "auto", note: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The whole experiment; seed k of a classifier is taught with the pictures of every translator's k-th weights.

    Args:
        out: folder; ``seed0/recognition.jsonl`` and so on lie in it, and what is there is not done again.
        data: see :func:`facelab.studies.infrared.domains`. weights: name → weights, as many of each as seeds.
        size: pixels. people, classifiers, steps: of the experiment. device: see
            :func:`facelab.train.engine.make_engine`.
        note: told a line a finished row.

    Returns:
        ``header`` (the sets, pictures of each kind, ``people`` whom each test picture shows, and which weights) and
        ``rows`` of all seeds.

    Raises:
        BadConfig: translators with different numbers of weights, or one that was trained on somebody of the test.

    Taught in: lesson 08.
    """
    counts = {len(paths) for paths in weights.values()}
    if len(counts) != 1:
        raise BadConfig("weights", sorted(counts), "as many of one translator as of another, one a seed")
    engine, pictures = make_engine(device), gallery(domains(data, "test", size), people)
    rows: list[dict[str, Any]] = []
    for seed in range(counts.pop()):
        sets = training_sets(pictures, {name: paths[seed] for name, paths in weights.items()}, engine)
        found = recognition.run_experiment(
            Path(out) / f"seed{seed}", sets, pictures.real, pictures.test, classifiers, (seed,), steps, engine,
            note=note,
        )  # fmt: skip
        rows += found["rows"]
    header = {
        "data": data, "size": size, "steps": steps,
        "people": [pictures.people[label] for label in pictures.test.labels.tolist()],
        "real": len(pictures.real), "added": len(pictures.seen), "missing": found["header"]["missing"],
        "weights": {name: [read_card(path)["sha256"] for path in paths] for name, paths in weights.items()},
    }  # fmt: skip
    return {"header": header, "rows": rows}


def write_record(found: Mapping[str, Any], path: str | Path) -> Path:
    """What :func:`added_nir` found in one file, which :func:`facelab.studies.recognition.read` reads."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in (found["header"], *found["rows"])]
    files.write_text(Path(path), "\n".join(lines) + "\n")
    return Path(path)


def _pair(text: str) -> tuple[str, list[str]]:
    name, found, paths = text.partition("=")
    if not (name and found and paths):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE or NAME=FILE,FILE")
    return name, paths.split(",")


def main(argv: list[str] | None = None) -> int:
    """Command line of :func:`added_nir`.

    Returns:
        Exit code: 0 done, 1 failed with one line on stderr, 2 misused.
    """
    parser = argparse.ArgumentParser(prog="python -m facelab.studies.added_nir", description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("weights", nargs="+", type=_pair, metavar="NAME=FILE[,FILE]", help="one file a seed")
    parser.add_argument("--data", default="synth:600:nir")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--record", type=Path, help="a .jsonl file for all of it")
    parser.add_argument("--classifiers", nargs="+", choices=tuple(CLASSIFIERS), default=list(USED))
    args = parser.parse_args(argv)
    say = partial(print, file=sys.stderr, flush=True)
    try:
        found = added_nir(
            args.out, args.data, dict(args.weights), size=args.size, people=args.people, classifiers=args.classifiers,
            note=say,
        )  # fmt: skip
    except FacelabError as error:
        say(f"facelab: {error}")
        return 2 if isinstance(error, BadConfig) else 1
    if args.record:
        write_record(found, args.record)
    print(recognition.as_text(recognition.summary(found["rows"], found["header"]["people"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
