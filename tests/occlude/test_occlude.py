"""The batch function: polarity, determinism, area, errors."""

import pytest
import torch
import torch.nn.functional as F

from facelab.errors import BadConfig
from facelab.occlude import KINDS, TRAIN_KINDS, UNSEEN_KINDS, occlude
from facelab.seeding import generator

ALL = TRAIN_KINDS + UNSEEN_KINDS


def faces(count=12, channels=3, size=64, seed=1):
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def share(hole):
    return (hole > 0.5).float().mean((1, 2, 3))


def test_kinds_for_training_and_unseen_kinds_are_disjoint():
    assert not set(TRAIN_KINDS) & set(UNSEEN_KINDS)
    assert set(UNSEEN_KINDS) == {"hand", "cup", "photo_blob", "photo_bar"}
    assert set(KINDS) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
def test_contract_of_every_kind(kind):
    images = faces()
    before = images.clone()
    out = occlude(images, None, generator(3, kind), kinds=(kind,))
    assert torch.equal(images, before), "the input was changed"
    assert out.kinds == (kind,) * 12
    assert out.image.shape == images.shape and out.hole.shape == (12, 1, 64, 64)
    assert torch.isfinite(out.image).all() and out.image.abs().max() <= 1 + 1e-6
    assert out.hole.min() >= 0 and out.hole.max() <= 1


@pytest.mark.parametrize("kind", ALL)
def test_far_from_the_hole_nothing_changes(kind):
    """A hole of the wrong polarity fails here: its zeros would lie on the occluder."""
    images = faces()
    out = occlude(images, None, generator(4, kind), kinds=(kind,))
    reach = F.max_pool2d(out.hole, 31, stride=1, padding=15) > 0  # further than any shadow at 64 px
    far = (~reach).expand_as(images)
    assert torch.equal(out.image[far], images[far])
    inside = (out.hole > 0.9).expand_as(images)
    assert (out.image - images)[inside].abs().mean() > 0.15


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 128])
def test_every_kind_draws_at_every_size(size, channels):
    images = faces(16, channels, size)
    for kind in ALL:
        out = occlude(images, None, generator(5, kind), kinds=(kind,))
        assert torch.isfinite(out.image).all()
        assert 0.005 < share(out.hole).mean() < 0.6, kind


def test_the_frame_need_not_be_square():
    out = occlude(torch.zeros(20, 3, 40, 56), None, generator(0))
    assert out.image.shape == (20, 3, 40, 56) and out.hole.shape == (20, 1, 40, 56)


def test_same_seed_same_bits_and_another_seed_other_bits():
    images = faces(24)
    first, again = (occlude(images, None, generator(7), area=(0.1, 0.2)) for _ in range(2))
    other = occlude(images, None, generator(8), area=(0.1, 0.2))
    assert torch.equal(first.image, again.image) and torch.equal(first.hole, again.hole) and first.kinds == again.kinds
    assert not torch.equal(first.hole, other.hole)


def test_the_global_generator_is_neither_read_nor_moved():
    images = faces(8)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = occlude(images, None, generator(9))
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first.image, occlude(images, None, generator(9)).image)


@pytest.mark.parametrize("kinds", [TRAIN_KINDS, UNSEEN_KINDS])
@pytest.mark.parametrize("area", [(0.1, 0.2), (0.02, 0.06), (0.25, 0.4)])
def test_area_is_respected(kinds, area):
    out = occlude(faces(48), None, generator(10), kinds=kinds, area=area)
    hit = ((share(out.hole) >= area[0]) & (share(out.hole) <= area[1])).float().mean()
    assert hit >= 0.95
    free = share(occlude(faces(48), None, generator(10), kinds=kinds).hole)
    assert ((free < area[0]) | (free > area[1])).float().mean() > 0.2, "the check would pass without any effort"


def test_an_area_out_of_reach_ends_and_keeps_the_nearest():
    free = occlude(faces(8), None, generator(11), kinds=("glasses",))
    out = occlude(faces(8), None, generator(11), kinds=("glasses",), area=(0.97, 0.99))
    assert share(out.hole).mean() > share(free.hole).mean()
    assert share(out.hole).max() < 0.97


def test_many_kinds_are_drawn():
    out = occlude(faces(128, 1, 32), None, generator(12))
    assert set(out.kinds) == set(TRAIN_KINDS)
    assert out.kinds.count("freeform") > out.kinds.count("squares")


def test_landmarks_move_the_glasses():
    images = faces(16, size=128)
    points = torch.zeros(16, 68, 2) + 64.0
    points[:, 36:42] = torch.tensor([50.0, 60.0])
    points[:, 42:48] = torch.tensor([78.0, 60.0])
    moved = points + torch.tensor([20.0, -25.0])

    def centre(landmarks):
        hole = occlude(images, landmarks, generator(13), kinds=("sunglasses",)).hole[:, 0]
        axis = torch.arange(128.0)
        return torch.stack([(hole.sum(1) * axis).sum(1), (hole.sum(2) * axis).sum(1)], 1) / hole.sum((1, 2))[:, None]

    shift = (centre(moved) - centre(points)).mean(0)
    torch.testing.assert_close(shift, torch.tensor([20.0, -25.0]), atol=1.5, rtol=0)


def test_rows_without_landmarks_are_the_canonical_face():
    images = faces(6)
    gaps = torch.full((6, 68, 2), float("nan"))
    out, none = (occlude(images, given, generator(14), kinds=("facemask",)) for given in (gaps, None))
    assert torch.equal(out.image, none.image)


@pytest.mark.parametrize(
    "wrong", [{"kinds": ("spoon",)}, {"kinds": ()}, {"kinds": ("cutouts",)}, {"area": (0.5, 0.2)}, {"area": (0.1, 1.5)}]
)
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        occlude(faces(2), None, generator(0), **wrong)


def test_wrong_landmarks_are_refused():
    with pytest.raises(ValueError, match="68"):
        occlude(faces(2), torch.zeros(2, 5, 2), generator(0))
