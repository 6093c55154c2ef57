"""Pairs of a visible and a near-infrared picture: who, when, in which split, and that both halves agree."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from facelab import images
from facelab.data import cache, catalogue, splits
from facelab.data.dataset import FaceDataset, Item
from facelab.data.infrared import SITTINGS, WORN, InfraredPhotographs, infrared_set, open_infrared, view_of
from facelab.data.joined import joined
from facelab.data.synth import open_synth, shots_of
from facelab.errors import BadConfig, LayoutError
from facelab.synth import infrared, infrared_photo
from facelab.synth.render import render
from facelab.synth.wear import ACCESSORIES

SIZE = 32


class Known(FaceDataset):
    """Rendered people as photographs of which the landmarks are known, all but those of the last."""

    def known_landmarks(self, index, size):
        if index == len(self) - 1:
            return torch.full((68, 2), torch.nan)
        return open_synth(len(self)).known_landmarks(10 * index, size)


@pytest.fixture(scope="module")
def few():
    return open_infrared(4)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Four files of three people, one of whom nobody names; no face is found in the last."""
    root, rendered = tmp_path_factory.mktemp("photographs"), open_synth(4)
    files = [root / "ada/1.png", root / "ada/2.png", root / "bob/1.png", root / "9.png"]
    for k, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        images.save_image(rendered.at(10 * k, 128, 3), file)
    return Known("lfw", root, [Item(file, None if file.parent == root else file.parent.name) for file in files])


def test_all_visible_then_all_infrared(few):
    half = 4 * SITTINGS
    assert len(few) == 2 * half and few.name == "synth:4:nir" and few.channels == 3
    assert few.groups == {"vis": list(range(half)), "nir": list(range(half, 2 * half))}
    assert few.pairs == [(k, half + k) for k in range(half)]
    assert (few.relative(0), few.relative(half + 9)) == ("VIS/19000000/1.png", "NIR/19000001/2.png")
    assert len({item.file for item in few.items}) == len(few) and len(few.identities) == 4
    for visible, near in few.pairs:
        assert few.items[visible].identity == few.items[near].identity
        assert few.relative(visible).removeprefix("VIS") == few.relative(near).removeprefix("NIR")


def test_pictures_are_those_of_the_two_cameras(few):
    for k in (1, 13):
        number, view = few.sitting(k)
        assert (number, view) == (k // SITTINGS, view_of(k // SITTINGS, k % SITTINGS)) == few.sitting(few.pairs[k][1])
        assert torch.equal(few.at(k, SIZE, 3), render(number, view, SIZE).image)
        near = few.at(few.pairs[k][1], SIZE, 3)
        assert torch.equal(images.to_channels(infrared.infrared(number, view, SIZE), 3), near)
        assert torch.equal(few.at(few.pairs[k][1], SIZE, 1), near[:1])
        assert torch.equal(few.around(k, SIZE, 3, 1.0), few.at(k, SIZE, 3))


def test_both_halves_of_a_pair_have_the_same_landmarks_and_yaw(few):
    for visible, near in few.pairs[::5]:
        assert torch.equal(few.known_landmarks(visible, SIZE), few.known_landmarks(near, SIZE))
        assert few.known_yaw(visible) == few.known_yaw(near)
    assert not torch.equal(few.known_landmarks(0, SIZE), few.known_landmarks(1, SIZE)), "the control"


def test_sittings_are_varied_and_always_the_same():
    views = [view_of(number, sitting) for number in range(60) for sitting in range(SITTINGS)]
    assert views[9] == view_of(1, 1) != view_of(1, 2) and views[9] != view_of(2, 1)
    yaw, pitch, roll = (np.array([getattr(view, name) for view in views]) for name in ("yaw", "pitch", "roll"))
    assert abs(yaw.mean()) < 2 and 10 < yaw.std() < 14 and abs(yaw).max() <= 35
    assert 4 < pitch.std() < 6 and 3 < roll.std() < 5
    assert len({view.light for view in views}) > 20 and len({view.camera for view in views}) == len(views)
    neutral = np.mean([not view.expression for view in views])
    assert 0.42 < neutral < 0.58 and all(0.9 <= view.zoom <= 1.1 and abs(view.shift[0]) <= 0.04 for view in views)


def test_people_wear_what_they_own_about_every_other_time():
    worn = {}
    for number in range(80):
        mine = {view_of(number, sitting).accessory for sitting in range(12)} - {"plain"}
        owned = {ACCESSORIES[shot.accessory - 1] for shot in shots_of(number)} - {"plain"}
        assert mine <= owned and len(owned) <= 1, number
        if owned:
            worn[number] = np.mean([view_of(number, sitting).accessory != "plain" for sitting in range(12)])
    assert 30 < len(worn) < 65 and abs(np.mean(list(worn.values())) - WORN) < 0.08


def test_the_first_of_a_larger_set_are_the_same_and_keep_their_split(few):
    larger, whole = open_infrared(6), open_synth(6)
    assert larger.sittings[: len(few.sittings)] == few.sittings
    assert torch.equal(larger.at(3, SIZE, 3), few.at(3, SIZE, 3))
    everyone = open_infrared(40)
    for name in splits.SPLITS:
        mine = {everyone.items[k].identity for k in splits.split(everyone, name)}
        assert mine == {item.identity for item in open_synth(40).items if splits.split_of("synth", item) == name}
        assert mine or name != "train"
    assert infrared_set(whole).items == larger.items


def test_names():
    assert catalogue.open_dataset("synth:nir").name == "synth:nir" == open_infrared().name
    assert len(catalogue.open_dataset("synth:7:nir").identities) == 7
    rendered, orl = open_infrared(2), catalogue.open_dataset("orl")
    both = joined([orl, rendered])
    assert both.pairs == [(len(orl) + a, len(orl) + b) for a, b in rendered.pairs]
    assert both.groups["nir"] == [len(orl) + k for k in rendered.groups["nir"]] and both.name == "orl+synth:2:nir"
    with pytest.raises(BadConfig, match="rendered people included"):
        joined([rendered, open_synth(2)])


@pytest.mark.parametrize(
    "name",
    ["lfw:turned:nir", "lfw:nir:turned", "lfw:nir:nir", "irregular:nir", "irregular:nir:turned", "orl:nir", ":nir",
     "synth:600x4:nir", "synth:nir:nir", "synth:0:nir", "synth:turned:nir", "synth:nir:turned", "other:nir"],
)  # fmt: skip
def test_what_has_no_infrared_partner_is_refused(name):
    with pytest.raises(BadConfig, match="give"):
        catalogue.open_dataset(name)


def test_photographs_get_a_computed_partner(photographs):
    made = infrared_set(photographs)
    assert isinstance(made, InfraredPhotographs) and made.name == "lfw:nir" and made.sources == [0, 1, 2]
    assert made.notes == ["from 3 of 4 photographs, those in which a face was found"]
    assert made.groups == {"vis": [0, 1, 2], "nir": [3, 4, 5]} and made.pairs == [(0, 3), (1, 4), (2, 5)]
    assert made.relative(4) == "ada/2@850nm.png" and len({item.file for item in made.items}) == 6
    for visible, near in made.pairs:
        marks = made.known_landmarks(near, 64)
        assert torch.equal(made.known_landmarks(visible, 64), marks)
        photo = photographs.at(visible, 64, 3)
        assert torch.equal(made.at(visible, 64, 3), photo)
        expected = infrared_photo.simulate_nir(photo, marks)
        assert torch.equal(made.at(near, 64, 1), expected) and made.at(near, 64, 3).shape == (3, 64, 64)
        assert (made.at(near, 64, 1) - images.to_channels(photo, 1)).abs().mean() > 0.02


def test_people_in_photographs_keep_their_split(photographs):
    nameless = Known("realmasks", photographs.root, [replace(item, identity=None) for item in photographs.items])
    for base in (photographs, nameless):
        made = infrared_set(base)
        for k, item in enumerate(made.items):
            assert splits.split_of(made.family(k), item) == splits.split_of(base.name, base.items[made.sources[k % 3]])


def test_a_changed_photograph_or_method_is_a_changed_set(photographs, monkeypatch):
    first = infrared_set(photographs).made
    assert first == infrared_set(photographs).made
    fewer = Known("lfw", photographs.root, photographs.items[1:])
    assert infrared_set(fewer).made != first
    monkeypatch.setattr(infrared_photo, "VERSION", -1)
    assert infrared_set(photographs).made != first
    assert open_infrared(2).made != "" and cache.fingerprint(open_infrared(2)) != cache.fingerprint(open_infrared(3))


def test_sets_without_a_face_or_with_infrared_pictures_are_refused(photographs):
    with pytest.raises(LayoutError, match="none among 1"):
        infrared_set(Known("lfw", photographs.root, photographs.items[:1]))
    for base in (open_infrared(1), replace(photographs, groups={"nir": [0]}), replace(photographs, channels=1)):
        with pytest.raises(BadConfig, match="colour photographs"):
            infrared_set(base)
    for people, sittings in ((0, 8), (2, 0), (2, 101)):
        with pytest.raises(BadConfig, match="from 1 to"):
            open_infrared(people, sittings)


def test_other_processes_can_draw_it(few, photographs):
    for data in (few, infrared_set(photographs)):
        there = pickle.loads(pickle.dumps(data))
        assert torch.equal(there.at(len(data) - 1, SIZE, 1), data.at(len(data) - 1, SIZE, 1))


def test_a_folder_has_a_short_place_whatever_is_made_of_it(photographs, tmp_path):
    names = ["folder:/a/b" + tail for tail in ("", ":nir", ":turned", ":nir:aligned", ":aligned")]
    places = [cache.place_of(replace(photographs, name=name), "64x3", "k" * 16, tmp_path).name for name in names]
    heads = [place.split("-")[0] for place in places]
    assert heads == ["folder", "folder_nir", "folder_turned", "folder_nir_aligned", "folder_aligned"]
