"""Judges under attack: what is done to true faces, and which number notices.

A judge is tested where the answer is known. The pictures here are true faces with one thing done to them, harmless or
not; what a person would say of it is written beside it, and what a metric says of it is measured.

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
from facelab.metrics.image import psnr
from facelab.nets.features import FeatureNet, feature_net
from facelab.seeding import generator
from facelab.studies.attacks import ATTACKS, ELSE, Attack, attack, attacked, attacked_points, others
from facelab.studies.evaluation import FRECHET_LEAST, measure, rank1
from facelab.studies.trials import Trial

__all__ = [
    "ATTACKS", "ELSE", "SIDES", "Attack", "attacked", "attacked_points", "equal_psnr", "frechet_bias", "judged",
    "level_for", "mean_psnr", "others", "recognised",
]  # fmt: skip

SIDES: dict[str, int] = {
    "psnr": 1, "psnr_gain": 1, "ssim": 1, "ssim_gain": 1, "psnr_hole": 1, "l1_hole": -1, "psnr_told": 1, "sharpness": 0,
    "iou": 1, "identity": -1, "identity_gain": 1, "to_donor": 1, "rank1": 1, "recognised": 1, "real": 1, "frechet": -1,
    "frechet_second": -1, "frechet_few": -1, "frechet_few_second": -1, "fid": -1,
}  # fmt: skip
"""Metric → which side is the better one: 1 more, -1 less, 0 near 1."""


def mean_psnr(pictures: Tensor, test: Trial) -> float:
    """Mean of the pictures' PSNR, dB; infinite where they are the truth."""
    return psnr(pictures, test.truth).double().mean().item()


def level_for(test: Trial, name: str, psnr_db: float, steps: int = 14) -> float | None:
    """The level at which an attack costs so much PSNR, by bisection.

    Args:
        test: the trial. name: of :data:`ATTACKS`. psnr_db: mean over the trial. steps: of the bisection.

    Returns:
        A level; None where the attack has no levels, or all of them leave more.

    Taught in: lesson 10.
    """
    low, high = attack(name).levels
    if low == high or mean_psnr(attacked(test, name, high), test) > psnr_db:
        return None
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if mean_psnr(attacked(test, name, middle), test) > psnr_db else (low, middle)
    return high


def equal_psnr(test: Trial, db: float, names: Sequence[str] | None = None) -> dict[str, tuple[float, Tensor]]:
    """Attacks that cost the same.

    Args:
        test: the trial. db: mean PSNR. names: of :data:`ATTACKS`; None = all.

    Returns:
        Name → its level there, and the pictures (N, C, S, S); attacks that do not reach it are left out.

    Taught in: lesson 10.
    """
    found = {name: level_for(test, name, db) for name in names or ATTACKS}
    return {name: (level, attacked(test, name, level)) for name, level in found.items() if level is not None}


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
        identity: measure identity distance (needs dlib), and where everybody has several photographs, ``recognised``.
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
    values = {"identity": (mine - known).norm(dim=1)}
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
    nearest = apart.nan_to_num(torch.inf).argmin(1).tolist()
    return torch.tensor([float(identities[place] == who) for place, who in zip(nearest, identities, strict=True)])


def frechet_bias(net: str, truth: Tensor, counts: Sequence[int], seed: int = 0, draws: int = 5) -> dict[int, float]:
    """Fréchet distances between two halves of real faces: what a perfect generator would get.

    It is not 0, and the smaller the sets, the larger. A restoration that is held against its own truths could reach 0:
    its distance is smaller for another reason than being good.

    Args:
        net: name of the feature net. truth: (N, C, S, S), real faces. counts: pictures in each of the two sets.
        seed: of who is drawn. draws: over which a mean is taken.

    Returns:
        Count → mean distance of two disjoint sets; counts with less than twice as many faces are left out.

    Taught in: lesson 10.
    """
    features, random, out = _net(net).pooled(truth), generator(seed, "halves"), {}
    for count in (count for count in counts if 2 <= count <= len(truth) // 2):
        orders = [torch.randperm(len(truth), generator=random) for _ in range(draws)]
        apart = [frechet(features[order[:count]], features[order[count : 2 * count]]) for order in orders]
        out[count] = round(sum(apart) / draws, 4)
    return out
