"""Batches and trials of face-mask removal."""

import dataclasses

import pytest
import torch

from facelab.errors import BadConfig, LayoutError
from facelab.occlude.facemask import TYPES
from facelab.studies import facemasks, parts
from facelab.studies.tasks import TASKS, task
from facelab.systems import SYSTEMS, mask_removal


@pytest.fixture(scope="module")
def part():
    return parts.faces("orl", "train", 32)


def test_a_step_gives_the_same_batch_again_and_another_another(part):
    load, again = (facemasks.facemask_loader(part, 4, 0, bare=0.2, framed=0.5) for _ in "ab")
    load(0)
    assert all(torch.equal(a, b) for a, b in zip(load(5).values(), again(5).values(), strict=True))
    assert not torch.equal(load(5)["truth"], load(6)["truth"])
    assert not torch.equal(load(5)["truth"], facemasks.facemask_loader(part, 4, 1)(5)["truth"])


def test_an_epoch_shows_everybody_once(part, monkeypatch):
    seen = []
    take = parts.Faces.take
    monkeypatch.setattr(parts.Faces, "take", lambda self, places: seen.extend(places) or take(self, places))
    load = facemasks.facemask_loader(part, len(part) // 4, 0, view_until=0)
    for step in range(4):
        load(step)
    assert len(seen) == len(set(seen)) == len(part) // 4 * 4


def test_who_wears_nothing_has_an_empty_hole_and_is_not_changed(part):
    batch = facemasks.facemask_loader(part, 40, 0, bare=0.5)(0)
    empty = batch["hole"].amax((1, 2, 3)) == 0
    assert 8 < empty.sum() < 32
    assert torch.equal(batch["occluded"][empty], batch["truth"][empty])
    assert not any(torch.equal(a, b) for a, b in zip(batch["occluded"][~empty], batch["truth"][~empty], strict=True))
    assert facemasks.facemask_loader(part, 40, 0)(0)["hole"].amax((1, 2, 3)).min() > 0.9


def test_truth_differs_only_where_something_is_worn(part):
    batch = facemasks.facemask_loader(part, 8, 0)(0)
    hidden = (batch["hole"] > 0.5).expand_as(batch["truth"])
    difference = (batch["occluded"] - batch["truth"]).abs()
    assert difference[hidden].mean() > 0.1 > 0.02 > difference[~hidden].mean()


def test_coarse_pictures_are_coarse_on_both_sides_and_keep_their_hole(part):
    sharp, soft = (facemasks.facemask_loader(part, 16, 0, soft=share)(0) for share in (0.0, 0.5))
    changed = (sharp["truth"] != soft["truth"]).flatten(1).any(1)
    assert 3 <= changed.sum() <= 13 and torch.equal(sharp["hole"], soft["hole"])
    assert torch.equal(changed, (sharp["occluded"] != soft["occluded"]).flatten(1).any(1))
    grain = lambda pictures: (pictures[..., 1:] - pictures[..., :-1]).abs().mean((1, 2, 3))  # noqa: E731
    for name in ("truth", "occluded"):
        assert (grain(soft[name])[changed] < grain(sharp[name])[changed]).all()
    late = facemasks.facemask_loader(part, 16, 0, soft=1.0, view_until=1)
    assert torch.equal(late(1)["truth"], facemasks.facemask_loader(part, 16, 0, view_until=1)(1)["truth"])


def test_unpaired_pictures_show_other_people_in_a_type_of_their_own():
    cfg = mask_removal.Config(size=32, natural_every=2, batch=4)
    batch = facemasks.training_loader("orl", cfg, 0)(0)
    assert batch["natural"].shape == batch["truth"].shape
    plain = facemasks.training_loader("orl", dataclasses.replace(cfg, natural_every=0), 0)(0)
    assert "natural" not in plain
    assert all(torch.equal(plain[name], batch[name]) for name in plain), "the paired part is the same with and without"
    paired, natural = parts.split_off_natural(parts.faces("orl", "train", 32))
    people = [{one.identity(place) for place in range(len(one))} for one in (paired, natural)]
    assert not people[0] & people[1]
    assert set(facemasks.paired_types(1)) == set(TYPES) - set(facemasks.NATURAL_TYPES)


@pytest.mark.parametrize("every", [0, 2])
def test_a_type_that_counts_as_never_paired_is_never_put_on_a_paired_face(monkeypatch, every):
    worn, wear = [], facemasks.wear
    monkeypatch.setattr(facemasks, "wear", lambda *args: worn.append(args[3]) or wear(*args))
    cfg = mask_removal.Config(size=32, natural_every=every, batch=4)
    load = facemasks.training_loader("orl", cfg, 0)
    for step in range(3):
        load(step)
    trial = task("mask_removal").trials("orl", cfg, 4, 1, None)["a type never paired"]
    assert not {kind for types in worn[: 3 * (1 + bool(every)) : 1 + bool(every)] for kind in types} & set(trial.kinds)


def test_nobody_to_show_unpaired_is_said_before_training(monkeypatch):
    monkeypatch.setattr(facemasks, "split_off_natural", lambda part: (part, dataclasses.replace(part, rows=())))
    facemasks.training_loader("orl", mask_removal.Config(size=32, batch=2), 0)
    with pytest.raises(LayoutError, match="more people"):
        facemasks.training_loader("orl", mask_removal.Config(size=32, batch=2, natural_every=4), 0)


def test_doubtful_fits_are_counted(part):
    blind = dataclasses.replace(part, points=torch.full_like(part.points, torch.nan))
    assert set(facemasks.facemask_trial(blind, 6, 1).doubts) == {"no landmarks"}
    assert len(facemasks.facemask_trial(part, 6, 1).doubts) == 6


def test_early_steps_can_be_small():
    cfg = mask_removal.Config(size=64, small_size=32, small_until=0.5, steps=10, batch=2, critic_downs=4)
    load = facemasks.training_loader("orl", cfg, 0)
    assert [load(step)["truth"].shape[-1] for step in (0, 4, 5)] == [32, 32, 64]


def test_trials_are_fixed_and_their_people_are_nobody_trained_on(part):
    test = parts.faces("orl", "test", 32)
    one, same, other = (facemasks.facemask_trial(test, 8, seed) for seed in (1, 1, 2))
    assert torch.equal(one.occluded, same.occluded) and not torch.equal(one.occluded, other.occluded)
    assert torch.equal(one.truth, other.truth)
    assert not set(one.identities) & {part.identity(place) for place in range(len(part))}
    drawn = facemasks.other_drawing(test, 8, 1)
    assert set(drawn.kinds) == {"facemask"} and torch.equal(drawn.truth, one.truth)


def test_the_task_of_each_system():
    assert tuple(TASKS) == SYSTEMS, "what the commands offer is what can be trained"
    cfg = mask_removal.Config(size=32, batch=2)
    trials = task("mask_removal").trials("orl", cfg, 4, 1, None)
    assert list(trials) == ["facemasks", "a type never paired", "drawn in another way"]
    assert set(trials["a type never paired"].kinds) == set(facemasks.NATURAL_TYPES)
    assert list(task("mask_removal").trials("orl", cfg, 4, 1, TYPES)) == ["facemasks", "drawn in another way"]
    with pytest.raises(BadConfig, match="oagan, mask_removal"):
        task("magic")
    for name in ("mask_removal", "hog_inpaint"):
        with pytest.raises(BadConfig, match="cutouts"):
            TASKS[name].loader("orl", cfg, 0, [object()])
