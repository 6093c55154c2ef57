"""Single kinds: what their parameters do, and what a hole means."""

import pytest
import torch

from facelab.images import composite
from facelab.occlude import KINDS, TRAIN_KINDS, UNSEEN_KINDS
from facelab.occlude.catalogue import SHAPES
from facelab.occlude.face import CANONICAL, fill, measures
from facelab.occlude.surface import plain
from facelab.seeding import generator

ALL = TRAIN_KINDS + UNSEEN_KINDS
SIZE = 64


def drawn(kind, count=8, seed=0, **fixed):
    landmarks = fill(None, count, SIZE)
    params = KINDS[kind].sample(landmarks, generator(seed, kind), SIZE)
    return plain(params, **fixed)


def faces(seed, count=8):
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("kind", ALL)
def test_parameters_are_plain_fields(kind):
    params = drawn(kind)
    assert {"x", "y", "width", "height", "angle", "seed", "family", "palette", "softness"} <= set(params)
    assert all(len(value) == 8 for value in params.values())
    assert all(params[name].shape == (8,) for name in ("x", "y", "width", "height", "angle"))


@pytest.mark.parametrize("kind", ALL)
def test_without_a_shadow_the_visible_part_is_untouched(kind):
    images = faces(1)
    occluded, hole = KINDS[kind].draw(images, drawn(kind, shadow=0))
    seen = (hole == 0).expand_as(images)
    assert seen.any() and torch.equal(occluded[seen], images[seen])


@pytest.mark.parametrize("kind", ALL)
def test_under_a_full_hole_at_most_half_of_the_face_is_left(kind):
    params = drawn(kind, match=0)
    (one, hole), (other, _) = (KINDS[kind].draw(faces(seed), params) for seed in (1, 2))
    hidden = (hole == 1).expand_as(one)
    left = (one - other)[hidden].abs()
    assert hidden.any() and (left <= 0.5 * (faces(1) - faces(2))[hidden].abs() + 1e-5).all()
    assert (left == 0).any()
    visible = (hole == 0).expand_as(one)
    assert (one - other)[visible].abs().mean() > 0.3


def test_light_match_is_what_follows_the_face():
    params = drawn("patch", match=1)
    dark, hole = KINDS["patch"].draw(torch.full((8, 3, SIZE, SIZE), -0.9), params)
    light, _ = KINDS["patch"].draw(torch.full((8, 3, SIZE, SIZE), 0.9), params)
    hidden = (hole == 1).expand_as(dark)
    assert light[hidden].mean() > dark[hidden].mean() + 0.1


def test_the_shadow_darkens_and_stays_mild():
    images = torch.full((8, 3, SIZE, SIZE), 0.5)
    occluded, hole = KINDS["patch"].draw(images, drawn("patch", shadow=0.4))
    outside = (hole == 0).expand_as(images)
    change = (occluded - images)[outside]
    assert change.max() <= 0 and change.min() < -0.05 and change.min() >= -0.4 * 1.5


def test_black_squares_are_black_sharp_axis_aligned_and_of_the_published_sizes():
    params = drawn("squares", 200)
    assert set(params["angle"].tolist()) == {0.0}
    assert params["width"].min() >= 10 * SIZE / 128 and params["width"].max() <= 20 * SIZE / 64
    ratio = params["width"] / params["height"]
    assert ((ratio - 1).abs().lt(0.01) | (ratio - 1.5).abs().lt(0.25)).all() and (ratio > 1.2).any()
    occluded, hole = KINDS["squares"].draw(faces(1, 200), params)
    assert set(hole.unique().tolist()) == {0.0, 1.0}
    assert (occluded[(hole == 1).expand_as(occluded)] == -1).all()


def test_lenses_of_spectacles_show_the_eye_and_those_of_sunglasses_hide_it():
    landmarks = fill(None, 40, 128)
    eyes = measures(landmarks)["eyes"][0]

    def at_the_lens(kind, **fixed):
        params = plain(KINDS[kind].sample(landmarks, generator(0, kind), 128), angle=0, blur=0, thick=2.0, **fixed)
        params["x"], params["y"] = eyes[0].expand(40), eyes[1].expand(40)
        hole = SHAPES[kind][1](params, (128, 128)).alpha
        return hole[:, round(float(eyes[1])), round(float(eyes[0]) - 0.25 * float(params["width"].mean()))]

    assert at_the_lens("glasses", tint=0, reflection=0).mean() < 0.05
    assert at_the_lens("sunglasses", fade=0).min() > 0.8
    partly = at_the_lens("glasses", tint=0.3, reflection=0)
    assert ((partly > 0.2) & (partly < 0.4)).float().mean() > 0.9


def test_glasses_hide_far_less_than_sunglasses():
    light, dark = (
        KINDS[k].draw(faces(1, 40), drawn(k, 40))[1].gt(0.5).float().mean() for k in ("glasses", "sunglasses")
    )
    assert light < 0.6 * dark


@pytest.mark.parametrize("kind", ["patch", "freeform", "phone", "thing", "cup", "photo_blob"])
def test_x_y_and_size_do_what_they_say(kind):
    params = drawn(kind, x=32.0, y=32.0, blur=0)
    if "offsets" in params and kind == "patch":
        params["offsets"][:, 1:] = 1e4
    params["width"], params["height"] = params["width"].clamp(max=20), params["height"].clamp(max=20)
    hole = SHAPES[kind][1](params, (SIZE, SIZE)).alpha
    right = SHAPES[kind][1](params | {"x": params["x"] + 6}, (SIZE, SIZE)).alpha
    if kind not in ("freeform",):  # one of its variants cuts itself out of noise that is fixed to the frame
        torch.testing.assert_close(right[:, :, 8:-4], hole[:, :, 2:-10], atol=0.1, rtol=0)
    larger = SHAPES[kind][1](params | {k: 1.5 * params[k] for k in ("width", "height")}, (SIZE, SIZE)).alpha
    assert (larger.mean((1, 2)) > 1.2 * hole.mean((1, 2))).all()


def test_no_training_kind_brings_a_photograph():
    for kind in ALL:
        shape = SHAPES[kind][1](drawn(kind), (SIZE, SIZE))
        assert (shape.picture is not None) == (kind in ("photo_blob", "photo_bar")), kind


def test_a_facemask_covers_the_mouth_and_leaves_the_eyes():
    params = drawn("facemask", 64, blur=0, angle=0)
    hole = SHAPES["facemask"][1](params, (SIZE, SIZE)).alpha
    at = (CANONICAL * SIZE).round().long()
    mouth, eyes = (hole[:, at[rows, 1], at[rows, 0]].mean() for rows in (slice(48, 60), slice(36, 48)))
    assert mouth > 0.97 and eyes < 0.05


def test_caps_sit_above_and_scarves_below():
    for kind, above in (("cap", True), ("scarf", False)):
        hole = KINDS[kind].draw(faces(1, 48), drawn(kind, 48))[1]
        top, bottom = hole[:, :, : SIZE // 4].mean(), hole[:, :, -SIZE // 4 :].mean()
        assert (top > bottom) == above


@pytest.mark.parametrize("kind", ALL)
def test_a_perfect_fill_leaves_no_outline(kind):
    """With the truth in the hole, what remains of the occluder is an eighth of its contrast or less, everywhere."""
    images = faces(1)
    occluded, hole = KINDS[kind].draw(images, drawn(kind, shadow=0))
    rest = (composite(occluded, images, hole) - images).abs()
    assert rest.max() <= 2 / 8 + 1e-5
