"""Signs: which way a head turns, nods and leans, and where light comes from; and views that are impossible."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from facelab.errors import BadConfig
from facelab.faces.landmarks import flip
from facelab.faces.landmarks import yaw as yaw_of
from facelab.synth import LABELS, Light, View, frontal, person
from facelab.synth.render import landmarks_of, render
from facelab.synth.view import DISTANCE, project, rotation, towards

SIZE = 64


def eyes(points):
    return (points[36:42].mean(0) + points[42:48].mean(0)) / 2


def test_rotations_are_rotations():
    for view in (View(yaw=33, pitch=-21, roll=12), View()):
        assert np.allclose(rotation(view) @ rotation(view).T, np.eye(3)) and np.linalg.det(rotation(view)) > 0
    assert np.allclose(rotation(View()), np.eye(3))


def test_a_positive_yaw_turns_the_nose_to_the_images_right(even):
    for yaw in (15.0, 40.0, 75.0):
        points = landmarks_of(even, View(yaw=yaw), SIZE)
        assert points[30, 0] > eyes(points)[0] + 1
        assert 0.8 * yaw < yaw_of(points) < 1.6 * yaw, "as facelab's own crude estimate has it"
    assert abs(yaw_of(landmarks_of(even, View(), SIZE))) < 0.1


def test_turned_the_other_way_is_the_mirror_image(even):
    for view in (View(yaw=35), View(yaw=60, pitch=12, expression={"smile": 0.8}), View(roll=15)):
        other = dataclasses.replace(view, yaw=-view.yaw, roll=-view.roll)
        apart = landmarks_of(even, view, SIZE) - flip(landmarks_of(even, other, SIZE), SIZE)
        assert apart.abs().max() < 0.01
    same = landmarks_of(even, View(yaw=35), SIZE) - landmarks_of(even, View(yaw=-35), SIZE)
    assert same.abs().max() > 2, "a sign that does nothing is seen"


def test_a_positive_pitch_looks_from_above(even):
    front, above, below = (landmarks_of(even, View(pitch=p), SIZE) for p in (0.0, 25.0, -25.0))
    drop = [float(points[30, 1] - eyes(points)[1]) for points in (below, front, above)]
    assert drop[0] < drop[1] - 1 < drop[2] - 2, "the tip of the nose sinks"
    hair = [
        (render(dataclasses.replace(even, style="tied"), View(pitch=p), SIZE).labels == LABELS.index("hair")).sum()
        for p in (-25.0, 25.0)
    ]
    assert hair[1] > 1.2 * hair[0], "and more of the hair is seen"


def test_a_positive_roll_leans_to_the_images_right(even):
    points = landmarks_of(even, View(roll=20), SIZE)
    assert eyes(points)[0] > points[8, 0] + 3


def cheeks(light):
    """Mean brightness of the skin at the image's left and right."""
    found = render(dataclasses.replace(person(0), freckles=0.0), View(light=light), SIZE)
    skin = found.labels == LABELS.index("skin")
    column = torch.arange(SIZE).expand(SIZE, SIZE)
    grey, middle = found.image.mean(0), float(found.landmarks[27, 0])
    return float(grey[skin & (column < middle - 4)].mean()), float(grey[skin & (column > middle + 4)].mean())


def test_a_positive_azimuth_lights_the_images_right():
    left, right = cheeks(Light(azimuth=60))
    assert right > left + 0.2
    left, right = cheeks(Light(azimuth=-60))
    assert left > right + 0.2
    left, right = cheeks(Light())
    assert abs(left - right) < 0.05
    assert np.allclose(towards(Light(90, 0)), (1, 0, 0)) and np.allclose(towards(Light(0, 90)), (0, 1, 0))


def test_light_stays_in_the_room_when_the_head_turns(even):
    """The lamp stands where the subject looks straight ahead from: turning aside turns the lit side away with it."""
    aside = Light(azimuth=80, elevation=0, ambient=0.2)
    skin = lambda view: render(even, view, SIZE).image[:, 24:44, 24:40].mean()  # noqa: E731
    assert skin(View(light=aside, yaw=-60)) > skin(View(light=aside, yaw=60)) + 0.2, "the camera sees the lit cheek"


def test_zoom_and_shift_move_the_frame(even):
    plain, near = (landmarks_of(even, View(zoom=z), SIZE) for z in (1.0, 1.25))
    assert torch.allclose(near.std(0), 1.25 * plain.std(0), rtol=1e-3)
    moved = landmarks_of(even, View(shift=(0.1, 0.05)), SIZE)
    assert torch.allclose(moved - plain, torch.tensor([6.4, 3.2]).expand(68, 2), atol=1e-3), "right and down"


def test_the_face_is_in_the_frame_whatever_the_view():
    for yaw in (-90.0, -40.0, 0.0, 65.0, 90.0):
        points = landmarks_of(5, View(yaw=yaw, pitch=20, roll=10), SIZE)
        assert points.min() > 3 and points.max() < SIZE - 4
        assert (points.amax(0) - points.amin(0)).max() == pytest.approx(SIZE / 1.56, rel=0.01)


def test_near_things_look_larger():
    plane, away = project(np.array([(50.0, -30.0, 100.0), (50.0, -30.0, -100.0)]), View())
    assert away.tolist() == [DISTANCE - 100, DISTANCE + 100]
    assert plane[:, 0].tolist() == pytest.approx([50 * 1300 / 1200, 50 * 1300 / 1400])


def test_the_canonical_counterpart_keeps_the_accessory_alone():
    view = View(yaw=30, pitch=5, light=Light(40), expression={"smile": 0.5}, accessory="cap", dress=3, camera=4)
    assert frontal(view) == View(accessory="cap") and frontal(View()) == View()


NAN = float("nan")
IMPOSSIBLE = [
    ("yaw", NAN), ("yaw", 91.0), ("pitch", -61.0), ("roll", NAN), ("zoom", 0.0), ("zoom", NAN), ("accessory", "hat"),
    ("shift", (NAN, 0.0)), ("gaze", (0.0, 90.0)), ("dress", -1), ("backdrop", 0.5), ("camera", -3),
    ("expression", {"grin": 1.0}), ("expression", {"smile": NAN}), ("expression", {"jaw": -0.2}),
]  # fmt: skip


@pytest.mark.parametrize("field, value", IMPOSSIBLE)
def test_impossible_views_are_refused_by_name_and_value(field, value):
    with pytest.raises(BadConfig) as caught:
        View(**{field: value})
    assert caught.value.field.startswith(field) and repr(caught.value.value) in repr(value)


@pytest.mark.parametrize("field, value", [("azimuth", NAN), ("elevation", 91.0), ("strength", -0.1), ("ambient", 2.0),
                                          ("warmth", NAN)])  # fmt: skip
def test_impossible_lights_are_refused_by_name_and_value(field, value):
    with pytest.raises(BadConfig, match=f"{field} = "):
        Light(**{field: value})


def test_the_limits_themselves_are_possible():
    View(yaw=-90, pitch=60, roll=180, zoom=10, shift=(1, -1), gaze=(60, -60), expression={"smile": 1.0, "open": 0})
    Light(180, -90, 1, 0, -1)
