"""The variants of frontalization: what each changes, and that each can be trained and judged."""

from __future__ import annotations

import dataclasses

import pytest

from facelab.nets import frontal_eyes
from facelab.studies.ablation import (
    baselines,
    cell,
    plan,
    stock,
    subjects,
    summary,
    sweep,
    table,
    turning_variants,
    variants,
)
from facelab.systems import frontalize

DATA = "synth:16"
SMALL = turning_variants.BASE | {
    "size": 32, "width": 8, "blocks": 1, "critic_width": 4, "batch": 4, "feature_net": "none", "adversarial_from": 0.0,
    "face_steps": 2, "face_width": 8,
}  # fmt: skip


def make(name, **changes):
    base = turning_variants.BASE | changes
    return variants.configuration(name, DATA, 10, turning_variants.VARIANTS, base, frontalize.Config)


@pytest.mark.parametrize("variant", turning_variants.VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_changes_what_it_says(variant):
    mine, parent = (dataclasses.asdict(make(name)) for name in (variant.name, variant.parent or "base"))
    assert {field for field in mine if mine[field] != parent[field]} == set(variant.changes)


def test_everybody_sees_the_same_pairs():
    made = [make(variant.name) for variant in turning_variants.VARIANTS]
    for field in variants.SHARED:
        assert len({getattr(cfg, field) for cfg in made if hasattr(cfg, field)}) <= 1, field
    assert {cfg.model for cfg in made} == set(frontalize.MODELS)


def test_the_table_shows_variants_and_trials_that_there_are():
    rows, columns = summary.SHOWN["frontalize"]
    assert set(rows) == {variant.name for variant in turning_variants.VARIANTS} - {"base"}
    kept = subjects.subject("frontalize").each_trial
    assert all(name.partition(", ")[0] in kept for name, _, _ in columns)


@pytest.mark.parametrize(
    ("metric", "difference", "verdict"),
    [("identity, 45°", -0.1, "better"), ("identity, 45°", 0.1, "worse"), ("rank1, 45°", 0.1, "better"),
     ("identity", -0.1, "better"), ("psnr, 75°", -0.1, "worse"), ("sharpness", 0.1, "sharper")],
)  # fmt: skip
def test_a_metric_of_one_trial_is_judged_like_that_of_all(metric, difference, verdict):
    apart = dict.fromkeys(range(3), difference)
    ends = sorted((0.5 * difference, 1.5 * difference))
    assert table.Line("a", "base", metric, apart, 0, 0, difference, *ends, apart, (), 1).verdict == verdict


def test_frozen_eyes_that_are_not_here_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr(frontal_eyes, "why_missing", lambda name: "not here" if name == "effnet-lite0" else "")
    monkeypatch.setattr(sweep, "why_missing", lambda name: "")
    monkeypatch.setenv("FACELAB_VGGFACE", str(tmp_path / "none.safetensors"))
    base = {**SMALL, "encoder": "effnet-lite0"}
    of = plan.Plan(turning_variants.VARIANTS, DATA, 1, 4, tmp_path, base=base, table=turning_variants.VARIANTS,
                   system="frontalize")  # fmt: skip
    about = dataclasses.replace(subjects.subject("frontalize"), nets={})
    monkeypatch.setitem(subjects.SUBJECTS, "frontalize", about)
    found = {name: sweep._why_not(of, name) for name in ("base", "own eyes", "AE", "AE, own eyes", "CVAE")}
    assert found == {"base": "not here", "own eyes": "", "AE": "not here", "AE, own eyes": "", "CVAE": ""}
    of = dataclasses.replace(of, base={**SMALL, "encoder": "vggface"})
    assert "place VGGFace's convolutions at" in sweep._why_not(of, "base") and not sweep._why_not(of, "own eyes")


def test_a_cell_is_trained_and_judged_on_every_yaw(tmp_path, name="CVAE"):
    pytest.importorskip("dlib")
    rows = [v for v in turning_variants.VARIANTS if v.name in ("base", name)]
    todo = plan.Plan(rows, DATA, 1, 3, tmp_path, count=3, base=SMALL, table=turning_variants.VARIANTS,
                     system="frontalize", device="cpu")  # fmt: skip
    one = next(made for made in todo.cells() if made.variant == name)
    stock.fill_trials(one.trials, "frontalize", DATA, one.cfg, 3)
    stock.fill(subjects.subject("frontalize").loader(DATA, todo.configuration("base"), 0), 3, one.batches)
    row = cell.run(one)
    assert row["ended"] == "done" and row["means"] == row["trials"]["45°"] and "unseen" not in row
    assert len(row["trials"]) == 7 and "iou" not in row["means"] and (one.folder / "faces.png").is_file()
    for label, means in row["trials"].items():
        for metric, digits in (("psnr", 2), ("ssim", 3), ("identity", 3), ("rank1", 0)):
            kept = row["pictures"][f"{metric}, {label}"]
            assert len(kept) == 3 and sum(kept) / 3 == pytest.approx(means[metric], abs=0.6 * 10**-digits)
        assert set(row["pictures"][f"rank1, {label}"]) <= {0, 1}
    header = plan.header(todo, {}, {})
    assert header["count"] == 3 and len(set(header["people"])) == 3
    content = {"header": header, "rows": [row]}
    assert table.lines(content, turning_variants.VARIANTS, "rank1, 75°")[0].variant == name
    assert "rank-1, 45°" in summary.summary({DATA: content}, "frontalize")
    found = baselines.baselines(one.trials, "frontalize", DATA, one.cfg)
    assert set(found) == {"input", "mean face"} and len(found["input"]["trials"]) == 7
    assert found["mean face"]["trials"]["15°"]["rank1"] == pytest.approx(1 / 3, abs=1e-3), "one picture, three people"
    lit = found["input"]["pictures"]["rank1, 0°, another light"]
    assert sum(lit) / 3 == pytest.approx(found["input"]["trials"]["0°, another light"]["rank1"], abs=1e-3)
    content["header"]["baselines"] = found
    text = summary.summary({DATA: content}, "frontalize")
    assert f"Rank-1 on `{DATA}`, by trial" in text and f"Identity distance on `{DATA}`" in text
    assert "| mean face | " in text and "| CVAE (1) | " in text and " [" in text.split("mean face |")[1]
    again = plan.header(todo, content["header"], {})
    assert again["baselines"] == found, "a sweep that goes on keeps them"
