"""Rendered heads before dlib: the measures themselves, on few people and on pictures that show nobody."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from facelab.data.synth import open_synth
from facelab.studies import rendered, small_files
from facelab.synth import View
from facelab.synth.render import VERSION, landmarks_of, render


def test_the_area_under_the_curve_is_that_of_all_pairs():
    random = torch.Generator().manual_seed(0)
    same, other = torch.rand(30, generator=random).round(decimals=1), torch.rand(70, generator=random).round(decimals=1)
    pairs = (other[None] > same[:, None]).double() + 0.5 * (other[None] == same[:, None]).double()
    assert torch.allclose(rendered.area_under(same, other), pairs.mean(1))
    assert rendered.area_under(torch.tensor([0.1]), torch.tensor([0.5, 0.9])).item() == 1
    assert rendered.area_under(torch.tensor([1.0]), torch.tensor([0.5, 0.9])).item() == 0
    assert rendered.area_under(same, same).mean().item() == pytest.approx(0.5)


def test_distances_are_in_distances_between_the_eyes():
    exact = landmarks_of(5000, View(), 128)
    between = (exact[42:48].mean(0) - exact[36:42].mean(0)).norm()
    aside = exact + torch.tensor([0.0, 0.1]) * between
    assert torch.allclose(rendered._apart(aside, exact), torch.full((68,), 0.1), atol=1e-4)
    assert [len(range(*part.indices(68))) for part in rendered.REGIONS.values()] == [17, 10, 9, 12, 20]


def test_shots_are_by_chance_but_always_the_same():
    views = [rendered.shot_view(5000, 20.0, k) for k in range(8)]
    assert views == [rendered.shot_view(5000, 20.0, k) for k in range(8)]
    assert {view.yaw for view in views} == {20.0} and {view.accessory for view in views} == {"plain"}
    assert len({view.light for view in views}) > 3 and len({str(view.expression) for view in views}) > 3
    assert all(view.camera and view.backdrop for view in views), "never the canonical view"
    assert max(abs(rendered._three(5000, 16)[k].landmarks - landmarks_of(5000, View(), 16)).max() for k in (1, 2)) > 0.5


def test_nobody_measured_is_in_the_set():
    assert rendered.PEOPLE > max(int(item.identity) for item in open_synth(240).items) - 19_000_000


def test_a_few_people_before_dlib(monkeypatch):
    monkeypatch.setattr(rendered, "YAWS", (0, 75))
    found = rendered.study(frontal=4, known=4, turned=3)
    assert json.loads(json.dumps(found)) == found and found["render version"] == VERSION
    assert found["found"]["mean"] == 1 and 0.3 < found["found"]["low"] < 0.5 and found["found"]["people"] == 4
    far = found["landmarks"]["distance"]
    assert set(far) == {"all", *rendered.REGIONS} and all(0.01 < one["mean"] < 0.2 for one in far.values())
    assert all(one["low"] <= one["mean"] <= one["high"] for one in far.values())
    alike = found["identity"]
    assert alike["pairs"] == {"same": 12, "different": 54} and alike["auc"]["mean"] > 0.8
    assert alike["median distance"]["same"] < alike["median distance"]["different"] - 0.05
    shares = found["found by yaw"]
    assert list(shares) == ["0", "75"] and shares["0"]["mean"] > shares["75"]["mean"]


def test_where_nobody_is_shown_nobody_is_found(monkeypatch):
    """The fault this catches: a detector whose doubtful finds count, or a share that is 1 whatever it finds."""

    def upside_down(number, view=None, size=128):
        picture = render(number, view, size)
        return dataclasses.replace(picture, image=picture.image.flip(1))

    monkeypatch.setattr(rendered, "render", upside_down)
    found = rendered.canonical_study(2)
    assert found["found"]["mean"] == 0 and found["found"]["high"] > 0.5
    assert found["landmarks"]["faces"] == 0 and found["landmarks"]["distance"]["all"]["mean"] is None


def test_strangers_with_one_face_are_not_told_apart(monkeypatch):
    """The fault this catches: descriptors compared with their own pictures."""
    one = lambda number, view=None, size=128: render(5000, view, size)  # noqa: E731
    monkeypatch.setattr(rendered, "render", one)
    assert rendered.identity_study(3)["auc"]["mean"] < 0.75


def test_the_contact_sheet_is_what_it_says():
    sheet = rendered.contact_sheet(2, 2, 32)
    assert sheet.shape == (3, 64, 64)
    assert torch.equal(sheet[:, :32, :32], render(5000, View(), 32).image)
    assert torch.equal(sheet[:, 32:, :32], render(5002, View(), 32).image)
    assert not torch.equal(sheet[:, :32, 32:], render(5001, View(), 32).image), "every other one is turned"
    small, large = small_files.jpeg(sheet, 2400), small_files.jpeg(sheet)
    assert len(small) <= 2400 < len(large)
    with pytest.raises(ValueError, match="do not fit"):
        small_files.jpeg(sheet, 100)


def test_the_record_is_of_the_heads_as_they_are(repo):
    record = json.loads((repo / "notebooks/figures/07_heads.json").read_text(encoding="utf-8"))
    assert record["render version"] == VERSION, "run python -m facelab.studies.rendered"
    assert record["found"]["people"] == 300 and record["first person"] == rendered.PEOPLE
