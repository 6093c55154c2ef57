"""Real side poses: who is chosen, what is compared with what, and the files."""

from __future__ import annotations

import json

import pytest
import torch

from facelab import files
from facelab.data import cache, splits
from facelab.data.catalogue import open_dataset
from facelab.errors import LayoutError
from facelab.faces.landmarks import yaw
from facelab.restoration import Restoration
from facelab.studies import side_poses
from facelab.systems import frontalize

pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def test():
    return side_poses.side_poses("orl", 64, 1)


def test_everybody_is_shown_once_from_aside_and_once_from_the_front(test):
    assert len(set(test.identities)) == len(test) > 15
    assert test.occluded.shape == test.truth.shape == (len(test), 1, 64, 64)
    assert (yaw(test.shown_points).abs() >= side_poses.ASIDE).all() and (yaw(test.points).abs() <= 12).all()
    dataset = open_dataset("orl")
    marks, _ = cache.landmarks(dataset, 64)
    own = [k for k, item in enumerate(dataset.items) if item.identity == test.identities[0]]
    furthest = max((k for k in own if torch.isfinite(marks[k]).all()), key=lambda k: abs(yaw(marks[k])))
    assert torch.equal(test.occluded[0], dataset.at(furthest, 64, 1))
    assert test.kinds[0] == f"{yaw(marks[furthest]):+.0f}°"


def test_people_who_were_trained_on_are_not_judged():
    dataset = open_dataset("orl")
    assert side_poses.unseen(dataset, "synth:1500+lfw:turned") == list(range(400))
    assert side_poses.unseen(dataset, "synth+orl:turned") == splits.split(dataset, "test")
    few = side_poses.side_poses("orl", 64, 1, "orl")
    assert 0 < len(few) < 15 and {splits.split_of("orl", item) for item in dataset.items
                                  if item.identity in few.identities} == {"test"}  # fmt: skip


def test_a_perfect_answer_is_the_person_and_no_answer_changes_little(test):
    few = side_poses.Trial(*(part[:6] for part in (test.occluded, test.truth, test.hole, test.points)), test.kinds[:6],
                           test.identities[:6], whole=True, shown_points=test.shown_points[:6])  # fmt: skip
    truths = iter(few.truth.split(16))
    found, image = side_poses.study(few, lambda pictures: (answer := next(truths), None, answer))
    assert torch.equal(image, few.truth)
    rows = found["rows"]
    assert rows["frontalize"]["rank1"]["mean"] == 1.0 and rows["frontalize"]["identity"]["mean"] < 0.15
    gain = rows["input"]["identity"]["mean"] - rows["frontalize"]["identity"]["mean"]
    assert rows["frontalize"]["identity_gain"]["mean"] == pytest.approx(gain, abs=2e-4) and gain > 0.1
    assert set(found["yaw, before, after"]) == set(few.identities)
    same, _ = side_poses.study(few, lambda pictures: (pictures, None, pictures))
    assert abs(same["rows"]["frontalize"]["identity_gain"]["mean"]) < 0.05, "landmarks found again: a little off"


def test_nobody_aside_is_refused(monkeypatch):
    monkeypatch.setattr(side_poses, "ASIDE", 80.0)
    with pytest.raises(LayoutError, match="from aside"):
        side_poses.side_poses("orl", 64, 1)


def test_the_files_and_grey_answers_for_grey_photographs(tmp_path, monkeypatch, test):
    cfg = frontalize.Config.for_profile("smoke", size=64)
    monkeypatch.setattr(files, "project_root", lambda: tmp_path)
    monkeypatch.setattr(frontalize, "load", lambda name: (None, cfg))
    monkeypatch.setattr(side_poses, "read_card", lambda name: {"data": "synth:1500+lfw:turned", "sha256": "ab12"})
    tinted = lambda model, pictures: Restoration(pictures * torch.tensor([1.0, 0.5, 0.2]).view(1, 3, 1, 1), None, None)  # noqa: E731
    monkeypatch.setattr(frontalize, "restore", tinted)
    seen = []
    monkeypatch.setattr(side_poses, "study", lambda test, restore: seen.append(restore(test.occluded).image) or (
        {"people": len(test), "rows": {}}, seen[0]))  # fmt: skip
    assert side_poses.main() == 0
    assert torch.equal(seen[0][:, 0], seen[0][:, 2]), "grey"
    told = json.loads((tmp_path / "notebooks/figures/07_sides.json").read_text())
    assert (told["data"], told["weights"]) == ("orl", "ab12")
    assert len(told["shown"]) == side_poses.SHOWN and told["people"] == len(test)
    assert (tmp_path / "notebooks/figures/07_sides.jpg").stat().st_size < 150 * 1024
