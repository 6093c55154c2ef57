"""Do generated pictures help to recognize real ones? Training sets side by side, one test, everything else the same.

``FOLDER/recognition.jsonl``: a header, then a row a training set, classifier and seed; what is there is never done
again. Tested with real near-infrared pictures only. A set of generated pictures is held against the real ones alone,
and should be held against grey copies of the colour pictures it was made from, which cost nothing.
Taught in: lesson 08.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from facelab import files
from facelab.errors import BadConfig
from facelab.metrics.intervals import bootstrap, bootstrap_runs
from facelab.seeding import generator
from facelab.studies.albums import Album, album_digest, refuse_shared
from facelab.studies.identification import FIXED, STEPS, identify, own_file, why_not
from facelab.train.engine import Engine

REAL = "real NIR only"
"""The row that the others are held against."""
NAME = "recognition.jsonl"
VERSION = 1  # raise when the same settings would come out as other rows
Key = tuple[str, str, int]


def experiment(
    sets: Mapping[str, Album], real: Album, test: Album, classifiers: Sequence[str] = ("small", "lbp"),
    seeds: Sequence[int] = (0, 1, 2), steps: int = STEPS, engine: Engine | None = None, balanced: bool = True,
    done: Collection[Key] = (), keep: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Every training set with every classifier and seed.

    Args:
        sets: name → a whole training set, such as ``join(real, beside(generated))``.
        real: the training set of the row :data:`REAL`.
        test: real near-infrared pictures, none of them in a training set.
        classifiers: of :data:`facelab.studies.identification.CLASSIFIERS`; those that draw nothing take one seed.
        seeds: of the others.
        steps, engine, balanced: see :func:`facelab.studies.identification.identify`.
        done: (set, classifier, seed) of rows that are left out.
        keep: told each row as it is done.

    Returns:
        Rows: ``set classifier seed pictures added seconds`` and ``correct``, 0 or 1 a test picture.

    Raises:
        BadConfig: a set named as the real one, a test picture in a training set, or an impossible setting.
        MissingPart: what a classifier needs is not here.

    Taught in: lesson 08.
    """
    albums = _all(sets, real, test)
    memory: dict[tuple[str, str], Tensor] = {}
    rows = []
    for classifier in classifiers:
        for seed in seeds[:1] if classifier in FIXED else seeds:
            for name, album in albums.items():
                if (name, classifier, seed) in done:
                    continue
                begun = time.monotonic()
                right = identify(album, test, classifier, seed, steps, engine, balanced, memory)
                about = {"set": name, "classifier": classifier, "seed": seed, "pictures": len(album)}
                spent = round(time.monotonic() - begun, 1)
                row = {**about, "added": int(album.added.sum()), "seconds": spent, "correct": right.int().tolist()}
                rows.append(row)
                if keep:
                    keep(row)
    return rows


def _all(sets: Mapping[str, Album], real: Album, test: Album) -> dict[str, Album]:
    if REAL in sets:
        raise BadConfig("sets", REAL, "another name; the real pictures alone have this one")
    albums = {REAL: real, **sets}
    for album in albums.values():
        refuse_shared(album, test)
    return albums


def run_experiment(
    folder: str | Path, sets: Mapping[str, Album], real: Album, test: Album,
    classifiers: Sequence[str] = ("small", "lbp"), seeds: Sequence[int] = (0, 1, 2), steps: int = STEPS,
    engine: Engine | None = None, balanced: bool = True, note: Callable[[str], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """:func:`experiment`, row by row into a folder; what is there already is not done again.

    Sets, classifiers and seeds may be added later; a set that has changed, another test, budget or precision, or
    another file of weights for a classifier is refused. A classifier whose parts are not here is left out, and the
    header says why.

    Args:
        folder: where ``recognition.jsonl`` lies or will lie.
        note: told a line a finished row. Other arguments as of :func:`experiment`.

    Returns:
        What :func:`read` reads from the folder.

    Raises:
        BadConfig: the folder's rows are of other settings; and see :func:`experiment`.

    Taught in: lesson 08.
    """
    folder = files.usable_folder(folder)
    found, albums = read(folder), _all(sets, real, test)
    known = {name: album_digest(album) for name, album in albums.items()}
    header = {"version": VERSION, "steps": steps, "balanced": balanced, "test": album_digest(test),
              "precision": (engine or Engine()).precision, "people": test.labels.tolist()}  # fmt: skip
    given = {name: digest for name in classifiers if (digest := own_file(name))}
    _refuse_other(folder, found["header"], header, {"sets": known, "recognizers": given})
    missing = {name: why for name in classifiers if (why := why_not(name))}
    header |= {name: found["header"].get(name, {}) | mine for name, mine in (("sets", known), ("recognizers", given))}
    header |= {"missing": missing}
    rows = {key_of(row): row for row in found["rows"]}

    def keep(row: dict[str, Any]) -> None:
        rows[key_of(row)] = row
        _write(folder, header, list(rows.values()))
        if note:
            share = sum(row["correct"]) / len(row["correct"])
            note(f"{row['set']}, {row['classifier']}, seed {row['seed']}: {share:.1%} after {row['seconds']:.0f} s")

    _write(folder, header, list(rows.values()))
    able = [name for name in classifiers if name not in missing]
    experiment(sets, real, test, able, seeds, steps, engine, balanced, done=list(rows), keep=keep)
    return read(folder)


def key_of(row: Mapping[str, Any]) -> Key:
    """What a row is the result of: (set, classifier, seed)."""
    return row["set"], row["classifier"], row["seed"]


def _refuse_other(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], named: Mapping[str, Any]) -> None:
    """Refuse settings other than before; of those with names, such as sets, only names that were there before."""
    allowed = f"a folder without results, or the settings of {folder / NAME}"
    for name, value in now.items() if before else ():
        if before.get(name) != value:
            raise BadConfig(name, "another one" if name in ("test", "people") else value, allowed)
    for kind, digests in named.items():
        for name, digest in digests.items():
            if before and before.get(kind, {}).get(name, digest) != digest:
                raise BadConfig(kind, f"{name}, another one than before", allowed)


def _write(folder: Path, header: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    said = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in (header, *rows)]
    files.write_text(folder / NAME, "\n".join(said) + "\n")


def read(folder: str | Path) -> dict[str, Any]:
    """The results of a folder or of a ``.jsonl`` file: ``header`` and ``rows``, both empty where there are none."""
    path = Path(folder)
    path = path if path.suffix == ".jsonl" else path / NAME
    if not path.is_file():
        return {"header": {}, "rows": []}
    header, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {"header": header, "rows": rows}


def summary(
    rows: Sequence[Mapping[str, Any]], people: Sequence[Hashable], against: str = REAL, seed: int = 0
) -> dict[str, dict[str, dict[str, Any]]]:
    """Accuracies, and what each set changes, with 95 % intervals.

    People are drawn anew with all their pictures; where there are several seeds, those are drawn anew, too. Chance that
    hits both alike is not in a difference: the same pictures are asked, and seeds are held against their own.

    Args:
        rows: of :func:`experiment`. people: who each test picture shows.
        against: the set that differences are taken to.
        seed: of the intervals' draws.

    Returns:
        Classifier → set → ``mean low high seeds`` and, of other sets than ``against``, ``difference difference_low
        difference_high``; shares of the test pictures.

    Raises:
        BadConfig: rows of another number of pictures.

    Taught in: lesson 08.
    """
    runs: dict[str, dict[str, dict[int, Tensor]]] = {}
    for row in rows:
        if len(row["correct"]) != len(people):
            raise BadConfig("people", f"{len(people)} names", f"{len(row['correct'])}, one a test picture")
        values = torch.tensor(row["correct"], dtype=torch.double)
        runs.setdefault(row["classifier"], {}).setdefault(row["set"], {})[row["seed"]] = values
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for classifier, sets in runs.items():
        for name, mine in sets.items():
            line = out.setdefault(classifier, {}).setdefault(name, {})
            line |= _named(("mean", "low", "high"), list(mine.values()), people, seed) | {"seeds": len(mine)}
            common = sorted(mine.keys() & sets.get(against, {}).keys()) if name != against else []
            apart = [mine[one] - sets[against][one] for one in common]
            if apart:
                line |= _named(("difference", "difference_low", "difference_high"), apart, people, seed)
    return out


def _named(names: Sequence[str], each: Sequence[Tensor], people: Sequence[Hashable], seed: int) -> dict[str, float]:
    """Mean and interval; the same draws for all, so that equal values have equal intervals."""
    values, random = torch.stack(list(each)), generator(seed, "recognition")
    ends = bootstrap_runs(values, random, people) if len(values) > 1 else bootstrap(values[0], random, people)
    return dict(zip(names, (round(value, 4) for value in (values.mean().item(), *ends)), strict=True))


def as_text(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """What :func:`summary` gives as a Markdown table, in percent and percentage points."""
    out = ["| classifier | training set | correct [95 %] | more than alone [95 %] |", "|---" * 4 + "|"]
    for classifier, sets in table.items():
        for name, line in sets.items():
            share = f"{line['mean']:.1%} [{line['low']:.1%}, {line['high']:.1%}]"
            apart = [100 * line.get(part, math.nan) for part in ("difference", "difference_low", "difference_high")]
            change = "" if math.isnan(apart[0]) else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*apart)
            out.append(f"| {classifier} | {name} | {share} | {change} |")
    return "\n".join(out)
