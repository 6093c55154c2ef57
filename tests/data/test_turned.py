"""Photographs whose heads were turned: itself first, then turned ones, angles known, people in their own split."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from facelab.data import cache, catalogue, splits
from facelab.data.dataset import FaceDataset
from facelab.data.turned import FRONTAL, VIEWS, TurnedFaces, turned
from facelab.errors import BadConfig, LayoutError
from facelab.faces.landmarks import yaw
from facelab.synth.photo import MOST

pytest.importorskip("dlib")
PEOPLE = ("s1", "s2", "s3", "s4", "s5", "s6")  # s3 and s6 are tested on, s5 is looked at


@pytest.fixture(scope="module")
def few():
    """Three photographs of each of six people of ORL."""
    orl = catalogue.open_dataset("orl")
    kept = [item for item in orl.items if item.identity in PEOPLE and item.file.stem in ("1", "2", "3")]
    return replace(orl, items=kept)


@pytest.fixture(scope="module")
def faces(few):
    return turned(few)


def test_the_photograph_comes_first_then_its_turned_ones(few, faces):
    assert len(faces) == (1 + VIEWS) * len(set(faces.sources)) and len(set(faces.sources)) >= 10
    for first in range(0, len(faces), 1 + VIEWS):
        source = faces.sources[first]
        assert faces.sources[first : first + 1 + VIEWS] == [source] * (1 + VIEWS)
        assert faces.items[first] == few.items[source] and faces.angles[first] == (0.0, 0.0)
        assert torch.equal(faces.at(first, 40, 1), few.at(source, 40, 1))
        assert all(angle != (0.0, 0.0) for angle in faces.angles[first + 1 : first + 1 + VIEWS])
    assert len({item.file for item in faces.items}) == len(faces), "every picture has a name of its own"


def test_pairs_lead_to_the_photograph(faces):
    assert len(faces.pairs) == VIEWS * len(set(faces.sources))
    for side, front in faces.pairs:
        assert faces.angles[front] == (0.0, 0.0) != faces.angles[side] and faces.sources[front] == faces.sources[side]


def test_only_frontal_photographs_are_taken(few, faces):
    marks, _ = cache.landmarks(few, cache.KNOWN)
    for source in range(len(few)):
        found = torch.isfinite(marks[source]).all() and abs(yaw(marks[source])) <= FRONTAL
        assert (source in faces.sources) == bool(found)
    assert len(set(faces.sources)) < len(few), "some are turned by themselves, or nobody is found in them"
    assert faces.notes[-1].startswith(f"from {len(set(faces.sources))} of {len(few)}")


def test_people_keep_the_split_of_their_photographs(few, faces):
    for name in splits.SPLITS:
        before = {few.items[k].identity for k in splits.split(few, name)}
        after = {faces.items[k].identity for k in splits.split(faces, name)}
        assert after == before & faces.identities != set()
    assert faces.name == "orl:turned"


def test_angles_are_spread_signed_and_the_same_again(few, faces):
    assert turned(few).angles == faces.angles
    for first in range(0, len(faces), 1 + VIEWS):
        mine = [angle for angle, _ in faces.angles[first + 1 : first + 1 + VIEWS]]
        assert sum(angle > 0 for angle in mine) == VIEWS // 2, "half to either side"
        strata = sorted(min(int((abs(angle) - 8) / (MOST - 8) * VIEWS), VIEWS - 1) for angle in mine)
        assert np.abs(np.array(strata) - np.arange(VIEWS)).max() <= 1 and len(set(map(abs, mine))) == VIEWS
    every = [angle for angle, _ in faces.angles if angle]
    assert 8 <= min(map(abs, every)) < 15 and 50 < max(map(abs, every)) <= MOST and len(set(every)) > 20
    assert [faces.known_yaw(k) for k in range(len(faces))] == [angle for angle, _ in faces.angles]


def nose(marks):
    """How far the tip of the nose lies to the right of the middle between the cheeks, in widths of the face."""
    width = marks[16, 0] - marks[0, 0]
    return float((marks[30, 0] - (marks[0, 0] + marks[16, 0]) / 2) / width)


def test_a_positive_angle_turns_the_nose_to_the_images_right(faces):
    for first in range(0, len(faces), 1 + VIEWS):
        front = nose(faces.known_landmarks(first, 64))
        for k in range(first + 1, first + 1 + VIEWS):
            if abs(faces.known_yaw(k)) > 20:
                moved = nose(faces.known_landmarks(k, 64)) - front
                assert math.copysign(1, moved) == math.copysign(1, faces.known_yaw(k)) and abs(moved) > 0.05


def test_the_picture_goes_where_the_landmarks_say(faces):
    """What was around a landmark is found around it in the turned picture, and less where it was before."""
    patch = lambda image, at: image[:, at[1] - 4 : at[1] + 5, at[0] - 4 : at[0] + 5]  # noqa: E731
    likeness = lambda a, b: torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()  # noqa: E731
    there, here = [], []
    for side, front in ((a, b) for a, b in faces.pairs if 15 < abs(faces.known_yaw(a)) < 35):
        photo, picture = faces.at(front, 64, 1), faces.at(side, 64, 1)
        assert photo.shape == picture.shape == (1, 64, 64) and picture.abs().max() <= 1
        for mark in (33, 39, 42, 51):
            before, after = (faces.known_landmarks(k, 64)[mark].round().int().tolist() for k in (front, side))
            there.append(likeness(patch(photo, before), patch(picture, after)))
            here.append(likeness(patch(photo, before), patch(picture, before)))
    assert np.mean(there) > 0.6 and np.mean(there) > np.mean(here) + 0.2, (np.mean(there), np.mean(here))


def test_a_set_without_a_frontal_face_is_refused(tmp_path, photo):
    photo(tmp_path / "f/a.png", (60, 60))
    with pytest.raises(LayoutError, match="from the front.* none among 1"):
        turned(catalogue.open_dataset(f"folder:{tmp_path / 'f'}"))


def test_a_changed_photograph_is_a_changed_set(few):
    other = turned(replace(few, items=few.items[:-1]))
    assert other.made != turned(few).made and turned(few).made == turned(few).made


@pytest.mark.parametrize(
    "name", ["orl:turned:turned", "synth:turned", "synth:60:turned", "irregular:turned", ":turned"]
)
def test_what_cannot_be_turned_is_refused(name):
    with pytest.raises(BadConfig, match="give"):
        catalogue.open_dataset(name)


def test_people_without_a_name_keep_the_split_of_their_file(few):
    nameless = FaceDataset("realmasks", few.root, [replace(item, identity=None) for item in few.items[:6]], 1)
    nameless.frame = few.frame
    made = turned(nameless)
    assert isinstance(made, TurnedFaces)
    for k, item in enumerate(made.items):
        assert splits.split_of("realmasks", item) == splits.split_of("realmasks", nameless.items[made.sources[k]])
