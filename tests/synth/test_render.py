"""Pictures and their exact truths agree: labels, distances, landmarks and what hides them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facelab.errors import BadConfig
from facelab.synth import ACCESSORIES, LABELS, STYLES, View, person, scene
from facelab.synth.modes import shapes
from facelab.synth.render import Rendered, _largest, landmarks_of, render

SIZE = 64
SIDE = View(yaw=40, pitch=8, roll=3, expression={"smile": 0.7}, accessory="glasses", dress=5, backdrop=6, camera=7)


def parts(found: Rendered) -> dict[str, int]:
    """Pixels of each label."""
    return {name: int((found.labels == number).sum()) for number, name in enumerate(LABELS)}


def test_the_same_bits_twice_even_after_other_people():
    before = render(11, SIDE, SIZE)
    for number in range(12):
        render(number, View(dress=number), 32)  # the caches are full of others now
    after = render(11, SIDE, SIZE)
    for field in dataclasses.fields(Rendered):
        assert torch.equal(getattr(before, field.name), getattr(after, field.name)), field.name


@pytest.mark.parametrize("number, accessory", [(3, "cap, horn-rimmed"), (9, "plain")])
def test_what_is_kept_of_a_scene_fits_every_dress_and_face(number, accessory):
    who, change = person(number), {"dress": 8, "expression": {"jaw": 0.6}, "gaze": (9, 2)}
    first = scene.scene_of(who, View(accessory=accessory), 1.6)
    for view in (View(accessory=accessory), View(accessory=accessory, **change)):
        kept = scene.scene_of(who, view, 1.6)
        scene._around.cache_clear()
        anew = scene.scene_of(who, view, 1.6)
        for name in ("points", "faces", "painted", "label", "cover", "two_sided", "marks"):
            assert np.array_equal(getattr(kept, name), getattr(anew, name)), name
        sizes = {len(values) for values in (kept.points, kept.painted, kept.label, kept.cover)}
        assert len(sizes) == 1 and kept.faces.max() < min(sizes) and len(kept.two_sided) == len(kept.faces)
        cloth = kept.label == LABELS.index("clothes")
        corners = cloth[kept.faces].sum(1)  # a triangle is of one part
        assert set(corners) == {0, 3} and cloth.sum() > 400
    assert not np.array_equal(first.painted, kept.painted) and np.array_equal(first.faces, kept.faces)


def test_the_corner_of_most_weight_is_the_first_of_the_largest():
    weights = np.random.default_rng(0).integers(0, 4, (500, 3)).astype(float)
    assert np.array_equal(_largest(*weights.T), weights.argmax(1))


def test_different_people_and_views_differ():
    pictures = torch.stack([render(k, None, SIZE).image for k in range(20, 26)])
    apart = torch.cdist(pictures.flatten(1), pictures.flatten(1), p=1) / pictures[0].numel()
    assert apart[~torch.eye(6, dtype=torch.bool)].min() > 0.04
    plain = View(zoom=0.8)
    for change in ({"dress": 1}, {"backdrop": 1}, {"camera": 1}, {"gaze": (15, 0)}, {"accessory": "glasses"}):
        other = render(20, dataclasses.replace(plain, **change), SIZE).image
        assert not torch.equal(other, render(20, plain, SIZE).image), change


def test_shapes_ranges_and_types():
    found = render(3, SIDE, SIZE)
    assert found.image.shape == (3, SIZE, SIZE) and found.nir.shape == (1, SIZE, SIZE)
    assert found.landmarks.shape == (68, 2) and found.visible.shape == (68,)
    assert found.labels.shape == found.depth.shape == (SIZE, SIZE)
    assert found.image.dtype == found.nir.dtype == found.landmarks.dtype == found.depth.dtype == torch.float32
    assert found.labels.dtype == torch.int64 and found.visible.dtype == torch.bool
    for picture in (found.image, found.nir):
        assert picture.is_contiguous() and picture.min() >= -1 and picture.max() <= 1 and picture.std() > 0.2
    assert 0 <= found.labels.min() and found.labels.max() < len(LABELS)


def test_the_canonical_picture_has_no_noise_and_a_photograph_has():
    corner = lambda view: render(3, view, SIZE).image[:, :8, :3]  # noqa: E731  behind the head
    assert np.ptp(corner(View()).numpy(), axis=(1, 2)).max() == 0
    assert corner(View(camera=5)).std((1, 2)).min() > 0.001


def test_labels_and_distances_tell_of_one_picture():
    found = render(3, SIDE, 128)
    behind, solid = found.labels == 0, (found.labels > 0) & (found.labels != LABELS.index("lenses"))
    assert (found.depth[behind].isinf()).float().mean() > 0.95, "edges apart: distances are the nearest sample's"
    assert found.depth[solid].isfinite().all() and 900 < found.depth.min() and found.depth[solid].max() < 1700
    front = render(3, None, 128)
    nose, ear = front.landmarks[30].round().long(), front.labels == LABELS.index("ears")
    assert front.depth[nose[1], nose[0]] < front.depth[ear].min() - 60, "mm: the tip of the nose is nearest"
    lips, eyes, skin, hair = (front.labels == LABELS.index(name) for name in ("lips", "eyes", "skin", "hair"))
    redness = front.image[0] - front.image[1]
    assert redness[lips].mean() > redness[skin].mean() > redness[eyes].mean() and eyes.sum() > 100
    assert (front.image[:, hair].mean() < front.image[:, skin].mean() - 0.2) and front.labels[0, 0] == 0


def test_landmarks_lie_where_the_labels_say(even):
    for size in (SIZE, 128):
        found = render(even, View(), size)
        at = lambda k: LABELS[found.labels[tuple(found.landmarks[k].round().long().flip(0))]]  # noqa: E731, B023
        for eye in (slice(36, 42), slice(42, 48)):
            middle = found.landmarks[eye].mean(0).round().long()
            assert found.labels[middle[1], middle[0]] == LABELS.index("eyes")
        assert at(30) == at(33) == "skin" and at(51) in ("lips", "skin") and at(57) in ("lips", "skin")
        lips = torch.nonzero(found.labels == LABELS.index("lips")).float().flip(1)
        box = found.landmarks[48:60]
        assert (lips.amin(0) - box.amin(0)).abs().max() < 0.045 * size > (lips.amax(0) - box.amax(0)).abs().max()
    assert torch.equal(landmarks_of(even, View(), size), found.landmarks)


def test_what_turns_away_is_not_visible(even):
    front, side = render(even, View(), SIZE).visible, render(even, View(yaw=80), SIZE).visible
    assert front[17:].all(), "from the front nothing of the face is hidden"
    assert not side[42:48].any() and side[36:39].all(), "turned to the right, the eye at the right is hidden"
    other = render(even, View(yaw=-80), SIZE).visible
    assert other[43:46].all() and not other[36:42].any()
    assert render(0, View(yaw=-80), SIZE).visible.sum() < 50


def test_landmarks_outside_the_picture_are_not_visible(even):
    found = render(even, View(shift=(0.5, 0)), SIZE)
    out = (found.landmarks[:, 0] > SIZE) & ~found.visible
    assert out.sum() > 10 and found.visible.sum() > 20


def test_what_is_worn_appears_in_the_labels():
    shown = {"glasses": {"glasses", "lenses"}, "horn-rimmed": {"glasses", "lenses"}, "cap": {"cap"},
             "sunglasses": {"glasses", "lenses"}, "cap, horn-rimmed": {"cap", "glasses", "lenses"},
             "plain": set()}  # fmt: skip
    assert tuple(sorted(shown)) == tuple(sorted(ACCESSORIES))
    for accessory, expected in shown.items():
        count = parts(render(8, View(accessory=accessory), SIZE))
        assert {name for name in ("glasses", "lenses", "cap") if count[name] > 10} == expected, accessory
    dark, clear = (render(8, View(accessory=a), SIZE) for a in ("sunglasses", "glasses"))
    through = dark.labels == LABELS.index("lenses")
    assert dark.image[:, through].mean() < clear.image[:, through].mean() - 0.3
    assert dark.nir[:, through].mean() > dark.image[:, through].mean() + 0.3, "at 850 nm one sees through"


def test_hair_is_where_the_style_has_it(even):
    count = {style: parts(render(dataclasses.replace(even, style=style, length=120.0), None, SIZE)) for style in STYLES}
    assert count["bald"]["hair"] == 0 and all(count[style]["hair"] > 30 for style in STYLES[1:])
    assert count["long"]["hair"] > 2 * count["tied"]["hair"] and count["fringe"]["hair"] > count["long"]["hair"]
    beard = parts(render(dataclasses.replace(even, beard="full"), None, SIZE))
    assert beard["hair"] > 100, "a beard counts as hair"


def test_an_open_mouth_is_seen(even):
    opened = {
        name: parts(render(even, View(expression={name: 1.0}), 128))["mouth"] for name in ("open", "jaw", "smile")
    }
    closed = parts(render(even, View(), 128))["mouth"]
    assert closed < 40 and opened["smile"] > 1.4 * closed + 10 and min(opened["open"], opened["jaw"]) > 60
    brows = parts(render(even, View(expression={"brows up": 1.0}), 128))["mouth"]
    assert brows < closed + 10, "other movements leave it closed"


def test_inner_lips_follow_their_own_lip(even):
    """The fault this catches: landmarks carried by points inside the mouth, halfway between the lips."""
    for expression in ("open", "jaw"):
        found = render(even, View(expression={expression: 1.0}), 256)
        mouth = torch.nonzero(found.labels == LABELS.index("mouth")).float()
        for x in (61, 62, 63):
            upper, lower = (found.landmarks[k, 1] for k in (x, {61: 67, 62: 66, 63: 65}[x]))
            column = mouth[(mouth[:, 1] - found.landmarks[x, 0]).abs() < 1, 0]
            assert abs(upper - column.min()) < 1.7 and abs(lower - column.max()) < 1.7, "pixels of 256"
            assert column.max() - column.min() > 5


def test_the_chin_is_closed_from_below(even):
    for expression in ({}, {"jaw": 1.0}):
        found = render(even, View(pitch=-30, expression=expression, zoom=0.8), 128)
        for mark in (6, 7, 8, 9, 10):
            x, y = found.landmarks[mark].round().long().tolist()
            below = [LABELS[k] for k in found.labels[y:, x].tolist()]
            assert "background" not in below[:10] and below[2] == "skin" and "neck" in below
    side = render(even, View(yaw=90), 128).labels
    jaw = [int(torch.nonzero(side[:, x] == LABELS.index("skin")).max()) for x in range(52, 68)]
    assert max(jaw) - min(jaw) < 14, "from the side the underside of the chin is no hook"


def test_hair_is_whole_from_below(even):
    """The fault this catches: hair seen from behind is left out, and the backdrop shows above the forehead."""
    for style in ("swept", "short", "fringe"):
        labels = render(dataclasses.replace(even, style=style, volume=15.0), View(pitch=-30), 128).labels
        rows = [LABELS[k] for k in labels[:, 64].tolist()]
        first = next(k for k, name in enumerate(rows) if name != "background")
        assert "background" not in rows[first:90], style


def test_ears_are_under_hair_that_hangs(even):
    for style in STYLES[1:]:
        ears = parts(render(dataclasses.replace(even, style=style), View(yaw=60), SIZE))["ears"]
        assert (ears == 0) == (style in ("bob", "long", "fringe")), style


def test_nothing_pokes_through_a_cap(even):
    for style in STYLES:
        who = dataclasses.replace(even, style=style, volume=15.0)
        for yaw in (0, 45, 90):
            labels = render(who, View(yaw=yaw, accessory="cap"), SIZE).labels
            top = torch.nonzero(labels == LABELS.index("cap"))[:, 0]
            high = top.min() + (top.max() - top.min()) // 3
            assert not (labels[:high] == LABELS.index("hair")).any(), (style, yaw)


def test_brows_stay_behind_lenses(even):
    ridge = shapes()[0].index("brow ridge")
    who = dataclasses.replace(even, shape=even.shape + 2.9 * np.eye(len(even.shape), dtype=np.float32)[ridge])
    for view in (View(accessory="sunglasses"), View(accessory="sunglasses", expression={"frown": 1.0})):
        found, bare = render(who, view, 128), render(who, dataclasses.replace(view, accessory="plain"), 128)
        eyes = (bare.landmarks[36:42].mean(0), bare.landmarks[42:48].mean(0))
        for x, y in ((int(e[0]), int(e[1])) for e in eyes):
            column = [LABELS[k] for k in found.labels[y - 16 : y + 1, x].tolist()]
            rim = max(k for k, name in enumerate(column) if name == "glasses")
            assert set(column[rim + 1 :]) == {"lenses"}, column


def test_large_and_small_pictures_agree():
    for view in (View(), SIDE):
        view = dataclasses.replace(view, camera=0)
        large, small = render(3, view, 128), render(3, view, 64)
        halved = F.avg_pool2d(large.image[None], 2)[0]
        apart, aside = ((halved.roll(by, 2) - small.image).abs().mean() for by in (0, 2))
        assert apart < 0.09 and apart < 0.7 * aside, "noise of the skin differs; two pixels aside would be seen"
        off = ((large.landmarks + 0.5) / 2 - 0.5 - small.landmarks).abs()
        assert off[17:].max() < 0.8 and off.max() < 1.8, "pixels; the outline depends on the grid"
        assert (large.labels[1::2, 1::2] == small.labels).float().mean() > 0.93


def test_more_samples_are_smoother():
    rough, fine = (render(3, View(), SIZE, smooth=s).image for s in (1, 3))
    assert rough.diff(dim=2).abs().mean() > fine.diff(dim=2).abs().mean()
    assert (rough - fine).abs().mean() < 0.05


def test_a_changed_person_looks_changed():
    who = person(3)
    wider = dataclasses.replace(who, shape=who.shape + 1.5)
    assert (render(wider, None, SIZE).image - render(who, None, SIZE).image).abs().mean() > 0.02
    assert torch.equal(render(who, None, SIZE).image, render(3, None, SIZE).image)


@pytest.mark.parametrize("size", [15, 1025, 64.0, float("nan")])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(BadConfig, match="size = .*from 16 to 1024"):
        render(0, None, size)


def test_impossible_samples_and_people_are_refused():
    for smooth, size in ((0, 64), (5, 64), (3, 1024)):
        with pytest.raises(BadConfig, match="smooth = "):
            render(0, None, size, smooth)
    with pytest.raises(BadConfig, match="person = -1"):
        render(-1, None, SIZE)


def test_the_package_is_light():
    code = "import facelab.synth, sys; print([m for m in ('torch', 'matplotlib', 'dlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
