"""Canonical eyes: where they are, that both halves of a pair agree, and what becomes of pictures without a face."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import pytest
import torch
import torch.nn.functional as F

from facelab import images
from facelab.data import cache, splits
from facelab.data.aligned import aligned, finely_drawn
from facelab.data.catalogue import open_dataset
from facelab.data.dataset import FaceDataset, Item
from facelab.data.infrared import InfraredFaces, open_infrared
from facelab.data.joined import joined
from facelab.data.synth import open_synth
from facelab.errors import BadConfig, BadImage, LayoutError
from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_centres
from facelab.faces.align import align as cut
from facelab.synth.infrared import infrared
from facelab.synth.render import render
from facelab.synth.view import roomier

SIZE = 48


@pytest.fixture(scope="module")
def few():
    return open_infrared(3)


@pytest.fixture(scope="module")
def faces(few):
    return aligned(few)


class Still(InfraredFaces):
    """Before cameras that add nothing, as near and as high in the picture as heads come."""

    def sitting(self, index):
        number, view = super().sitting(index)
        return number, replace(view, camera=0, zoom=1.1, shift=(0.0, -0.04))


class Known(FaceDataset):
    """Crosses, and landmarks said to be around them: 7 pixels of 128 more to the right in every picture; a face is
    missing in the last."""

    def known_landmarks(self, index, size):
        points = torch.zeros(68, 2) + torch.tensor([64.0, 70.0])
        points[36:42] = torch.tensor([40.0 + 7 * index, 50.0])
        points[42:48] = torch.tensor([70.0 + 7 * index, 62.0])
        missing = index == len(self) - 1
        return torch.full((68, 2), torch.nan) if missing else (points + 0.5) * (size / 128) - 0.5


@pytest.fixture
def crosses(tmp_path):
    """Five pictures of 128 pixels, black but for a white spot at each eye."""
    for k in range(5):
        picture = torch.full((3, 128, 128), -1.0)
        for x, y in ((40 + 7 * k, 50), (70 + 7 * k, 62)):
            picture[:, y - 2 : y + 3, x - 2 : x + 3] = 1
        images.save_image(picture, tmp_path / "set" / f"{k}.png")
    return Known("known", tmp_path / "set", [Item(tmp_path / "set" / f"{k}.png", f"p{k}") for k in range(5)])


def eyes_wanted(size):
    x, y = 0.5 * size - 0.5, EYE_HEIGHT * size - 0.5
    return torch.tensor([[x - EYE_DISTANCE * size / 2, y], [x + EYE_DISTANCE * size / 2, y]])


def test_eyes_are_at_their_canonical_places(few, faces):
    assert len(faces) == len(few) and faces.items == few.items and faces.name == "synth:3:nir:aligned"
    assert faces.groups == few.groups and faces.pairs == few.pairs and faces.notes == few.notes
    for k in range(0, len(faces), 5):
        torch.testing.assert_close(eye_centres(faces.known_landmarks(k, 64)), eyes_wanted(64), atol=1e-3, rtol=0)
        assert (eye_centres(few.known_landmarks(k, 64)) - eyes_wanted(64)).abs().max() > 0.2, "the control"
        assert faces.known_yaw(k) == few.known_yaw(k)


def test_both_halves_of_a_pair_are_moved_alike(few, faces):
    for visible, near in few.pairs[::4]:
        assert faces.leads[visible] == faces.leads[near] == visible
        assert torch.equal(faces.known_landmarks(visible, SIZE), faces.known_landmarks(near, SIZE))
    wrong = aligned(few)
    wrong.marks = wrong.marks.clone()
    wrong.marks[few.groups["nir"]] += 9.0  # what dlib might find in the infrared picture: it does not decide
    assert torch.equal(wrong.at(few.pairs[1][1], SIZE, 1), faces.at(few.pairs[1][1], SIZE, 1))
    unpaired = aligned(replace(few, pairs=[]))
    assert unpaired.leads == list(range(len(few)))


def test_the_picture_goes_where_the_landmarks_go(crosses):
    made = aligned(crosses)
    for k in (0, 2):
        picture = images.to_unit(made.at(k, 64, 1))[0]
        for x, y in eyes_wanted(64):
            near = picture[int(y) - 4 : int(y) + 6, int(x) - 4 : int(x) + 6]
            rows, columns = torch.meshgrid(torch.arange(len(near)), torch.arange(near.shape[1]), indexing="ij")
            middle = [(near * at).sum() / near.sum() for at in (columns, rows)]
            assert abs(middle[0] + int(x) - 4 - x) < 0.3 and abs(middle[1] + int(y) - 4 - y) < 0.3
        spots = [picture[int(y) - 6 : int(y) + 8, int(x) - 6 : int(x) + 8].sum() for x, y in eyes_wanted(64)]
        assert float(picture.sum() / sum(spots)) == pytest.approx(1, abs=0.01), "and nothing else is there"
    assert (made.at(0, 64, 1) - made.at(2, 64, 1)).abs().max() < 0.35, "moved by 14 pixels, they come out alike"
    assert (crosses.at(0, 64, 1) - crosses.at(2, 64, 1)).abs().max() > 1.5, "the control"


def test_nothing_blurs_and_no_edge_is_repeated(few):
    """Against a picture four times as fine, cut out of a look with more around it."""
    still = aligned(Still(**{name.name: getattr(few, name.name) for name in fields(few)} | {"made": "/still"}))
    for k in (9, 33):
        number, view = still.base.sitting(k)
        room, wide = roomier(view, 1.5), 6 * SIZE
        large = render(number, room, wide).image[:1] if k < 24 else infrared(number, room, wide)
        truth = images.resize(cut(large, still.base.known_landmarks(k, 4 * SIZE) + SIZE, 4 * SIZE)[0], SIZE)
        mine = still.at(k, SIZE, 3)[:1]
        narrow = cut(still.base.at(k, SIZE, 3)[:1], still.base.known_landmarks(k, SIZE), SIZE)[0]
        detail = lambda p: (p - F.avg_pool2d(p, 3, 1, 1))[:, 5:-5, 5:-5].abs().mean()  # noqa: E731
        assert (mine - truth).abs().mean() < 0.02 and 0.8 < detail(mine) / detail(truth) < 1.05
        assert detail(narrow) < 0.8 * detail(truth), "the control: from a picture that is no finer"
        edge = lambda p: (p - truth)[:, :3].abs().mean()  # noqa: B023, E731
        assert edge(mine) < 0.4 * edge(narrow), "the edge of the narrow one is repeated"


class Drawn(Known):
    """White, with as much around it as anybody asks for; what is read instead is black."""

    def at(self, index, size, channels):
        return torch.full((channels, size, size), -1.0)

    def around(self, index, size, channels, times):
        self.asked = (size, times)
        return torch.full((channels, size, size), 1.0)


def test_room_is_left_at_every_size_that_can_be_drawn(crosses):
    drawn = Drawn("drawn", crosses.root, crosses.items)
    made = aligned(drawn)
    for size in (64, 450, 451, 512, 788):
        assert made.at(0, size, 1).min() > 0.999 and 16 <= drawn.asked[0] <= 1024
        assert 1.29 < drawn.asked[1] < 1.31 and drawn.asked[0] >= round(1.29 * size)
    assert made.at(0, 789, 1).max() < -0.999, "more than can be drawn: the picture itself, its edge repeated"
    assert made.at(0, 64, 1).shape == (1, 64, 64) and drawn.asked[0] == 146, "1.3 times 1.75 times 64"


def test_pictures_without_a_face_stay_in_the_list_and_nowhere_else(crosses, tmp_path):
    crosses.groups, crosses.pairs = {"vis": [0, 1, 4], "nir": [2, 3]}, [(0, 2), (4, 3), (1, 1)]
    made = aligned(crosses)
    assert len(made) == 5 and made.groups == {"vis": [0, 1], "nir": [2]} and made.pairs == [(0, 2), (1, 1)]
    assert made.notes == ["no face was found in 1 of 5 pictures; they are left out"]
    assert made.leads == [0, 1, 0, 4, 4]
    for index in (3, 4):  # the one whose leader has no face, too
        with pytest.raises(BadImage, match="no face was found"):
            made.at(index, SIZE, 3)
        assert made.known_landmarks(index, SIZE) is None
    found = cache.cached(made, 32, 1, tmp_path / "cache", lambda done, total: None)
    assert found.indices.tolist() == [0, 1, 2] and [file for file, _ in found.rejected] == ["3.png", "4.png"]


def test_splits_are_those_of_the_base(few, faces):
    both = joined([open_synth(2), open_dataset("orl")])
    many = replace(faces, base=both, items=both.items)
    for name in splits.SPLITS:
        assert splits.split(faces, name) == splits.split(few, name)
        assert splits.split(many, name) == splits.split(both, name)


def test_it_is_another_set_for_caches(few, faces, tmp_path):
    keys = {cache.fingerprint(data) for data in (few, faces, aligned(open_infrared(2)))}
    assert len(keys) == 3 and cache.fingerprint(aligned(few)) == cache.fingerprint(faces)
    places = {cache.place_of(data, "64x3", "k", tmp_path).name for data in (few, faces)}
    assert len(places) == 2, "a new cache of one deletes old ones of the same place"


def test_joined_sets_keep_their_leaders(few, faces, crosses):
    both = aligned(joined([crosses, few]))
    assert both.leads == list(range(5)) + [5 + k for k in faces.leads]
    assert torch.equal(both.at(5 + 30, SIZE, 1), faces.at(30, SIZE, 1))
    assert torch.equal(both.at(1, SIZE, 1), aligned(crosses).at(1, SIZE, 1))


def test_one_size_is_a_smaller_copy_of_another(faces):
    for k in (0, 30):
        large, small = faces.at(k, 96, 1), faces.at(k, 48, 1)
        assert (images.resize(large, 48) - small).abs().mean() < 0.08
        assert (images.resize(large, 48).flip(2) - small).abs().mean() > 0.15, "the control: mirrored"
        assert torch.equal(small, pickle.loads(pickle.dumps(faces)).at(k, 48, 1))


def test_what_cannot_be_aligned_is_refused(faces, crosses):
    with pytest.raises(BadConfig, match="not aligned yet"):
        aligned(faces)
    crosses.items = crosses.items[-1:]
    with pytest.raises(LayoutError, match="none among 1"):
        aligned(crosses)


def test_a_finely_drawn_set_has_the_grain_of_aligned_pictures_and_stays_where_it_is(few):
    fine, grain = finely_drawn(few), lambda p: (p[..., 1:] - p[..., :-1])[:, :6].abs().mean()  # of the backdrop
    smoother = []
    for k in (2, 26, 40):
        picture, plain = fine.at(k, SIZE, 1), few.at(k, SIZE, 1)
        assert torch.equal(picture, images.resize(few.at(k, round(1.75 * SIZE), 1), SIZE))
        assert (picture - plain).abs().mean() < 0.1 < (picture.flip(2) - plain).abs().mean(), "the control: mirrored"
        smoother.append(float(grain(picture) / grain(plain)))
    assert sum(smoother) / 3 < 0.9
    assert torch.equal(fine.known_landmarks(3, SIZE), few.known_landmarks(3, SIZE)) and fine.pairs == few.pairs
    assert fine.known_yaw(3) == few.known_yaw(3) and splits.split(fine, "test") == splits.split(few, "test")
    assert cache.fingerprint(fine) != cache.fingerprint(few) and fine.name != few.name


def test_only_what_is_computed_can_be_drawn_finer(crosses, few):
    assert finely_drawn(crosses) is crosses
    both = joined([crosses, few])
    assert finely_drawn(both) is both, "each part by itself, so that caches are shared"
