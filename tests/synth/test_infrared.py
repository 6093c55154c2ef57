"""The near-infrared camera: its own lamp, fall-off with distance, and a light of the room that does not count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from facelab.errors import BadConfig
from facelab.images import to_channels
from facelab.synth import LABELS, View, person
from facelab.synth.infrared import ABOVE, NEAR, infrared, lamp_at_camera
from facelab.synth.render import BEHIND, landmarks_of, render
from facelab.synth.shade import reach, shade
from facelab.synth.view import DISTANCE, Light, frame, pixels, project, roomier, rotation, towards

SIZE = 64
SIDE = View(yaw=24, pitch=6, roll=5, expression={"smile": 0.7}, dress=5, backdrop=6, camera=7)
BEFORE = (0.00581, -0.11001, 0.08248)
LIGHTS = [Light(azimuth, 8.0, 0.7, 0.2) for azimuth in (-90.0, 90.0)]


def labelled(view: View, who, name: str) -> torch.Tensor:
    return render(who, view, SIZE).labels == LABELS.index(name)


def level(picture: torch.Tensor, where: torch.Tensor) -> float:
    """Mean brightness of some pixels, 0..1."""
    return float((to_channels(picture, 1)[0][where].mean() + 1) / 2)


def test_light_falls_off_with_the_square_of_the_distance():
    lamp = Light(near=700.0)
    for away in (-100.0, 0.0, 350.0, 700.0):
        assert reach(lamp, DISTANCE + away) == pytest.approx((700 / (700 + away)) ** 2, rel=1e-12)
    assert reach(lamp, DISTANCE + 700) == pytest.approx(0.25) and reach(Light(), DISTANCE + 700) == 1.0
    depth = DISTANCE + np.array([0.0, 700.0])
    flat = np.tile([0.0, 0.0, 1.0], (2, 1)).astype(np.float32)
    one, none, ahead = np.ones(2), np.zeros(2), np.array([0.0, 0.0, 1.0])
    near, far = (Light(0.0, 0.0, 0.5, 0.0, near=mm) for mm in (700.0, 0.0))
    grey = np.full((2, 4), 0.5)
    lit = [shade(grey, flat, none, one, none, ahead, light, reach(light, depth)) for light in (near, far)]
    np.testing.assert_allclose(lit[0][1], lit[0][0] / 4, rtol=1e-6)
    np.testing.assert_array_equal(lit[1][1], lit[1][0])


def test_the_backdrop_is_nearly_dark():
    picture, plain = infrared(3, View(), SIZE), render(3, View(), SIZE)
    behind = plain.labels == 0
    assert level(picture, behind) < 0.2 < 0.4 < level(plain.nir, behind)
    lightest = max(range(1, 12), key=lambda k: float(render(3, View(backdrop=k), 16).nir[0, 0, 0]))
    assert level(infrared(3, View(backdrop=lightest), SIZE), behind) < 0.35
    assert BEHIND > NEAR


def test_the_lamp_is_beside_the_lens_wherever_the_head_turns():
    for view in (View(), SIDE, View(yaw=-35, pitch=-8, roll=-10)):
        light = lamp_at_camera(view)
        ahead = rotation(view) @ towards(light)
        np.testing.assert_allclose(ahead, towards(Light(0.0, ABOVE)), atol=1e-12)
    assert (lamp_at_camera(View()).azimuth, round(lamp_at_camera(View()).elevation, 9)) == (0.0, ABOVE)


def test_the_light_of_the_room_does_not_count():
    one, other = (replace(SIDE, light=light) for light in LIGHTS)
    assert torch.equal(infrared(4, one, SIZE), infrared(4, other, SIZE))
    visible = [render(4, view, SIZE).image for view in (one, other)]
    assert (visible[0] - visible[1]).abs().mean() > 0.2, "the control: to the other camera it does"


def test_no_shadow_lies_at_a_side(even):
    picture = infrared(even, View(), SIZE)[0]
    assert (picture - picture.flip(1)).abs()[labelled(View(), even, "skin")].mean() < 0.04
    lit = render(even, View(light=LIGHTS[0]), SIZE).image[0]
    assert (lit - lit.flip(1)).abs()[labelled(View(), even, "skin")].mean() > 0.3, "the control"


def test_skin_of_any_colour_is_about_as_bright(even):
    pale, dark = (replace(even, melanin=melanin) for melanin in (0.0, 0.9))
    skin = labelled(View(), even, "skin")
    visible = [level(render(who, None, SIZE).image, skin) for who in (pale, dark)]
    near = [level(infrared(who, View(), SIZE), skin) for who in (pale, dark)]
    assert visible[0] - visible[1] > 0.35 and 0 < near[0] - near[1] < 0.3 * (visible[0] - visible[1])
    for number in range(12):
        view = replace(SIDE, camera=number + 1, yaw=3.0 * number - 18)
        assert 0.42 < level(infrared(number, view, SIZE), labelled(view, number, "skin")) < 0.68, number


def test_lips_fade_and_dark_eyes_are_grey_with_a_dark_pupil():
    who, big = replace(person(3), beard="none"), 192
    seen, near = render(who, None, big), infrared(who, View(), big)
    lips, skin = (seen.labels == LABELS.index(name) for name in ("lips", "skin"))
    ratio = lambda picture: level(picture, lips) / level(picture, skin)  # noqa: E731
    assert ratio(seen.image[1:2]) < ratio(near) - 0.05, "in green light lips are darker"
    dark = infrared(replace(who, iris=person(3).iris * 0 + (0.03, 0.02, 0.01, 0.17)), View(), big)
    eye = seen.landmarks[36:42].mean(0).round().long()
    patch = ((dark[0, eye[1] - 8 : eye[1] + 9, eye[0] - 10 : eye[0] + 11]) + 1) / 2
    assert patch.min() < 0.25 < 0.3 < patch.median() < patch.max()


def test_one_sees_through_dark_lenses_and_clear_ones_stay():
    view = View(accessory="sunglasses")
    through = labelled(view, 8, "lenses")
    assert level(infrared(8, view, SIZE), through) > level(render(8, view, SIZE).image, through) + 0.15
    clear = View(accessory="glasses")
    frame_ = labelled(clear, 8, "glasses")
    bare = infrared(8, View(), SIZE)
    assert (infrared(8, clear, SIZE) - bare).abs()[0][frame_].mean() > 0.05


def test_every_pixel_shows_what_the_other_camera_shows():
    """The fault this catches: another head, expression or frame; or a picture the other way round."""
    seen = render(4, replace(SIDE, light=lamp_at_camera(SIDE), camera=0), 128)
    picture = infrared(4, replace(SIDE, camera=0), 128)
    assert torch.equal(picture, seen.nir)
    edges = lambda image: image.diff(dim=2).abs()[0, :-1] + image.diff(dim=1).abs()[0, :, :-1]  # noqa: E731
    likeness = lambda a, b: torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]  # noqa: E731
    visible = edges(to_channels(render(4, SIDE, 128).image, 1))
    assert likeness(edges(infrared(4, SIDE, 128)), visible) > 0.3
    assert likeness(edges(infrared(4, SIDE, 128).flip(2)), visible) < 0.15, "the control: mirrored"


def test_the_same_bits_again_and_noise_of_its_own():
    first = infrared(4, SIDE, SIZE)
    infrared(5, View(), 32)
    assert torch.equal(first, infrared(4, SIDE, SIZE)) and first.shape == (1, SIZE, SIZE)
    assert first.dtype == torch.float32 and first.min() >= -1 and first.max() <= 1
    assert not torch.equal(first, infrared(4, replace(SIDE, camera=8), SIZE))
    quiet = infrared(4, replace(SIDE, camera=0), SIZE)
    corner = lambda picture: picture[0, :6, :3].diff(dim=0)  # noqa: E731
    assert corner(first).std() > 2 * corner(quiet).std()


def test_far_lamps_give_the_pictures_they_gave():
    """Brightness of pictures made before lamps could be near. Bits would depend on the machine; a lost share would not
    hide within a thousandth."""
    for number, bright in enumerate(BEFORE):
        view = View(yaw=20.0 * number - 20, accessory=("plain", "sunglasses", "glasses")[number])
        assert float(render(number, view, 32).image.double().mean()) == pytest.approx(bright, abs=1e-4), number


def test_a_roomier_look_has_the_same_middle_and_the_same_scale():
    wide = landmarks_of(4, roomier(SIDE, 1.5), 96)
    torch.testing.assert_close(wide - 16, landmarks_of(4, SIDE, 64), atol=1.5, rtol=0)
    marks = np.random.default_rng(0).normal(0, 60, (68, 3))
    view = replace(SIDE, zoom=1.1, shift=(0.03, -0.04))
    plane = project(marks, view)[0]
    there, here = (pixels(plane, *frame(plane, v), n) for v, n in ((roomier(view, 1.5), 96), (view, 64)))
    np.testing.assert_allclose(there - 16, here, atol=1e-9)
    assert roomier(SIDE, 1.0) == SIDE


@pytest.mark.parametrize("near", [-1.0, 100.0, 2e4, float("nan")])
def test_impossible_lamps_are_refused(near):
    with pytest.raises(BadConfig, match="near = .*from 300 to 10000 mm"):
        Light(near=near)
    with pytest.raises(BadConfig, match="size"):
        infrared(0, View(), 8)
