"""The cache equals the files, notices every change, and survives bad pictures and damage."""

from __future__ import annotations

import itertools
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from facelab import images
from facelab.data import cache, catalogue, splits, waiting
from facelab.errors import BadConfig, LayoutError


@pytest.fixture
def folder(tmp_path, photo):
    for n in range(12):
        photo(tmp_path / f"f/p{n}/1.png", (30, 26), seed=n)
    return tmp_path / "f"


def opened(folder):
    return catalogue.open_dataset(f"folder:{folder}")


def test_rows_equal_the_decoded_files(folder, tmp_path):
    dataset = opened(folder)
    rows = cache.cached(dataset, 16, root=tmp_path / "c")
    batch = rows.batch([3, 0, 3])
    assert batch.shape == (3, 3, 16, 16) and batch.dtype == torch.float32 and len(rows) == 12
    truth = images.resize(dataset[3], 16)
    assert (batch[0] - truth).abs().max() <= 1 / 255 + 1e-6 and batch[0].equal(batch[2])
    assert not batch[0].equal(batch[1])


def test_channels_on_demand(folder, tmp_path):
    grey = cache.cached(opened(folder), 16, channels=1, root=tmp_path / "c")
    assert grey.batch([0]).shape == (1, 1, 16, 16)
    assert cache.cached(opened(folder), 16, root=tmp_path / "c").channels == 3


def test_second_call_decodes_nothing(folder, tmp_path, monkeypatch):
    first = cache.cached(opened(folder), 16, root=tmp_path / "c")
    monkeypatch.setattr(images, "open_picture", lambda *_: pytest.fail("decoded again"))
    again = cache.cached(opened(folder), 16, root=tmp_path / "c")
    assert np.array_equal(first.pixels, again.pixels)


def test_changed_added_and_removed_files_are_noticed(folder, tmp_path, photo):
    before = cache.cached(opened(folder), 16, root=tmp_path / "c").batch([0])
    photo(folder / "p0/1.png", (30, 26), seed=99)
    os.utime(folder / "p0/1.png", (1, 1))
    assert not cache.cached(opened(folder), 16, root=tmp_path / "c").batch([0]).equal(before)
    photo(folder / "new.png")
    assert len(cache.cached(opened(folder), 16, root=tmp_path / "c")) == 13
    (folder / "new.png").unlink()
    assert len(cache.cached(opened(folder), 16, root=tmp_path / "c")) == 12
    assert len(list((tmp_path / "c").iterdir())) == 1  # stale caches are cleared away


def test_sizes_live_side_by_side(folder, tmp_path):
    cache.cached(opened(folder), 16, root=tmp_path / "c"), cache.cached(opened(folder), 8, root=tmp_path / "c")
    assert len(list((tmp_path / "c").iterdir())) == 2


def test_bad_pictures_are_counted_listed_and_skipped(folder, tmp_path):
    (folder / "p1/1.png").write_bytes(b"")
    (folder / "p4/1.png").write_bytes((folder / "p5/1.png").read_bytes()[:-30])
    rows = cache.cached(opened(folder), 16, root=tmp_path / "c")
    files = [name for name, _ in rows.rejected]
    assert len(rows) == 10 and len(rows.rejected) == 2 and all(reason for _, reason in rows.rejected)
    dataset = opened(folder)
    assert files == [dataset.relative(i) for i in range(12) if i not in rows.indices]
    for row, index in enumerate(rows.indices):
        assert (rows.batch([row])[0] - images.resize(dataset[int(index)], 16)).abs().max() <= 1 / 255 + 1e-6


def test_rows_of_a_split_are_its_people(folder, tmp_path):
    (folder / "p1/1.png").write_bytes(b"")
    dataset = opened(folder)
    rows = cache.cached(dataset, 16, root=tmp_path / "c")
    parts = {part: rows.rows(part) for part in splits.SPLITS}
    assert sorted(sum(parts.values(), [])) == list(range(11))
    for part, found in parts.items():
        assert all(splits.split_of(dataset.name, dataset.items[rows.indices[row]]) == part for row in found)


@pytest.mark.parametrize("damage", ["cut", "meta", "gone", "swapped"])
def test_a_damaged_cache_is_built_again(folder, tmp_path, damage):
    truth = cache.cached(opened(folder), 16, root=tmp_path / "c").batch(range(12))
    place = next((tmp_path / "c").iterdir())
    pixels = place / "pixels.npy"
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-100])
    elif damage == "meta":
        (place / "meta.json").write_text('{"indices": ')
    elif damage == "gone":
        pixels.unlink()
    else:
        np.save(pixels, np.zeros((12, 3, 8, 8), np.uint8))
    assert cache.cached(opened(folder), 16, root=tmp_path / "c").batch(range(12)).equal(truth)


def test_an_interrupted_build_leaves_nothing_that_looks_whole(folder, tmp_path):
    def stop(done, _):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.cached(opened(folder), 16, root=tmp_path / "c", progress=stop)
    assert list((tmp_path / "c").iterdir()) == []
    assert len(cache.cached(opened(folder), 16, root=tmp_path / "c")) == 12


def test_two_processes_may_build_the_same_cache(folder, tmp_path, monkeypatch):
    """The one that ends second leaves the first one's copy alone: somebody may be reading it."""
    build, kept = cache._build, []

    def slow(dataset, temporary, expected, progress):
        monkeypatch.setattr(cache, "_build", build)
        kept.append(cache.cached(opened(folder), 16, root=tmp_path / "c"))  # the other process is done meanwhile
        build(dataset, temporary, expected, progress)

    monkeypatch.setattr(cache, "_build", slow)
    mine = cache.cached(opened(folder), 16, root=tmp_path / "c")
    (place,) = (tmp_path / "c").iterdir()
    assert os.stat(place / "pixels.npy").st_ino == os.stat(kept[0].pixels.filename).st_ino
    assert np.array_equal(mine.pixels, kept[0].pixels)


@pytest.fixture
def publish(folder, tmp_path):
    """What another process does: it builds the cache, or finds it; gives the file's number on the disk."""
    return lambda: os.stat(cache.cached(opened(folder), 16, root=tmp_path / "c").pixels.filename).st_ino


def test_what_is_finished_just_after_the_last_look_is_not_deleted(publish, monkeypatch):
    true, looks, kept = cache._open, [], []

    def late(*args):
        looks.append(true(*args))
        if len(looks) == 2 and looks[-1] is None:
            monkeypatch.setattr(cache, "_open", true)
            kept.append(publish())
        return looks[-1]

    monkeypatch.setattr(cache, "_open", late)
    publish()
    assert kept in ([], [publish()])


@pytest.mark.parametrize("damaged", [False, True])
def test_what_is_finished_just_before_the_rename_is_not_deleted(publish, tmp_path, monkeypatch, damaged):
    if damaged:
        publish()
        next((tmp_path / "c").glob("*/meta.json")).write_text("{")
    true, kept = os.rename, []

    def late(source, target):
        if Path(target).parent == tmp_path / "c":
            monkeypatch.setattr(os, "rename", true)
            kept.append(publish())
        true(source, target)

    monkeypatch.setattr(os, "rename", late)
    publish()
    assert kept == [publish()]


def test_long_work_says_so_and_short_work_does_not(folder, tmp_path, monkeypatch, capsys, pretended):
    def use(name):
        cache.cached(opened(folder), 16, root=tmp_path / name)
        cache.landmarks(opened(folder), 16, root=tmp_path / name)

    use("short")
    assert capsys.readouterr().err == ""
    clock = itertools.count(0, 2.5)  # seconds that pass from picture to picture
    monkeypatch.setattr(waiting.time, "monotonic", lambda: float(next(clock)))
    use("long")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" in ")[0].split(" folder")[0] for line in lines] == ["decoding"] * 4 + ["finding faces"] * 4
    assert [line.rpartition(": ")[2] for line in lines[:4]] == [
        "2 of 12 pictures", "6 of 12 pictures, 0.2 min left", "10 of 12 pictures, 0.1 min left", "done"
    ]  # fmt: skip
    use("long")
    assert capsys.readouterr().err == ""


def test_not_one_good_picture(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f/a.jpg").write_bytes(b"x")
    with pytest.raises(LayoutError, match="decode"):
        cache.cached(opened(tmp_path / "f"), 16, root=tmp_path / "c")


@pytest.mark.parametrize("size, channels", [(0, 3), (16, 2)])
def test_impossible_settings(folder, tmp_path, size, channels):
    with pytest.raises(BadConfig):
        cache.cached(opened(folder), size, channels, root=tmp_path / "c")


@pytest.fixture
def pretended(monkeypatch):
    """A finder in dlib's place: points at the centre of pixel (4, 2); no face in a picture whose corner is dark."""
    calls = []

    def find_landmarks(image):
        calls.append(image.shape)
        return None if image[0, 0, 0] < -0.2 else torch.tensor([4.0, 2.0]).expand(68, 2)

    module = types.ModuleType("facelab.faces.landmarks")
    module.find_landmarks = find_landmarks
    monkeypatch.setitem(sys.modules, "facelab.faces.landmarks", module)
    return calls


def test_landmarks_are_scaled_kept_and_honest(folder, tmp_path, pretended):
    (folder / "p1/1.png").write_bytes(b"")
    dataset = opened(folder)
    points, lost = cache.landmarks(dataset, 52, root=tmp_path / "c")
    dark = [i for i in range(12) if dataset.relative(i) == "p1/1.png" or dataset[i][0, 0, 0] < -0.2]
    assert points.shape == (12, 68, 2) and 1 < len(dark) < 12 and lost == [dataset.relative(i) for i in dark]
    assert torch.isnan(points[dark]).all()
    found = next(i for i in range(12) if i not in dark)  # 26 px pictures, twice as large: pixel centres double
    assert points[found, 0].tolist() == pytest.approx([8.5, 4.5])
    count = len(pretended)
    half, _ = cache.landmarks(dataset, 13, root=tmp_path / "c")
    assert len(pretended) == count and half[found, 0].tolist() == pytest.approx([1.75, 0.75])


def test_landmarks_notice_changes_and_damage(folder, tmp_path, pretended, photo):
    cache.landmarks(opened(folder), 26, root=tmp_path / "c")
    photo(folder / "p0/1.png", (40, 40), seed=5)
    cache.landmarks(opened(folder), 26, root=tmp_path / "c")
    assert len(pretended) == 24
    (file,) = (tmp_path / "c").iterdir()
    file.write_bytes(file.read_bytes()[:50])
    cache.landmarks(opened(folder), 26, root=tmp_path / "c")
    assert len(pretended) == 36


def test_landmarks_go_on_where_they_were_interrupted(tmp_path, pretended, photo):
    for n in range(260):
        photo(tmp_path / f"f/{n:03d}.png", (8, 8), seed=n)

    def stop(done, _):
        if done == 255:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.landmarks(opened(tmp_path / "f"), 8, root=tmp_path / "c", progress=stop)
    cache.landmarks(opened(tmp_path / "f"), 8, root=tmp_path / "c")
    assert len(pretended) == 255 + 10  # the 250 that were kept are not looked at again
