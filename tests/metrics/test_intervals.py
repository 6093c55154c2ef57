"""Bootstrap intervals: coverage, clusters, and edge cases."""

import math

import pytest
import torch

from facelab import seeding
from facelab.metrics import intervals
from facelab.metrics.intervals import bootstrap, bootstrap_runs


def normal(count, name="a"):
    return torch.randn(count, generator=seeding.generator(0, name))


def test_agrees_with_the_normal_interval():
    values = normal(400)
    lo, hi = bootstrap(values, seeding.generator(1), draws=4000)
    half = 1.96 * float(values.std()) / 20
    assert lo == pytest.approx(float(values.mean()) - half, abs=0.015)
    assert hi == pytest.approx(float(values.mean()) + half, abs=0.015)


def test_covers_the_truth_about_as_often_as_it_says():
    draws = normal(200 * 40).view(200, 40)
    ends = [bootstrap(row, seeding.generator(i), draws=400) for i, row in enumerate(draws)]
    covered = sum(lo < 0 < hi for lo, hi in ends) / 200
    assert 0.88 <= covered <= 0.99


def test_repeated_pictures_of_one_person_do_not_narrow_it():
    people = normal(20)
    values = people.repeat_interleave(10)
    groups = [f"s{i}" for i in range(20) for _ in range(10)]
    wide = bootstrap(values, seeding.generator(1), groups)
    alone = bootstrap(people, seeding.generator(1))
    naive = bootstrap(values, seeding.generator(1))
    assert wide == pytest.approx(alone, abs=1e-6)
    assert naive[1] - naive[0] < 0.5 * (wide[1] - wide[0])


def test_groups_of_different_size_keep_their_weight():
    values = torch.tensor([1.0, 1.0, 1.0, 5.0])
    lo, hi = bootstrap(values, seeding.generator(1), ["a", "a", "a", "b"], draws=4000)
    assert (lo, hi) == (1.0, 5.0)  # only a, or only b, is drawn a quarter of the time each


def test_same_generator_same_interval():
    values = normal(50)
    assert bootstrap(values, seeding.generator(3)) == bootstrap(values, seeding.generator(3))
    assert bootstrap(values, seeding.generator(3)) != bootstrap(values, seeding.generator(4))


def test_missing_values_are_left_out():
    values = normal(30)
    holed = torch.cat([values, torch.full((5,), torch.nan)])
    assert bootstrap(holed, seeding.generator(1)) == bootstrap(values, seeding.generator(1))
    groups = [*range(30), *range(100, 105)]
    assert bootstrap(holed, seeding.generator(1), groups) == bootstrap(values, seeding.generator(1))
    assert all(map(math.isnan, bootstrap(torch.full((3,), torch.nan), seeding.generator(1))))


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="2 groups for 3 values"):
        bootstrap(torch.zeros(3), seeding.generator(0), ["a", "b"])
    with pytest.raises(ValueError, match="level = 95"):
        bootstrap(torch.zeros(3), seeding.generator(0), level=95)


def test_runs_and_people_both_move_the_mean():
    """Only people differ, only runs differ, both: the interval is as wide as theory says."""
    random = seeding.generator(5)
    people, runs = (
        torch.randn(1, 400, generator=random, dtype=torch.double),
        torch.randn(60, 1, generator=random).double(),
    )
    for values, deviation in (
        (people.expand(3, 400), people.std() / 400**0.5),
        (runs.expand(60, 20), runs.std() / 60**0.5),
        (runs + people, (runs.var() / 60 + people.var() / 400).sqrt()),
    ):
        lo, hi = bootstrap_runs(values, seeding.generator(1), draws=4000)
        assert (hi - lo) / 2 == pytest.approx(1.96 * deviation.item(), rel=0.06)
        assert lo < values.mean() < hi


def test_one_run_and_no_repeats_is_the_plain_bootstrap():
    values = torch.randn(1, 300, generator=seeding.generator(2))
    one, plain = bootstrap_runs(values, seeding.generator(1), draws=4000), bootstrap(values[0], seeding.generator(1))
    assert one == pytest.approx(plain, abs=0.02)


def test_runs_keep_a_persons_pictures_together_and_leave_gaps_out():
    people = torch.randn(2, 30, generator=seeding.generator(3))
    twenty = people.repeat_interleave(20, 1)
    groups = [i // 20 for i in range(600)]
    alone, together = bootstrap_runs(people, seeding.generator(1)), bootstrap_runs(twenty, seeding.generator(1), groups)
    assert together == pytest.approx(alone, abs=1e-6)
    holed = twenty.clone()
    holed[:, 3::20] = torch.nan
    assert bootstrap_runs(holed, seeding.generator(1), groups) == pytest.approx(alone, abs=1e-6)
    assert all(map(math.isnan, bootstrap_runs(torch.full((2, 3), torch.nan), seeding.generator(1))))


def test_three_runs_scatter_as_much_as_three_runs_do():
    """Of three the variance is right, where drawing three would give two thirds of it."""
    runs = torch.tensor([[0.0], [1.0], [5.0]]).expand(3, 4)
    pick = intervals._times_drawn(3, 20_000, seeding.generator(0))
    means = (pick @ runs[:, 0].double()) / pick.sum(1)
    assert means.var().item() == pytest.approx(runs[:, 0].var().item() / 3, rel=0.03)


def test_runs_refuse_what_bootstrap_refuses():
    with pytest.raises(ValueError, match="2 groups for 3 values"):
        bootstrap_runs(torch.zeros(2, 3), seeding.generator(0), ["a", "b"])
    with pytest.raises(ValueError, match="95"):
        bootstrap_runs(torch.zeros(2, 3), seeding.generator(0), level=95)
