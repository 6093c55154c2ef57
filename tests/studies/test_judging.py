"""Attacks whose answer is known, and what the judges must say of them; each claim beside one that must not hold."""

import dataclasses

import pytest
import torch
from scipy.ndimage import gaussian_filter

from facelab.errors import BadConfig
from facelab.faces.landmarks import MIRROR, canonical_landmarks
from facelab.faces.models import available
from facelab.metrics.image import psnr, ssim
from facelab.studies import attacks, judging
from facelab.studies.judging import ATTACKS, ELSE, attacked, equal_psnr, judged, level_for, reached
from facelab.studies.parts import faces
from facelab.studies.side_by_side import damaged

SIZE = 48
MOST = {name: attack.levels[1] for name, attack in ATTACKS.items()}


@pytest.fixture(scope="module")
def test():
    return damaged(faces("orl", "test", SIZE), "occluder", 16)


# ------------------------------------------------------------------------------------------- attacks
def test_everybody_is_handed_another_persons_face_once():
    who = ["a", "b", "a", "c", "b", "a", "c"]
    given = attacks.others(who)
    assert sorted(given) == list(range(7)) and all(who[place] != who[other] for place, other in enumerate(given))


@pytest.mark.parametrize("who", [["a", "a", "b"], ["a"], []])
def test_faces_of_mostly_one_person_cannot_be_handed_on(who):
    assert not attacks.exchangeable(who) and attacks.exchangeable([*who, *"xyz"])
    with pytest.raises(BadConfig, match="one person"):
        attacks.others(who)


def test_moving_goes_to_the_right_by_whole_pixels_and_between():
    images = torch.rand(2, 3, 5, 9)
    one, two = attacks.shifted(images, 1.0), attacks.shifted(images, 2.0)
    assert torch.equal(attacks.shifted(images, 0.0), images)
    assert torch.equal(one[..., 1:], images[..., :-1]) and torch.equal(one[..., 0], images[..., 0])
    torch.testing.assert_close(attacks.shifted(images, 1.25), 0.75 * one + 0.25 * two)


@pytest.mark.parametrize("sigma", [0.6, 2.0])
def test_blurring_is_a_gaussian_with_repeated_edges(sigma):
    images = torch.rand(2, 1, 20, 24)
    theirs = gaussian_filter(images.numpy(), (0, 0, sigma, sigma), mode="nearest", truncate=4.0)
    torch.testing.assert_close(attacks.blurred(images, sigma), torch.from_numpy(theirs), atol=1e-5, rtol=0)
    assert torch.equal(attacks.blurred(images, 0.0), images)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_keeps_shape_and_range_and_does_the_same_again(test, name):
    pictures = attacked(test, name, MOST[name])
    assert pictures.shape == test.truth.shape and pictures.abs().max() <= 1
    assert torch.equal(pictures, attacked(test, name, MOST[name])) and not torch.equal(pictures, test.truth)
    assert attacks.attacked_points(test, name, MOST[name]).shape == test.points.shape
    if ATTACKS[name].unit:
        assert torch.equal(attacked(test, name, ATTACKS[name].levels[0]), test.truth), "its least level is nothing"


def test_noise_and_light_are_shares_of_the_range():
    flat = torch.zeros(4, 1, 64, 64)
    test = attacks.Trial(flat, flat, flat, torch.zeros(4, 68, 2), ("",) * 4, tuple("abcd"))
    assert attacked(test, "noise", 0.05).std() == pytest.approx(0.1, rel=0.02)
    assert attacked(test, "brighter", 0.05).unique().tolist() == pytest.approx([0.1])


def test_what_is_left_in_is_the_occluder(test):
    assert torch.equal(attacked(test, "occluder left in", 1.0), test.untouched)
    half = attacked(test, "occluder left in", 0.5) - test.truth
    torch.testing.assert_close(half, (test.untouched - test.truth) / 2)


def test_only_the_hole_is_another_persons(test):
    pictures, donors = attacked(test, ELSE, 1.0), test.truth[attacks.others(test.identities)]
    seen, hidden = (test.hole == 0).expand_as(pictures), (test.hole == 1).expand_as(pictures)
    assert torch.equal(pictures[seen], test.truth[seen]) and torch.equal(pictures[hidden], donors[hidden])


def test_landmarks_in_a_mirror_have_the_names_of_the_other_side(test):
    there = MIRROR
    assert sorted(there) == list(range(68)) and [there[place] for place in there] == list(range(68))
    face = canonical_landmarks(SIZE, SIZE)[None]
    front = dataclasses.replace(test, points=face)
    mirrored = attacks.attacked_points(front, "mirrored", 1.0)
    assert (mirrored - face).norm(dim=2).max() < 0.05 * SIZE, "a face from the front is nearly its own mirror image"
    unnamed = torch.stack([SIZE - 1 - face[..., 0], face[..., 1]], -1)
    assert (unnamed - face).norm(dim=2).max() > 0.5 * SIZE, "were nobody renamed, left and right would be exchanged"


def test_landmarks_move_with_the_face(test):
    moved = attacks.attacked_points(test, "moved", 3.0) - test.points
    assert torch.allclose(moved, torch.tensor([3.0, 0.0]).expand_as(moved))
    assert torch.equal(attacks.attacked_points(test, "blurred", 3.0), test.points)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.unit])
def test_a_level_a_picture_is_that_level_on_each(test, name):
    levels = torch.linspace(0, MOST[name], len(test), dtype=torch.float64)
    each, points = attacked(test, name, levels), attacks.attacked_points(test, name, levels)
    for place in (0, 3, len(test) - 1):
        alone = levels[place].item()
        torch.testing.assert_close(each[place], attacked(test, name, alone)[place])
        torch.testing.assert_close(points[place], attacks.attacked_points(test, name, alone)[place])
    assert not torch.equal(each, attacked(test, name, levels.mean().item())), "one level for all is another thing"
    with pytest.raises(BadConfig):
        attacked(test, name, levels + 0.01)


@pytest.mark.parametrize(("name", "level"), [("moved", 9.0), ("moved", -0.1), ("mirrored", 0.5), ("upside down", 1.0)])
def test_what_is_no_attack_is_refused(test, name, level):
    with pytest.raises(BadConfig):
        attacked(test, name, level)


# ------------------------------------------------------------------------------------------- one PSNR
@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.unit])
def test_levels_give_every_picture_the_psnr_that_was_asked_for(test, name):
    levels = level_for(test, name, 26.0)
    assert levels.shape == (len(test),) and (name == "brighter" or levels.std() > 0)
    assert (psnr(attacked(test, name, levels), test.truth) - 26.0).abs().max() < 0.1
    one = psnr(attacked(test, name, levels.mean().item()), test.truth)
    assert name in ("brighter", "noise") or (one - 26.0).abs().max() > 0.3, "one level for all is not one PSNR for all"
    assert level_for(test, name, 2.0) is None, "so bad it never gets"


def test_a_picture_that_an_attack_cannot_bring_down_stays_at_the_most(test):
    truth = test.truth.clone()
    truth[3] = truth[3].mean()  # plain grey: nothing to blur, and nothing that moves
    plain = dataclasses.replace(test, truth=truth)
    for name in ("blurred", "moved"):
        levels, (mean, pictures) = level_for(plain, name, 26.0), equal_psnr(plain, 26.0, [name])[name]
        there = reached(pictures, plain, 26.0)
        assert there.tolist() == [place != 3 for place in range(len(plain))] and levels[3] == MOST[name]
        assert mean == pytest.approx(levels.mean().item()) and levels[there].max() < MOST[name]
        assert (psnr(pictures, plain.truth)[there] - 26.0).abs().max() < 0.1


def test_what_has_no_levels_has_none(test):
    assert level_for(test, "mirrored", 15.0) is None
    assert level_for(damaged(faces("orl", "test", SIZE), "nothing", 4), "occluder left in", 25.0) is None


def test_pictures_of_one_psnr_are_not_alike(test):
    found = equal_psnr(test, 26.0)
    assert set(found) == {name for name, attack in ATTACKS.items() if attack.unit}
    alike = {name: ssim(pictures, test.truth).mean().item() for name, (_, pictures) in found.items()}
    assert alike["brighter"] > 0.95 and alike["noise"] < alike["brighter"] - 0.2, "SSIM forgives light, and no grain"
    assert set(equal_psnr(test, 26.0, ["noise"])) == {"noise"} == set(judging.levels_for(test, 26.0, ["noise"]))
    for level, pictures in found.values():
        there = reached(pictures, test, 26.0)
        assert isinstance(level, float) and there.all()
        assert (psnr(pictures, test.truth)[there] - 26.0).abs().max() < 0.1


# ------------------------------------------------------------------------------------------- judges
@pytest.fixture(scope="module")
def said(test):
    rows = {name: attacked(test, name, 2.0 if name == "moved" else MOST[name]) for name in ATTACKS}
    return judged(test, {"truth": test.truth} | rows, identity=False)


def test_the_truth_pleases_every_judge(said):
    row = said["truth"]
    assert torch.isinf(row["psnr"]).all() and row["ssim"].min() > 0.9999 and row["frechet_few"].item() == 0
    assert row["sharpness"].nanmean().item() == pytest.approx(1.0)


def test_a_set_of_the_wrong_people_pleases_frechet_alone(said):
    """The very same set of pictures: nothing that looks at sets can notice."""
    assert said["somebody else"]["frechet_few"].item() == 0 < said["moved"]["frechet_few"].item()
    assert said["somebody else"]["psnr"].mean() < said["moved"]["psnr"].mean() - 3
    assert said["somebody else"]["ssim"].mean() < said["moved"]["ssim"].mean()


def test_psnr_prefers_nobodys_face_to_anybodys(said):
    assert said["mean face"]["psnr"].mean() > said["somebody else"]["psnr"].mean() + 1
    assert said["mean face"]["sharpness"].nanmean() < 0.6 < said["somebody else"]["sharpness"].nanmean()


def test_sharpness_cannot_tell_grain_from_detail(said):
    assert said["noise"]["sharpness"].nanmean() > 1.3 and said["blurred"]["sharpness"].nanmean() < 0.5


def test_every_metric_has_a_better_side(said):
    assert {metric for row in said.values() for metric in row} <= set(judging.SIDES)
    assert judging.SIDES["psnr"] == 1 == -judging.SIDES["identity"] == -judging.SIDES["frechet"]
    assert judging.SIDES["sharpness"] == 0


def test_small_sets_have_their_own_column():
    part = faces("orl", "train", 32)
    for count, name in ((99, "frechet_few"), (100, "frechet")):
        row = judged(trial := damaged(part, "nothing", count), {"same": trial.truth}, identity=False)["same"]
        assert name in row and len({"frechet", "frechet_few"} & set(row)) == 1


def test_real_faces_are_not_at_distance_nought_from_real_faces():
    truth = damaged(faces("orl", "train", 32), "nothing", 120).truth
    found = judging.frechet_bias("effnet-lite0", truth, (5, 20, 60, 61))
    assert list(found) == [5, 20, 60], "two sets of 61 are not in 120 pictures"
    assert found[5] > found[20] > found[60] > 0
    assert found == judging.frechet_bias("effnet-lite0", truth, (5, 20, 60)), "the same draws again"


@pytest.mark.parametrize("who", [list(range(40)), [k // 10 for k in range(40)], ["a"] * 15 + list(range(25))])
def test_nobody_is_in_both_halves(who):
    for seed in range(20):
        for count in (2, 15, 40):
            one, other = judging._apart(who, count, torch.Generator().manual_seed(seed))
            assert not {who[place] for place in one} & {who[place] for place in other}
            assert len(set(one)) == len(one) <= count and len(set(other)) == len(other) <= count
            assert count == 40 or len(one) == len(other) == count


def test_photographs_of_one_person_in_both_halves_would_look_near():
    part = faces("orl", "train", 32)
    truth, who = part.take(range(120))[0], [part.identity(place) for place in range(120)]
    apart = judging.frechet_bias("effnet-lite0", truth, (20, 60), identities=who)
    mixed = judging.frechet_bias("effnet-lite0", truth, (20, 60))
    assert apart[60] > 1.3 * mixed[60] and apart[20] > mixed[20]
    assert judging.frechet_bias("effnet-lite0", truth[:20], (5, 8), identities=["a"] * 15 + list("bcdef")).keys() == {5}


# ------------------------------------------------------------------------------------------- whose face
def test_recognised_means_by_another_photograph():
    known = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    who = ("a", "a", "b", "b")
    assert judging.recognised(known, known, who).tolist() == [1, 1, 1, 1]
    assert judging.recognised(known.flip(0), known, who).tolist() == [0, 0, 0, 0]
    apart = torch.tensor([[0.0], [9.0], [5.0], [5.1]])  # a's second photograph is like nobody's
    assert judging.recognised(apart, apart, who).tolist() == [0, 0, 1, 1], "its own photograph does not count"


def test_who_has_no_descriptor_is_recognised_by_nobody():
    known = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    mine = known.clone()
    mine[0] = mine[3] = torch.nan
    assert judging.recognised(mine, known, ("a", "a", "b", "b")).tolist() == [0, 1, 1, 0]
    assert judging.recognised(torch.full((4, 1), torch.nan), known, "aaaa").sum() == 0
    known[1] = torch.nan  # his other photograph: whoever is left is somebody else
    assert judging.recognised(torch.zeros(4, 1), known, ("a", "a", "b", "b")).tolist() == [0, 1, 0, 0]


def test_the_same_person_is_one_nearer_than_dlibs_limit():
    known, mine = torch.zeros(4, 2), torch.tensor([[0.59, 0.0], [0.0, 0.6], [0.9, 0.0], [torch.nan, 0.0]])
    test = damaged(faces("orl", "test", SIZE), "nothing", 4)
    said = judging._whose(mine, known, test)["same"]
    assert said[:3].tolist() == [1, 0, 0] and said[3].isnan(), "of whom nothing is known nothing is said"


@pytest.mark.skipif(not available(), reason="dlib is not here")
def test_identity_sees_that_it_is_somebody_else_and_hardly_that_the_hole_is():
    test = damaged(faces("orl", "test", 128), "occluder", 16)
    names = ("moved", "somebody else", ELSE)
    rows = {name: attacked(test, name, 2.0 if name == "moved" else 1.0) for name in names}
    points = {name: attacks.attacked_points(test, name, 2.0 if name == "moved" else 1.0) for name in names}
    values = judged(test, rows, (), points=points)
    apart = {name: row["identity"].mean().item() for name, row in values.items()}
    assert apart["moved"] < 0.1 < apart[ELSE] < 0.6 < apart["somebody else"]
    assert set(values[ELSE]) >= {"recognised"} and values["moved"]["recognised"].mean() > 0.8
    assert values["somebody else"]["recognised"].mean() < 0.3
    still = judged(test, {"moved": rows["moved"]}, ())["moved"]["identity"].mean().item()
    assert still > apart["moved"], "landmarks that stay behind cut out another part of the picture"
