"""The protocol of :mod:`facelab.studies.evaluation` on a weight file: what ``facelab evaluate`` and a card hold.

Taught in: lesson 04.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from facelab import files
from facelab.errors import BadConfig
from facelab.metrics.fid import inception
from facelab.studies.evaluation import FRECHET_LEAST, evaluate, table_text
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.studies.trials import Trial
from facelab.train.weights import read_card

NETS = "effnet-lite0", "effnet-lite1"
"""Feature nets of the Fréchet distances; nothing that ships was trained on the second one's features."""


def evaluate_system(
    name: str, weights: str | Path | None, data: str, *, count: int = 256, seed: int = 1, identity: bool = True,
    biharmonic: bool = True, beside: Mapping[str, str | Path] | None = None, with_fid: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The protocol on one system's weights; returns what ``metrics.json`` holds.

    Args:
        name: the system. weights: a file or name; None = its shipped ones.
        data: a dataset of the catalogue; its test people are measured.
        count: pictures a trial. seed: of the occluders.
        identity, biharmonic: whether to measure these (both take time).
        beside: further rows, label → weight file of the same system, data and size.
        with_fid: measure FID, too; its network is fetched where it is not here.

    Raises:
        BadConfig: a row beside it was trained for other pictures, or no trial has pictures enough for FID; said before
            its network is fetched. MissingPart: FID's network cannot be had.
    """
    if with_fid and count < FRECHET_LEAST:
        raise BadConfig("count", count, f"at least {FRECHET_LEAST} for FID: it compares covariances")
    begun, (net, second) = time.perf_counter(), NETS
    model, cfg = system(name).load(weights or name)
    card = read_card(weights or name)
    trials = task(name).trials(data, cfg, count, seed, card.get("kinds"))
    if with_fid and (most := max(map(len, trials.values()))) < FRECHET_LEAST:
        raise BadConfig("data", data, f"a set with {FRECHET_LEAST} or more test pictures for FID: it has {most}")
    mean = task(name).mean(data, cfg.size, cfg.channels)
    judge = inception(download=True) if with_fid else None
    models = {name: partial(system(name).restore, model)}
    for label, file in (beside or {}).items():
        refuse_unlike(card, read_card(file), label, models)
        models[label] = partial(system(name).restore, system(name).load(file)[0])
    out: dict[str, Any] = {
        "what": f"{name}, held-out people, {task(name).what}",
        "system": name, "data": data, "split": "test", "size": cfg.size, "seed": seed, "device": "cpu",
        "steps": card.get("steps"), "feature_net": net, "second_net": second,
        "trials": {},
    }  # fmt: skip
    for label, test in trials.items():
        table, _ = evaluate(models, test, mean=mean, net=net, second_net=second, identity=identity,
                            biharmonic=biharmonic, inception=judge)  # fmt: skip
        out["trials"][label] = about_trial(test, with_fid) | {"rows": table}
    out["seconds"] = round(time.perf_counter() - begun, 1)
    return out


def about_trial(test: Trial, with_fid: bool = False) -> dict[str, Any]:
    """What a record says of a trial besides its rows; of the truth, where there is something to say.

    Args:
        test: the trial. with_fid: FID is wanted; it is said where the trial is too small for it.
    """
    kinds = {kind: test.kinds.count(kind) for kind in sorted(set(test.kinds))}
    out: dict[str, Any] = {"count": len(test), "people": len(set(test.identities)), "kinds": kinds}
    if test.truth_is:
        out["truth"] = test.truth_is
    if with_fid and len(test) < FRECHET_LEAST:
        out["fid"] = f"not measured: {FRECHET_LEAST} pictures or more are needed"
    if doubts := {why: test.doubts.count(why) for why in sorted(set(test.doubts)) if why}:
        out["doubtful"] = doubts
    return out


def refuse_unlike(card: Mapping[str, Any], other: Mapping[str, Any], label: str, taken: Iterable[str] = ()) -> None:
    """Refuse a row that could not be compared.

    Args:
        card: of the weights that are measured. other: of the row's. label: of the row. taken: labels in use.

    Raises:
        BadConfig: the label is taken, or the two were trained for other pictures.
    """
    if label in taken:
        raise BadConfig("beside", label, "a label that no other row has")
    mine, theirs = card["config"] | {"data": card["data"]}, other["config"] | {"data": other["data"]}
    for key in ("data", "size", "channels"):
        if mine[key] != theirs[key]:
            raise BadConfig(f"{key} of {label}", theirs[key], f"{mine[key]}, as of the weights beside it")


def evaluate_command(
    name: str, weights: str | None = None, data: str | None = None, count: int = 256, seed: int = 1,
    out: str | Path | None = None, biharmonic: bool = True, with_fid: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The command ``facelab evaluate``: prints the tables, and writes ``metrics.json`` into the folder ``out``.

    Where no ``data`` is named, people of the system's own are measured.

    Raises:
        BadConfig: nothing can be written into ``out``; said before anything is measured.
    """
    folder = files.usable_folder(out) if out else None
    data = data or task(name).data
    result = evaluate_system(name, weights, data, count=count, seed=seed, biharmonic=biharmonic, with_fid=with_fid)
    for label, part in result["trials"].items():
        said = [f"{part['count']} pictures of {part['people']} people"]
        said += [f"truth: {part['truth']}"] if "truth" in part else []
        said += [f"FID {part['fid']}"] if "fid" in part else []
        print(f"\n{label}: {'; '.join(said)}\n")
        print(table_text(part["rows"]))
    if folder:
        files.write_text(folder / "metrics.json", json.dumps(result, indent=1) + "\n")
    return result
