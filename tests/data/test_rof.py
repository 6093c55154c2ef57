"""ROF's lists: evil pickles are refused, and a failed request never borrows another photograph."""

from __future__ import annotations

import collections
import csv
import os
import pickle
import shutil

import numpy as np
import pytest

from facelab import images
from facelab.data import rof
from facelab.data.layouts import open_rof
from facelab.data.safe_pickle import load_rof_list
from facelab.errors import BadArchive, DownloadFailed, LayoutError


class Evil:
    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


def entry(url, *boxes):
    return {"url": url, "faces": [{"box": box, "confidence": np.float64(0.9), "nose": np.zeros(2)} for box in boxes]}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_plain_and_numpy_boxes(tmp_path, protocol):
    boxes = [1, 2, 30, 40], np.array([1.5, 2, 30, 40]), np.array([1, 2, 30, 40], ">i4"), [np.int64(1), 2, 30, 40]
    content = {7: entry("http://x/a.jpg", *boxes), "b": entry("http://x/b.jpg"), "c": {"url": 3}, "d": None}
    (tmp_path / "n.pkl").write_bytes(pickle.dumps(content, protocol))
    photos = load_rof_list(tmp_path / "n.pkl")
    assert [p.key for p in photos] == ["7", "b"]
    assert photos[0].boxes == ((1, 2, 30, 40), (1.5, 2, 30, 40), (1, 2, 30, 40), (1, 2, 30, 40))


def evil_payloads():
    yield "system", Evil(os.system, "touch {out}")
    yield "eval", Evil(eval, "open('{out}', 'w')")
    yield "ordered", collections.OrderedDict(a=1)
    yield "getattr", Evil(getattr, "x", "upper")
    yield "np_load", Evil(np.load, "{out}")
    yield "fromfile", Evil(np.fromfile, "{out}")
    yield "object_array", np.array([Evil(os.system, "touch {out}")], dtype=object)


@pytest.mark.parametrize("name, payload", evil_payloads(), ids=lambda v: v if isinstance(v, str) else "")
def test_evil_pickles_do_nothing(tmp_path, name, payload):
    out = str(tmp_path / "evil")
    raw = pickle.dumps({1: {"url": payload, "faces": []}}, protocol=0)
    (tmp_path / "n.pkl").write_bytes(raw.replace(b"{out}", out.encode()))
    with pytest.raises(BadArchive):
        load_rof_list(tmp_path / "n.pkl")
    assert not os.path.exists(out)


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x80\x04", b"<html>", pickle.dumps([1, 2]), pickle.dumps({1: entry("u", [1, 2, 3, 4])})[:-9]],
)
def test_damaged_lists(tmp_path, raw):
    (tmp_path / "n.pkl").write_bytes(raw)
    with pytest.raises(BadArchive):
        load_rof_list(tmp_path / "n.pkl")


@pytest.mark.parametrize("box", [[1, 2, 3], [1, 2, 0, 4], [1, 2, float("nan"), 4], "1234", None, [1, 2, "3", 4]])
def test_impossible_boxes_are_left_out(tmp_path, box):
    (tmp_path / "n.pkl").write_bytes(pickle.dumps({1: entry("http://x/a.jpg", box)}))
    assert load_rof_list(tmp_path / "n.pkl")[0].boxes == ()


@pytest.fixture
def lists(tmp_path, photo):
    """Three photographs on a pretended net: red-ish 1, gone 2, other 3; and a group photograph 4."""
    photos = {f"http://x/{n}.png": photo(tmp_path / f"net/{n}.png", (60, 60), seed=n) for n in (1, 3, 4)}
    box = [5, 5, 40, 40]
    content = {
        n: entry(f"http://x/{n}.png", *([box] if n < 4 else [box, [20, 20, 60, 60], [90, 90, 30, 30]]))
        for n in (1, 2, 3)
    }
    (tmp_path / "lists/ROF/masked").mkdir(parents=True)
    (tmp_path / "lists/ROF/neutral").mkdir()
    (tmp_path / "lists/ROF/masked/ann_wearing_mask.pkl").write_bytes(pickle.dumps(content))
    group = {1: entry("http://x/4.png", box, [20, 20, 60, 60])}
    (tmp_path / "lists/ROF/neutral/ann.pkl").write_bytes(pickle.dumps(group | {2: entry("http://x/1.png", box)}))
    (tmp_path / "lists/ROF/neutral/bob.pkl").write_bytes(b"broken")

    def fetch(url, path):
        if url not in photos:
            raise DownloadFailed(url, "404")
        shutil.copy(photos[url], path)

    return tmp_path / "lists", fetch


def test_each_face_comes_from_its_own_photograph(tmp_path, lists):
    done = rof.fetch_rof(*[lists[0], tmp_path / "rof"], fetch=lists[1])
    assert (done.written, done.kept, done.failed) == (5, 0, 2)
    folder = tmp_path / "rof/images/masked/ann_wearing_mask"
    assert sorted(f.name for f in folder.iterdir()) == ["000001.jpg", "000003.jpg"]  # 2 is gone, not a copy of 1
    for number in (1, 3):
        truth = images.load_image(tmp_path / f"net/{number}.png")[:, 5:45, 5:45]
        assert (images.load_image(folder / f"00000{number}.jpg") - truth).abs().mean() < 0.05
    failures = list(csv.DictReader(open(tmp_path / "rof/failures.csv", encoding="utf-8")))
    assert [(f["list"], f["place"], f["kind"]) for f in failures] == [
        ("ann_wearing_mask", "2", "DownloadFailed"),
        ("bob", "0", "BadArchive"),
    ]


def test_group_photographs_name_nobody(tmp_path, lists):
    rof.fetch_rof(lists[0], tmp_path / "rof", fetch=lists[1])
    assert len(list((tmp_path / "rof/images/neutral/ann__unclear").iterdir())) == 2
    dataset = open_rof(tmp_path)
    assert {k: len(v) for k, v in dataset.groups.items()} == {"masked": 2, "neutral": 1}
    assert dataset.identities == {"ann"} and "2 faces of unclear" in dataset.notes[0]


def test_a_second_run_fetches_only_what_is_missing(tmp_path, lists):
    rof.fetch_rof(lists[0], tmp_path / "rof", fetch=lists[1])
    asked = []
    done = rof.fetch_rof(lists[0], tmp_path / "rof", fetch=lambda url, path: asked.append(url) or lists[1](url, path))
    assert asked == ["http://x/2.png"] and (done.written, done.kept) == (0, 5)


def test_box_outside_the_photograph(tmp_path, photo):
    picture = images.open_picture(photo(tmp_path / "a.png", (60, 60)))
    assert rof.cut(picture, (-10, 30, 40, 90)).size == (30, 30)
    with pytest.raises(ValueError, match="not inside"):
        rof.cut(picture, (55, 5, 40, 40))


def test_no_lists(tmp_path):
    with pytest.raises(LayoutError, match="Clone"):
        rof.fetch_rof(tmp_path, tmp_path / "rof")
