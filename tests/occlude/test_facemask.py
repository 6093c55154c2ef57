"""Facemasks: on the face, over mouth and nose, the same for one seed, and honest about their hole."""

import pytest
import torch

from facelab.errors import BadConfig
from facelab.occlude import facemask, facemask_kinds
from facelab.occlude.face import CANONICAL
from facelab.occlude.facemask import Look
from facelab.seeding import generator

SIZE = 96
FACE = (CANONICAL * SIZE)[None].repeat(6, 1, 1)
SKIN = torch.full((6, 3, SIZE, SIZE), 0.1)


@pytest.mark.parametrize("kind", facemask.TYPES)
def test_mouth_and_nose_are_covered_and_eyes_are_not(kind):
    worn = facemask.wear(SKIN, FACE, generator(0, kind), kind)
    inside = lambda k: worn.hole[:, 0, int(CANONICAL[k, 1] * SIZE), int(CANONICAL[k, 0] * SIZE)]  # noqa: E731
    assert (inside(33) > 0.9).all() and (inside(66) > 0.9).all()  # under the nose, between the lips
    assert (inside(37) < 0.1).all() and (inside(44) < 0.1).all() and (inside(24) < 0.1).all()
    assert worn.kinds == (kind,) * 6 and worn.doubts == ("",) * 6
    assert worn.image.shape == SKIN.shape and worn.image.abs().max() <= 1


def test_one_seed_gives_the_same_bits_and_another_other_ones():
    first, again, other = (facemask.wear(SKIN, FACE, generator(0, name)) for name in ("a", "a", "b"))
    assert torch.equal(first.image, again.image) and torch.equal(first.hole, again.hole) and first.kinds == again.kinds
    assert not torch.equal(first.image, other.image)


def test_what_lies_far_from_the_mask_keeps_its_bits():
    worn = facemask.wear(SKIN, FACE, generator(0, "far"))
    assert torch.equal(worn.image[:, :, : SIZE // 5], SKIN[:, :, : SIZE // 5])
    assert ((worn.hole > 0).float().mean((1, 2, 3)) < 0.6).all()


def test_the_hole_is_where_the_picture_changed():
    worn = facemask.wear(SKIN, FACE, generator(0, "hole"))
    moved = (worn.image - SKIN).abs().amax(1, keepdim=True)
    assert (moved[worn.hole == 0] <= 0.5).all(), "beyond the hole there is shadow alone"
    assert moved[worn.hole == 1].mean() > 3 * moved[worn.hole == 0].mean()


def test_faces_without_landmarks_and_profiles_are_reported():
    points = FACE.clone()
    points[1] = torch.nan
    points[2, 27:36, 0] += 0.4 * SIZE
    assert facemask.wear(SKIN, points, generator(0, "doubt")).doubts == ("", "no landmarks", "profile", "", "", "")
    assert set(facemask.wear(SKIN, None, generator(0, "doubt")).doubts) == {"no landmarks"}


def test_light_from_the_right_makes_the_right_side_brighter():
    ramp = torch.linspace(-0.8, 0.8, SIZE).expand(6, 3, SIZE, SIZE)
    mid = SIZE // 2
    for picture, sign in ((ramp, 1), (ramp.flip(-1), -1)):
        worn = facemask.wear(picture, FACE, generator(0, "light"), "cup")
        cheeks = [worn.image[:, :, int(0.7 * SIZE), x - 4 : x + 4].mean() for x in (mid - 18, mid + 18)]
        assert sign * (cheeks[1] - cheeks[0]) > 0


def test_grey_pictures_stay_grey():
    worn = facemask.wear(SKIN[:, :1], FACE, generator(0, "grey"))
    assert worn.image.shape == (6, 1, SIZE, SIZE)


@pytest.mark.parametrize("types", [("balaclava",), ()])
def test_unknown_types_are_refused(types):
    with pytest.raises(BadConfig, match="surgical"):
        facemask.wear(SKIN, FACE, generator(0, "x"), types)


def test_a_window_holds_the_whole_mask():
    """Masks are drawn in windows; drawn in the whole picture they look the same."""
    points = FACE * 0.6 + SIZE * torch.tensor([0.05, 0.3])
    for kind in facemask.TYPES:
        small = facemask.wear(SKIN, points, generator(0, kind), kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(facemask, "_windows", lambda params, size: (torch.zeros(6, 2, dtype=torch.long), size))
            whole = facemask.wear(SKIN, points, generator(0, kind), kind)
        torch.testing.assert_close(small.hole, whole.hole, rtol=0, atol=1e-3)
        assert (small.image - whole.image).abs().mean() < 1e-3
        assert (small.hole > 0.5).float().mean() < 0.25


def test_a_mask_looks_the_same_whoever_else_is_in_the_batch():
    """The largest face decides about all windows; a smaller one's mask must not change with it."""
    small = (FACE[:1] - SIZE / 2) * 0.5 + SIZE / 2
    params = facemask_kinds.sample(small.repeat(2, 1, 1), generator(0, "neighbour"), ("cloth", "cloth"))
    picture, points = torch.rand(1, 3, SIZE, SIZE, generator=generator(0, "skin")) - 0.5, [small, FACE[:1]]
    seen = []
    for neighbour in points:
        own = facemask_kinds.sample(torch.cat([small, neighbour]), generator(0, "neighbour"), ("cloth", "cloth"))
        own = {name: torch.cat([params[name][:1], value[1:]]) for name, value in own.items()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(facemask, "sample", lambda *_, own=own: own)
            worn = facemask.wear(picture.repeat(2, 1, 1, 1), torch.cat([small, neighbour]), generator(0, "x"), "cloth")
        seen.append(worn.image[0])
    assert (seen[0] - seen[1]).abs().max() < 0.02 and (seen[0] - seen[1]).abs().mean() < 1e-4


@pytest.mark.parametrize("size", [(96, 64), (50, 90)])
def test_faces_at_the_edge_and_pictures_that_are_not_square(size):
    picture, points = torch.zeros(2, 3, *size), CANONICAL[None].repeat(2, 1, 1) * torch.tensor([size[1], size[0]])
    points = points + torch.tensor([[[size[1] * 0.5, 0.0]], [[0.0, size[0] * 0.6]]])
    worn = facemask.wear(picture, points, generator(0, "edge"))
    assert (
        worn.image.shape == picture.shape and torch.isfinite(worn.image).all() and (worn.hole.amax((1, 2, 3)) > 0).all()
    )


def test_what_is_decided_is_seen():
    blue = facemask.wear(SKIN, FACE, generator(0, "c"), "cloth", Look(colour=(0.1, 0.2, 0.9), print="flat"))
    inside = blue.hole.expand_as(blue.image) > 0.9
    means = [blue.image[:, c][inside[:, c]].mean().item() for c in range(3)]
    assert means[2] > means[0] + 0.4 and means[2] > means[1] + 0.4
    plain = facemask.wear(SKIN, FACE, generator(0, "o"), "kn95")
    low = facemask.wear(SKIN, FACE, generator(0, "o"), "kn95", Look(offset=0.3))
    middle = lambda worn: (worn.hole[:, 0].sum(2) * torch.arange(SIZE)).sum() / worn.hole.sum()  # noqa: E731
    assert middle(low) > middle(plain) + 0.08 * SIZE
    tilted = facemask.wear(SKIN, FACE, generator(0, "o"), "kn95", Look(tilt=20))
    assert not torch.equal(tilted.hole, plain.hole)


def test_pose_decides_about_the_fit_and_upright_does_not():
    turned = FACE.clone()
    centre = torch.tensor([SIZE / 2, SIZE / 2])
    turned = (turned - centre) @ torch.tensor([[0.94, 0.34], [-0.34, 0.94]]) + centre  # a head held 20 degrees askew
    askew = {}
    for fit in ("pose", "upright"):
        hole = facemask.wear(SKIN, turned, generator(0, "f"), "surgical", Look(fit=fit)).hole[:, 0] > 0.5
        y, x = hole.nonzero().float()[:, 1:].T
        middle, wide = x.mean(), x.std()
        sides = [y[(x - middle - side * wide).abs() < 0.4 * wide].mean() for side in (-1, 1)]
        askew[fit] = float((sides[1] - sides[0]) / (2 * wide))  # slope of the mask's middle line
    assert abs(askew["pose"]) > 0.15 and abs(askew["upright"]) < 0.5 * abs(askew["pose"]), askew


@pytest.mark.parametrize(
    ("field", "value"),
    [("colour", (2, 0, 0)), ("colour", (0.1, 0.2)), ("print", "tartan"), ("fit", "loose"), ("offset", 2.0),
     ("tilt", 90.0), ("tilt", float("nan"))],
)  # fmt: skip
def test_impossible_looks_are_refused(field, value):
    with pytest.raises(BadConfig, match=field):
        Look(**{field: value})
