"""Judges under attack: what is done to true faces, and which number notices.

A judge is tested where the answer is known. The pictures here are true faces with one thing done to them, harmless or
not; what we say of it is written beside it, and what a metric says of it is measured.

Source: Wang and Bovik 2009, "Mean squared error: love it or leave it?", for pictures of one PSNR that nobody would call
equally good; Chong and Forsyth 2020, "Effectively unbiased FID and Inception Score", for the bias of small sets.
Taught in: lesson 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from facelab.faces.descriptor import descriptors
from facelab.metrics.frechet import frechet
from facelab.metrics.identity import SAME_PERSON
from facelab.metrics.image import psnr
from facelab.nets.features import FeatureNet, feature_net
from facelab.seeding import generator
from facelab.studies.attacks import ATTACKS, ELSE, Attack, attack, attacked, attacked_points, exchangeable, others
from facelab.studies.evaluation import FRECHET_LEAST, measure, rank1
from facelab.studies.trials import Trial

__all__ = [
    "ATTACKS", "ELSE", "SIDES", "Attack", "attacked", "attacked_points", "equal_psnr", "exchangeable", "frechet_bias",
    "judged", "level_for", "levels_for", "others", "reached", "recognised",
]  # fmt: skip

SIDES: dict[str, int] = {
    "psnr": 1, "psnr_gain": 1, "ssim": 1, "ssim_gain": 1, "psnr_hole": 1, "l1_hole": -1, "psnr_told": 1, "sharpness": 0,
    "iou": 1, "identity": -1, "identity_gain": 1, "to_donor": 1, "rank1": 1, "recognised": 1, "same": 1, "real": 1,
    "frechet": -1, "frechet_second": -1, "frechet_few": -1, "frechet_few_second": -1, "fid": -1,
}  # fmt: skip
"""Metric → which side is the better one: 1 more, -1 less, 0 near 1."""
NEAR = 0.1
"""How near to a PSNR a picture has to be to have reached it, dB."""


def level_for(test: Trial, name: str, psnr_db: float, steps: int = 16) -> Tensor | None:
    """The level at which an attack costs so much PSNR, for each picture by itself, by bisection.

    Args:
        test: the trial. name: of :data:`ATTACKS`. psnr_db: of every picture. steps: of the bisection.

    Returns:
        (N,) levels; a picture that has more PSNR even at the most stays there, see :func:`reached`. None where the
        attack has no levels, or leaves all pictures more.

    Taught in: lesson 10.
    """
    least, most = attack(name).levels
    low, high = (torch.full((len(test),), end, dtype=torch.float64) for end in (least, most))
    after = lambda levels: psnr(attacked(test, name, levels), test.truth)  # noqa: E731
    if least == most or bool((far := after(high) > psnr_db).all()):
        return None
    for _ in range(steps):
        middle = (low + high) / 2
        more = after(middle) > psnr_db
        low, high = torch.where(more, middle, low), torch.where(more, high, middle)
    return torch.where(far, most, high)


def levels_for(test: Trial, db: float, names: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Name → the (N,) levels of :func:`level_for`; attacks that have none there are left out."""
    found = {name: level_for(test, name, db) for name in names or ATTACKS}
    return {name: levels for name, levels in found.items() if levels is not None}


def equal_psnr(test: Trial, db: float, names: Sequence[str] | None = None) -> dict[str, tuple[float, Tensor]]:
    """Attacks that cost the same, on each picture.

    Args:
        test: the trial. db: PSNR of every picture. names: of :data:`ATTACKS`; None = all.

    Returns:
        Name → the mean of its levels, and the pictures (N, C, S, S); attacks that reach it on none are left out. The
        levels themselves are those of :func:`levels_for`.

    Taught in: lesson 10.
    """
    found = levels_for(test, db, names)
    return {name: (levels.mean().item(), attacked(test, name, levels)) for name, levels in found.items()}


def reached(pictures: Tensor, test: Trial, db: float) -> Tensor:
    """Which pictures have a PSNR, to :data:`NEAR`; (N,) bool."""
    return (psnr(pictures, test.truth) - db).abs() < NEAR


@lru_cache(maxsize=4)
def _net(name: str) -> FeatureNet:
    return feature_net(name)


def judged(
    test: Trial, pictures: Mapping[str, Tensor], nets: Sequence[str] = ("effnet-lite0",), identity: bool = True,
    points: Mapping[str, Tensor] | None = None, known: Tensor | None = None,
) -> dict[str, dict[str, Tensor]]:  # fmt: skip
    """Every judge on every row: :func:`facelab.studies.evaluation.measure`, Fréchet distances of small sets, too, and
    whether somebody would be recognised in another photograph.

    Args:
        test: what the pictures answer to.
        pictures: row → (N, C, S, S).
        nets: feature nets of ``frechet`` and ``frechet_second``. Of fewer than 100 faces these are called
            ``frechet_few`` and ``frechet_few_second``: they are not comparable with those of larger sets.
        identity: measure identity distance (needs dlib), whether dlib would take both for the ``same`` person (0 or
            1), and where everybody has several photographs, ``recognised``.
        points: row → landmarks (N, 68, 2) of its faces, where they are not the truth's; see :func:`attacked_points`.
        known: the truth's face descriptors (N, 128), where they are at hand.

    Returns:
        Row → metric → (N,), or (1,) for a set's.

    Taught in: lesson 10.
    """
    if identity and known is None:
        known = descriptors(test.truth, test.points)
    called = "frechet" if len(test) >= FRECHET_LEAST else "frechet_few"
    named = {called + end: _net(name) for end, name in zip(("", "_second"), nets, strict=False)}
    real = {metric: net.pooled(test.truth) for metric, net in named.items()} if len(test) > 1 else {}
    out = {}
    for row, images in pictures.items():
        out[row] = measure(images, test)
        if identity:
            there = (points or {}).get(row)
            out[row] |= _whose(descriptors(images, test.made_points if there is None else there), known, test)
        for metric, features in real.items():
            out[row][metric] = torch.tensor([frechet(named[metric].pooled(images), features)])
    return out


def _whose(mine: Tensor, known: Tensor, test: Trial) -> dict[str, Tensor]:
    """What descriptors (N, 128) say of whose faces these are."""
    apart = (mine - known).norm(dim=1)
    values = {"identity": apart, "same": torch.where(apart.isnan(), torch.nan, (apart < SAME_PERSON).float())}
    if test.whole:
        values["rank1"] = rank1(mine, known)
    if all(test.identities.count(who) > 1 for who in set(test.identities)) and len(set(test.identities)) > 1:
        values["recognised"] = recognised(mine, known, test.identities)
    return values


def recognised(described: Tensor, known: Tensor, identities: Sequence[str]) -> Tensor:
    """Whether the photograph nearest to each face, its own truth left out, shows the same person; (N,) 0 or 1.

    Held against its own truth a restored face shares all that was visible, down to the light. Another photograph
    shares the person alone.

    Args:
        described: (N, 128), of the restored faces. known: (N, 128), of their truths. identities: who each shows.

    Taught in: lesson 10.
    """
    apart = torch.cdist(described, known, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    nearest = apart.nan_to_num(torch.inf, posinf=torch.inf).argmin(1).tolist()
    right = torch.tensor([float(identities[place] == who) for place, who in zip(nearest, identities, strict=True)])
    return right * apart.isfinite().any(1)  # whom nothing describes nobody recognises


def frechet_bias(
    net: str, truth: Tensor, counts: Sequence[int], seed: int = 0, draws: int = 5,
    identities: Sequence[str] | None = None,
) -> dict[int, float]:  # fmt: skip
    """Fréchet distances between two sets of real faces of different people: what a perfect generator would get.

    It is not 0, and the smaller the sets, the larger. A restoration that is held against its own truths could reach 0:
    its distance is smaller for another reason than being good.

    Args:
        net: name of the feature net. truth: (N, C, S, S), real faces. counts: pictures in each of the two sets.
        seed: of who is drawn. draws: over which a mean is taken.
        identities: who the N faces show: nobody is in both sets. None: everybody is somebody else.

    Returns:
        Count → mean distance; counts for which there are not enough faces in two halves of the people are left out.

    Taught in: lesson 10.
    """
    features, random, out = _net(net).pooled(truth), generator(seed, "halves"), {}
    who = list(range(len(truth))) if identities is None else list(identities)
    for count in (count for count in counts if count >= 2):
        sets = [_apart(who, count, random) for _ in range(draws)]
        if all(min(map(len, pair)) == count for pair in sets):
            found = [frechet(*(features[places] for places in pair)) for pair in sets]
            out[count] = round(sum(found) / draws, 4)
    return out


def _apart(who: Sequence[object], count: int, random: torch.Generator) -> list[list[int]]:
    """Places of ``count`` pictures, or of as many as there are, in each of two halves of the people."""
    places: dict[object, list[int]] = {}
    for place, one in enumerate(who):
        places.setdefault(one, []).append(place)
    people, halves = list(places.values()), ([], [])
    order = torch.randperm(len(people), generator=random).tolist()
    for one in sorted(order, key=lambda one: -len(people[one])):  # who has many first, or halves would not be equal
        min(halves, key=len).extend(people[one])
    return [[half[k] for k in torch.randperm(len(half), generator=random)[:count].tolist()] for half in halves]
