"""Several sets as one: pictures, pairs, groups, landmarks and splits are those of the parts."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from facelab.data import cache, catalogue, splits
from facelab.data.joined import joined
from facelab.data.stacked import Stacked
from facelab.data.synth import open_synth
from facelab.errors import BadConfig

NAME = "synth:3+orl"


@pytest.fixture(scope="module")
def both():
    return catalogue.open_dataset(NAME)


def test_one_after_the_other(both):
    rendered, orl = open_synth(3), catalogue.open_dataset("orl")
    assert both.name == NAME and len(both) == len(rendered) + len(orl) and both.channels == 3
    assert torch.equal(both.at(2, 32, 3), rendered.at(2, 32, 3))
    assert torch.equal(both.at(len(rendered) + 7, 32, 1), orl.at(7, 32, 1))
    assert both[len(rendered)].shape[0] == 3, "grey pictures in as many channels as the others have"
    assert [both.items[k].identity for k in (0, len(both) - 1)] == [rendered.items[0].identity, orl.items[-1].identity]
    with pytest.raises(IndexError):
        both.part(len(both))


def test_pairs_and_groups_are_shifted(tmp_path, photo):
    photo(tmp_path / "realmasks/with_mask/a.png"), photo(tmp_path / "realmasks/without_mask/b.png")
    masks, rendered = catalogue.open_dataset("realmasks", tmp_path), open_synth(2)
    one = joined([masks, rendered])
    assert one.groups == masks.groups
    assert one.pairs == [(len(masks) + a, len(masks) + b) for a, b in rendered.pairs]
    other = joined([rendered, masks])
    assert other.groups == {name: [len(rendered) + k for k in rows] for name, rows in masks.groups.items()}
    assert other.pairs == rendered.pairs and other.name == "synth:2+realmasks"


def test_what_parts_know_is_known(both):
    rendered = open_synth(3)
    assert torch.equal(both.known_landmarks(4, 64), rendered.known_landmarks(4, 64))
    assert both.known_yaw(4) == rendered.known_yaw(4)
    assert both.known_landmarks(len(rendered), 64) is None is both.known_yaw(len(rendered))


def test_everybody_keeps_the_split_of_the_own_set(both):
    parts = [open_synth(3), catalogue.open_dataset("orl")]
    for name in splits.SPLITS:
        alone = splits.split(parts[0], name) + [len(parts[0]) + k for k in splits.split(parts[1], name)]
        assert splits.split(both, name) == alone
    moved = [splits.bucket(NAME, item.identity) != splits.bucket("orl", item.identity) for item in parts[1].items]
    assert any(moved), "the control: under the joined name people would change sides"


@pytest.mark.parametrize(
    ("name", "says"),
    [("orl+orl", "each set once"), ("synth:3+synth:4", "each set once"), ("synth+synth:4", "each set once"),
     ("a+a", "one of orl"), ("orl+", "one of orl"), ("+", "one of orl"), ("orl+synth:x", "synth:PEOPLE")],
)  # fmt: skip
def test_impossible_names_are_refused(name, says):
    with pytest.raises(BadConfig, match=says):
        catalogue.open_dataset(name)


def test_a_folder_may_be_the_last(tmp_path, photo):
    photo(tmp_path / "f/1.png")
    both = catalogue.open_dataset(f"synth:1x1+folder:{tmp_path / 'f'}")
    assert len(both) == len(open_synth(1, 1)) + 1
    assert cache.cached(both, 16, root=tmp_path / "c").batch([len(both) - 1]).shape == (1, 3, 16, 16)


def test_the_cache_notices_a_changed_file(tmp_path, photo):
    photo(tmp_path / "f/1.png", seed=1)
    name = f"synth:1x1+folder:{tmp_path / 'f'}"
    before = cache.cached(catalogue.open_dataset(name), 16, root=tmp_path / "c").batch([-1]).clone()
    photo(tmp_path / "f/1.png", seed=2)
    os.utime(tmp_path / "f/1.png", (1, 1))
    assert not torch.equal(cache.cached(catalogue.open_dataset(name), 16, root=tmp_path / "c").batch([-1]), before)


def test_no_set_takes_anothers_place_in_the_cache(tmp_path, photo):
    for letter in "ab":
        photo(tmp_path / f"{letter}/1.png")
    folders = [f"folder:{tmp_path / letter}" for letter in "ab"]
    names = ["synth:1x1", "synth:2x1", "orl", *folders, "synth:1x1+orl", "synth:2x1+orl"]
    names += [f"synth:1x1+{folder}" for folder in folders]
    sets = [catalogue.open_dataset(name) for name in names]
    places = [cache.place_of(one, "16x1", cache.fingerprint(one), tmp_path) for one in sets]
    assert len({place.name.rsplit("-", 1)[0] for place in places}) == len(names), "older caches go by these stems"
    few = [one for one in sets if "orl" not in one.name]  # its 400 photographs would take seconds
    for one in few:
        cache.cached(one, 16, 1, tmp_path / "c", lambda done, total: None)
    own = {place.name for one, place in zip(sets, places, strict=True) if one in few and not one.parts}
    assert own == {path.name for path in (tmp_path / "c").iterdir()}, "joined sets keep nothing of their own"


def test_the_cache_of_a_joined_set_is_those_of_its_parts(tmp_path, photo):
    photo(tmp_path / "f/1.png"), photo(tmp_path / "f/2.png", seed=2), photo(tmp_path / "f/3.png", seed=3)
    (tmp_path / "f/2.png").write_bytes(b"")
    both = catalogue.open_dataset(f"synth:1x2+folder:{tmp_path / 'f'}")
    rows = cache.cached(both, 16, root=tmp_path / "c", progress=lambda done, total: None)
    first = len(both.parts[0])
    assert rows.indices.tolist() == [*range(first), first, first + 2] and len(rows) == first + 2
    assert [reason for _, reason in rows.rejected] == ["the file is empty"]
    for row in (first + 1, 0, first, first - 1):
        truth = both.at(int(rows.indices[row]), 16, 3)
        assert (rows.batch([row])[0] - truth).abs().max() <= 1 / 255 + 1e-6
    mixed = rows.batch([first + 1, 0, first + 1, 1])
    assert torch.equal(mixed[0], mixed[2]) and torch.equal(mixed[1], rows.batch([0])[0])


def test_stacked_arrays_are_read_like_one():
    parts = [np.arange(6).reshape(3, 2), np.zeros((0, 2), int), 10 + np.arange(4).reshape(2, 2)]
    stacked, whole = Stacked(parts), np.concatenate(parts)
    assert len(stacked) == 5 and stacked.shape == (5, 2) and stacked.dtype == whole.dtype
    for rows in ([0], [4, 0, 2, 3, 3], [], [-1, -5], np.array([1, 3])):
        assert np.array_equal(stacked[rows], whole[np.asarray(rows, int)])
    for rows in ([5], [-6]):
        with pytest.raises(IndexError):
            stacked[rows]


def test_arrays_one_after_the_other_are_read_as_one():
    first, second = np.arange(6).reshape(3, 2), np.arange(10, 18).reshape(4, 2)
    both, whole = Stacked([first, second]), np.concatenate([first, second])
    assert (len(both), both.shape, both.dtype) == (7, (7, 2), first.dtype)
    for rows in ([0], [3, 2, 6, 0, 3], [-1, 0], []):
        np.testing.assert_array_equal(both[rows], whole[rows])
    with pytest.raises(IndexError):
        both[[7]]
