"""Orders of variants: equal, reversed, shuffled; and the recorded sweeps."""

import math
import random

import pytest

from facelab.studies import agreement
from facelab.studies.agreement import rank_agreement, variants_judged, worth


def scores(**metrics):
    """Metric → values to variant → metric → value."""
    count = len(next(iter(metrics.values())))
    return {str(k): {metric: values[k] for metric, values in metrics.items()} for k in range(count)}


RISING = [float(k) for k in range(1, 13)]


def test_the_same_order_is_one_and_the_reverse_minus_one():
    table = scores(psnr_hole=RISING, ssim=[value**2 for value in RISING], psnr=RISING[::-1])
    assert rank_agreement(table, "psnr_hole", "ssim") == pytest.approx(1)
    assert rank_agreement(table, "psnr_hole", "psnr") == pytest.approx(-1)


def test_where_less_is_better_less_counts_as_more():
    table = scores(psnr_hole=RISING, identity=[1 / value for value in RISING], frechet=RISING)
    assert rank_agreement(table, "psnr_hole", "identity") == pytest.approx(1)
    assert rank_agreement(table, "psnr_hole", "frechet") == pytest.approx(-1)
    assert rank_agreement(table, "identity", "frechet") == pytest.approx(-1)


def test_sharpness_is_best_at_one_from_either_side():
    assert worth("sharpness", 1.0) == 0 > worth("sharpness", 0.5) == pytest.approx(worth("sharpness", 2.0))
    assert worth("sharpness", 0.0) == -math.inf
    assert worth("identity, 45°", 0.3) == -0.3
    table = scores(psnr_hole=[1.0, 2.0, 3.0], sharpness=[3.0, 0.5, 1.1])
    assert rank_agreement(table, "psnr_hole", "sharpness") == pytest.approx(1)


def test_shuffled_orders_agree_by_chance_only():
    draw, found = random.Random(0), []
    for _ in range(200):
        table = scores(psnr_hole=RISING, ssim=draw.sample(RISING, len(RISING)))
        found.append(rank_agreement(table, "psnr_hole", "ssim"))
    assert abs(sum(found) / len(found)) < 0.05 and max(found) < 1


def test_ties_and_too_few_say_nothing():
    assert math.isnan(rank_agreement(scores(psnr_hole=[1.0, 2.0], ssim=[1.0, 1.0]), "psnr_hole", "ssim"))
    assert math.isnan(rank_agreement(scores(psnr_hole=[1.0], ssim=[1.0]), "psnr_hole", "ssim"))
    tied = rank_agreement(scores(psnr_hole=[1.0, 2.0, 2.0, 3.0], ssim=[1.0, 2.0, 3.0, 4.0]), "psnr_hole", "ssim")
    assert tied == pytest.approx(5 / 30**0.5), "tau-b by hand: 5 pairs of one order, 6 pairs, one tie"


def row(variant, seed, ended="done", **means):
    return {"variant": variant, "seed": seed, "ended": ended, "means": means}


def test_variants_are_means_over_their_seeds_without_the_broken():
    record = {"rows": [row("base", 0, psnr=20.0, ssim=0.5), row("base", 1, psnr=22.0, ssim=0.7),
                       row("odd", 0, psnr=30.0), row("odd", 1, "diverged", psnr=1.0),
                       row("half", 0, psnr=3.0, iou=0.5), row("half", 1, psnr=5.0, iou=None)]}  # fmt: skip
    found = variants_judged(record)
    assert set(found) == {"base", "half"} and found["base"] == {"psnr": 21.0, "ssim": pytest.approx(0.6)}
    assert found["half"] == {"psnr": 4.0}, "what one seed lacks is no mean over seeds"


def test_few_variants_are_no_agreement():
    rows = [row(str(k), 0, psnr_hole=float(k), ssim=float(k)) for k in range(agreement.FEWEST)]
    assert agreement.agreement({"few": {"rows": rows[1:]}}) == {}
    found = agreement.agreement({"enough": {"rows": rows}})
    assert found == {"enough": {"psnr_hole | ssim": {"tau": 1.0, "variants": agreement.FEWEST, "seeds": [1, 1]}}}
    more = agreement.agreement({"enough": {"rows": [*rows, row("0", 1, psnr_hole=0.5, ssim=0.5)]}})
    assert more["enough"]["psnr_hole | ssim"]["seeds"] == [1, 2]


def test_the_recorded_sweeps_are_ranked():
    records = agreement.records()
    assert {"05_orl", "07_synth-1500", "09_lfw"} <= set(records)
    assert not any(name.endswith(("_course", "_recognition")) for name in records)
    found = agreement.agreement(records)
    assert found["05_orl"]["psnr_hole | ssim"]["variants"] > 40
    for pairs in found.values():
        assert all(-1 <= cell["tau"] <= 1 and cell["variants"] >= agreement.FEWEST for cell in pairs.values())
    nets = [pairs["frechet | frechet_second"]["tau"] for pairs in found.values() if "frechet | frechet_second" in pairs]
    assert nets and min(nets) > 0.7, "two feature nets give about one order"
