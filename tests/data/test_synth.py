"""The rendered set: always the same pictures, K-FACE's scheme, pairs, landmarks, and the signs of light and yaw."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from facelab import images
from facelab.data import catalogue, get, splits
from facelab.data.kface import CAMERAS, FRONTAL_CAMERA, LIGHTS, Shot, open_shots, shot_of
from facelab.data.synth import FIRST, lamp, number_of, open_synth, shots_of, view_of, write_synth
from facelab.errors import BadConfig
from facelab.synth.render import render
from facelab.synth.view import View

SIZE = 32


@pytest.fixture(scope="module")
def few():
    return open_synth(6)


def test_the_same_pictures_in_any_process(few):
    code = (
        "import sys; from facelab.data.synth import open_synth\n"
        "few = open_synth(6); sys.stdout.buffer.write(b''.join(few.at(k, 32, 3).numpy().tobytes() for k in (1, 20)))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert b"".join(few.at(k, SIZE, 3).numpy().tobytes() for k in (1, 20)) == other
    assert not torch.equal(few.at(1, SIZE, 3), few.at(20, SIZE, 3))


def test_the_first_people_of_a_larger_set_are_the_same(few):
    larger, fewer_views = open_synth(9), open_synth(6, views=4)
    assert larger.items[: len(few)] == few.items and larger.pairs[: len(few.pairs)] == few.pairs
    assert set(fewer_views.items) < set(few.items)
    assert torch.equal(larger.at(7, SIZE, 3), few.at(7, SIZE, 3))


def test_every_other_picture_leads_to_the_frontal_of_the_same_person_and_accessory(few):
    assert len(few.pairs) + sum(shot.is_target for shot in few.shots) == len(few)
    for side, front in few.pairs:
        one, target = few.shots[side], few.shots[front]
        assert target.is_target and (target.person, target.accessory) == (one.person, one.accessory)
        assert one.camera != FRONTAL_CAMERA and few.items[side].identity == one.person
    assert {few.shots[side].accessory for side, _ in few.pairs} > {1}, "somebody wears something"


def test_nobody_is_in_two_splits():
    everyone = open_synth(60)
    people = [{everyone.items[k].identity for k in splits.split(everyone, part)} for part in splits.SPLITS]
    assert all(people) and sum(map(len, people)) == 60 == len(set.union(*people))
    few_people = {everyone.items[k].identity for k in splits.split(open_synth(20), "test")}
    assert few_people <= people[2], "in a larger set everybody keeps the split"


def test_numbers_and_names(few):
    assert [number_of(shot) for shot in few.shots if shot.is_target and shot.accessory == 1] == list(range(6))
    assert few.shots[0].person == str(FIRST) and len(few.shots[0].person) == 8
    assert all(shot_of(item.file) == shot for item, shot in zip(few.items, few.shots, strict=True))
    for name, people in (("synth", 240), ("synth:7", 7), ("synth:7x3", 7), ("synth:240", 240)):
        found = catalogue.open_dataset(name)
        assert len(found.identities) == people
        assert found.name == ("synth" if people == 240 else name)
    assert max(sum(shot.person == str(FIRST + 2) and not shot.is_target for shot in open_synth(7, 3).shots), 0) == 3


@pytest.mark.parametrize(
    "name",
    ["synth:0", "synth:x", "synth:", "synth:9x", "synth:9x0", "synth:9x20", "synth:-3", "synth: 9", "synth:1e3",
     "synth:100001", "synth:٣", "synth:turned", "synth:60:turned", "synthetic"],
)  # fmt: skip
def test_impossible_names_are_refused(name):
    with pytest.raises(BadConfig, match="give"):
        catalogue.open_dataset(name)


def test_what_is_wrong_with_a_number_is_said():
    with pytest.raises(BadConfig, match="people = 0 .* from 1 to 100,000"):
        catalogue.open_dataset("synth:0")


def test_files_open_as_kface_with_the_same_pairs_and_pixels(tmp_path, few):
    assert write_synth(tmp_path, few, SIZE, lambda done, total: None) == len(few)
    found = open_shots(tmp_path, "kface")
    by_name = lambda data: {(data.relative(a), data.relative(b)) for a, b in data.pairs}  # noqa: E731
    cut = lambda name: name.removeprefix("Middle_Resolution/")  # noqa: E731
    assert {tuple(map(cut, pair)) for pair in by_name(found)} == {tuple(map(cut, pair)) for pair in by_name(few)}
    assert found.identities == few.identities
    places = {cut(few.relative(k)): k for k in range(len(few))}
    for k in range(0, len(found), 7):
        away = (found[k] - few.at(places[cut(found.relative(k))], SIZE, 3)).abs()
        assert away.mean() < 0.04 and away.max() < 0.4, "no more than JPEG takes"
    assert (found[0] - found[7]).abs().mean() > 0.1
    assert write_synth(tmp_path, few, SIZE, lambda done, total: None) == 0, "what is there is kept"


def test_targets_have_no_noise_and_others_have(few):
    targets = [shot for shot in few.shots if shot.is_target]
    assert all(view_of(shot) == View(accessory=view_of(shot).accessory) for shot in targets)
    views = [view_of(shot) for shot in few.shots if not shot.is_target]
    assert all(view.camera and view.backdrop and view.dress for view in views)
    assert len({(view.camera, view.backdrop, view.dress) for view in views}) == len(views)
    assert all(abs(view.yaw - CAMERAS[shot.camera].yaw) < 15 for view, shot in zip(
        views, (shot for shot in few.shots if not shot.is_target), strict=True))  # fmt: skip


def test_known_landmarks_are_those_of_the_render(few):
    for k in (0, 4, 9):
        shot = few.shots[k]
        seen = render(number_of(shot), view_of(shot), 48)
        torch.testing.assert_close(few.known_landmarks(k, 48), seen.landmarks)
        assert torch.equal(few.at(k, 48, 3), seen.image) and few.known_yaw(k) == view_of(shot).yaw
        assert torch.equal(few.at(k, 48, 1), images.to_channels(seen.image, 1))


def cheeks(image, marks):
    """Brightness of the cheek at the image's left, and of that at its right."""
    middle = {"left": (marks[2] + marks[31]) / 2, "right": (marks[14] + marks[35]) / 2}
    at = {side: point.round().int().tolist() for side, point in middle.items()}
    patch = {side: image[:, y - 2 : y + 3, x - 2 : x + 3].mean().item() for side, (x, y) in at.items()}
    return patch["left"], patch["right"]


@pytest.mark.parametrize("light", [n for n in LIGHTS if abs(LIGHTS[n].azimuth) >= 45 and LIGHTS[n].lux == 400])
def test_a_positive_azimuth_lights_the_cheek_at_the_images_left(light):
    """K-FACE's positive azimuth is the subject's own right, in a frontal picture the image's left."""
    seen = render(3, replace(View(), light=lamp(light)), 64)
    left, right = cheeks(seen.image, seen.landmarks)
    assert (left > right + 0.05) if LIGHTS[light].azimuth > 0 else (right > left + 0.05)


def test_light_from_all_round_has_no_side_and_more_of_it_is_brighter():
    bright, dark, one, other = (render(3, replace(View(), light=lamp(light)), 64) for light in (1, 6, 16, 28))
    left, right = cheeks(bright.image, bright.landmarks)
    sides = [np.subtract(*cheeks(seen.image, seen.landmarks)) for seen in (one, other)]
    assert abs(left - right) < 0.5 * min(map(abs, sides)) and bright.image.mean() > dark.image.mean() + 0.05


@pytest.mark.parametrize(("camera", "sign"), [(1, 1), (13, -1)])
def test_camera_1_shows_the_nose_pointing_to_the_images_right(camera, sign):
    shot = Shot(str(FIRST + 4), 1, 1, 1, camera)
    assert np.sign(CAMERAS[camera].yaw) == sign == np.sign(view_of(shot).yaw)
    seen = render(4, view_of(shot), 64)
    face, nose = seen.landmarks[:17, 0].mean(), seen.landmarks[30, 0]
    assert sign * (nose - face) > 8, "pixels of 64"
    assert (seen.labels[int(seen.landmarks[30, 1])] > 0).any()
    front = render(4, size=64).landmarks
    assert abs(front[30, 0] - front[:17, 0].mean()) < 2


def test_a_persons_shots_are_drawn_from_all_of_the_scheme():
    shots = [shot for number in range(60) for shot in shots_of(number)]
    for name, table in (("accessory", range(1, 7)), ("light", range(1, 31)), ("camera", range(1, 21))):
        assert {getattr(shot, name) for shot in shots} == set(table)
    assert {shot.expression for shot in shots} == {1, 2, 3}


def test_the_catalogue_has_it_and_checks_few_pictures():
    found = catalogue.check("synth:24", limit=500)
    assert found.ok and found.decoded == catalogue.COMPUTED < found.photos and found.people == 24
    assert any("computed, not read" in note for note in found.notes)
    assert catalogue.check("synth:1x2", limit=None).decoded == len(catalogue.open_dataset("synth:1x2"))
    (row,) = (row for row in catalogue.report() if row.name == "synth")
    assert row.here and row.people == 240


def test_the_script_writes_files(tmp_path, monkeypatch, capsys):
    words = ["synth.py", "--people", "1", "--size", "16", "--out", str(tmp_path / "k")]
    monkeypatch.setattr(sys, "argv", words)
    assert get.main("synth") == 0
    assert f"{len(open_synth(1))} pictures written, 0 were there" in capsys.readouterr().out
    assert len(open_shots(tmp_path / "k", "kface")) == len(open_synth(1))
    monkeypatch.setattr(sys, "argv", [word.replace("1", "0") for word in words[:3]] + words[3:])
    assert get.main("synth") == 1 and "people = 0" in capsys.readouterr().out


def test_there_is_nothing_to_get(tmp_path):
    lines = []
    assert get.get("synth", tmp_path, say=lines.append, limit=2).decoded == 2 and lines == []
    with pytest.raises(BadConfig, match="no archive"):
        get.get("synth", tmp_path, source="synth.zip")
