"""Training batches and fixed trials: who is shown beside whom, and the same bits for the same step."""

import pytest
import torch

from facelab.errors import LayoutError, MissingPart
from facelab.studies import batches, parts, trials
from facelab.systems import oagan


@pytest.fixture(scope="module")
def part():
    return parts.faces("orl", "train", 32)


def test_a_step_gives_the_same_batch_again(part):
    load = batches.occlusion_loader(part, 4, 0)
    again = batches.occlusion_loader(part, 4, 0)
    load(0), load(1)
    for step in (0, 7):
        assert all(torch.equal(a, b) for a, b in zip(load(step).values(), again(step).values(), strict=True))
    assert not torch.equal(load(0)["truth"], load(1)["truth"])
    assert not torch.equal(load(0)["truth"], batches.occlusion_loader(part, 4, 1)(0)["truth"])


def test_truth_differs_from_occluded_only_where_something_is_drawn(part):
    batch = batches.occlusion_loader(part, 8, 0)(0)
    hidden = (batch["hole"] > 0.5).expand_as(batch["truth"])
    difference = (batch["occluded"] - batch["truth"]).abs()
    assert difference[hidden].mean() > 0.1 > 0.02 > difference[~hidden].mean()


def test_the_critic_never_sees_the_answer(part):
    batch = batches.occlusion_loader(part, 8, 0)(0)
    closest = torch.cdist(batch["clean"].flatten(1), batch["truth"].flatten(1)).min()
    assert closest > 0.5


def test_nor_at_the_end_of_an_epoch(part):
    """Orders meet there: without care a picture of the old one's end comes up again at the new one's beginning."""
    few = parts.Faces(part.cache, part.points, part.rows[:21])
    seen = []
    watched = parts.Faces(few.cache, few.points, few.rows)
    object.__setattr__(watched, "take", lambda places: seen.append(set(places)) or few.take(places))
    load = batches.occlusion_loader(watched, 8, 0)
    for step in range(40):
        load(step)
        truth, clean = seen[-2:]
        assert not truth & clean


def test_labels_say_who_is_shown(part):
    people = sorted({part.identity(place) for place in range(len(part))})
    load = batches.occlusion_loader(part, 6, 0, people=people)
    batch, plain = load(3), batches.occlusion_loader(part, 6, 0)(3)
    assert torch.equal(batch["truth"], plain["truth"]) and "label" not in plain
    assert batch["label"].shape == batch["clean_label"].shape == (6,)
    whole = batches.occlusion_loader(part, len(part) // 2, 0, people=people)(0)
    assert len(set(whole["label"].tolist())) > 0.8 * len(people)


def test_only_bare_faces_are_truth_and_covered_ones_are_natural(tmp_path, monkeypatch):
    """rof and deocclusion hold both; an occluded photograph as truth would teach to leave the occluder."""
    from facelab.images import save_image

    face = torch.zeros(1, 40, 40)
    for person in range(12):
        for group, end in (("neutral", ""), ("masked", "_wearing_mask")):
            folder = tmp_path / "rof" / "images" / group / f"P{person}{end}"
            save_image(face + (0.5 if end else -0.5), folder / "000001.png")
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    monkeypatch.setenv("FACELAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(parts, "landmarks", lambda dataset, size: (torch.full((24, 68, 2), torch.nan), []))
    train = [parts.faces("rof", split, 32) for split in ("train", "val", "test")]
    bare = torch.cat([part.take(range(len(part)))[0] for part in train])
    assert len(bare) == 12 and bare.max() < 0
    natural = parts.natural_photographs(("train", "val", "test"), 32, "rof")
    assert len(natural) == 12 and natural.take(range(12))[0].min() > 0
    batch = batches.training_loader("rof", oagan.Config(size=32, channels=3, batch=4, adversarial_from=0.0), 0)(0)
    assert batch["natural"].mean() > 0.2 > -0.2 > batch["truth"].mean()


def test_what_the_critic_needs_is_drawn_late_and_changes_nothing_else(part):
    paired, natural = parts.split_off_natural(part)
    early, late = (
        batches.occlusion_loader(paired, 4, 0, natural=natural, natural_kinds=batches.NATURAL_KINDS, critic_from=start)
        for start in (0, 9)
    )
    for step, needed in ((8, False), (9, True)):
        one, other = early(step), late(step)
        assert all(torch.equal(one[name], other[name]) for name in ("truth", "occluded", "hole"))
        assert {"clean", "natural"} <= set(one) and ({"clean", "natural"} <= set(other)) == needed == ("clean" in other)


def test_late_pictures_are_photographs_or_their_mirror_images_and_nothing_else(part):
    """Resampled truths are soft, and who learns from them paints soft faces."""
    load = batches.occlusion_loader(part, 6, 0, natural=part, view_until=3)
    for name in ("truth", "clean", "natural"):
        assert _nearest(load(3)[name], part) < 0.02 < _nearest(load(2)[name], part), name  # the light may change


def _nearest(pictures, part):
    """Largest share of a picture's spread that no photograph, nor its mirror image, explains by a straight line."""
    known = part.take(range(len(part)))[0]
    known = torch.cat([known, known.flip(-1)]).flatten(1)
    scaled = lambda x: torch.nn.functional.normalize(x - x.mean(1, keepdim=True), dim=1)  # noqa: E731
    best = (scaled(pictures.flatten(1)) @ scaled(known).T).amax(1)
    return float((1 - best.square()).max())


def test_every_picture_is_used_once_an_epoch(part):
    """One epoch's order is a permutation: with the batch's second half as clean faces, no row comes twice."""
    seen = []
    take = part.take
    spy = parts.Faces(part.cache, part.points, part.rows)
    object.__setattr__(spy, "take", lambda places: (seen.extend(places), take(places))[1])
    load = batches.occlusion_loader(spy, 5, 0)
    for step in range(len(part) // 10):
        load(step)
    assert len(seen) == len(set(seen)) == len(part) // 10 * 10


def test_natural_people_and_kinds_are_apart(part):
    paired, natural = parts.split_off_natural(part)
    people = [{p.identity(i) for i in range(len(p))} for p in (paired, natural)]
    assert people[0] and people[1] and not people[0] & people[1]
    assert len(paired) + len(natural) == len(part)
    assert not set(batches.NATURAL_KINDS) & set(trials.UNSEEN_KINDS)


def test_splits_of_a_trial_are_people_never_trained_on(part):
    test = trials.trial(parts.faces("orl", "test", 32), 16, 1)
    trained = {part.identity(place) for place in range(len(part))}
    assert len(test) == 16
    assert not trained & set(test.identities)


def test_a_trial_is_fixed_and_in_its_area():
    held_out = parts.faces("orl", "test", 32)
    one, two = (trials.trial(held_out, 24, 1, area=(0.1, 0.2)) for _ in range(2))
    assert torch.equal(one.occluded, two.occluded)
    share = (one.hole > 0.5).float().mean((1, 2, 3))
    assert ((share >= 0.1) & (share <= 0.2)).float().mean() >= 0.9


def test_progressive_is_small_then_full(part):
    load = batches.progressive(batches.occlusion_loader(part, 2, 0), 16, 3)
    assert load(2)["occluded"].shape[-1] == load(2)["hole"].shape[-1] == 16
    assert load(3)["occluded"].shape[-1] == 32


def test_a_run_begins_small_where_its_configuration_says_so():
    cfg = oagan.Config(size=32, batch=2, steps=10, small_size=16, small_until=0.35, critic_downs=3)
    load = batches.training_loader("orl", cfg, 0)
    assert [load(step)["truth"].shape[-1] for step in (0, 2, 3, 9)] == [16, 16, 32, 32]


def test_an_empty_split_is_refused_by_name(part):
    nobody = parts.Faces(part.cache, part.points, ())
    for ask in (lambda: trials.trial(nobody, 4, 1), lambda: batches.occlusion_loader(nobody, 4, 0)):
        with pytest.raises(LayoutError, match="larger set"):
            ask()


def test_missing_landmarks_are_said_not_swallowed(monkeypatch):
    def nothing(*args):
        raise MissingPart("dlib", "Install it.")

    monkeypatch.setattr(parts, "landmarks", nothing)
    with pytest.warns(UserWarning, match="dlib is not here"):
        assert parts.faces("orl", "val", 32).points.isnan().all()
