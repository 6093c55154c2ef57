"""The variants of guided inpainting: what each changes, and that every one can be trained and judged."""

import dataclasses

import pytest
import torch

from facelab.studies.ablation import guide_variants, plan, subjects, summary, sweep, table, variants
from facelab.studies.inpainting import hole_trial
from facelab.studies.parts import faces
from facelab.systems import hog_inpaint

SMALL = guide_variants.BASE | {
    "size": 32, "width": 8, "blocks": 1, "critic_width": 4, "critic_downs": 2, "batch": 4, "feature_net": "none",
    "predictor_width": 8, "predictor_blocks": 1,
}  # fmt: skip


def make(name, **changes):
    base = guide_variants.BASE | changes
    return variants.configuration(name, "orl", 10, guide_variants.VARIANTS, base, hog_inpaint.Config)


@pytest.mark.parametrize("variant", guide_variants.VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_changes_what_it_says(variant):
    mine = dataclasses.asdict(make(variant.name))
    parent = dataclasses.asdict(make(variant.parent or "base"))
    assert {field for field in mine if mine[field] != parent[field]} == set(variant.changes)


def test_everybody_paints_for_as_long_and_as_wide():
    made = [make(variant.name) for variant in guide_variants.VARIANTS]
    assert len({(cfg.steps, cfg.batch, cfg.width, cfg.blocks, cfg.learning_rate) for cfg in made}) == 1


def test_an_oracle_is_shown_what_nobody_else_is():
    test, about = hole_trial(faces("orl", "test", 32), 6, 0), subjects.subject("hog_inpaint")
    assert about.told(test, make("guide", **SMALL)) is test is about.told(test, make("base", **SMALL))
    images, hole, guide = about.told(test, make("oracle", **SMALL)).shown
    cfg = make("oracle", **SMALL)
    assert torch.equal(images, test.occluded) and torch.equal(hole, test.hole)
    known, wanted = hog_inpaint.known_guide(test.truth, hole, cfg), hog_inpaint.true_guide(test.truth, cfg)
    away = (guide - wanted).abs() > 1e-6
    assert torch.equal(guide[away], known[away]) and (guide != known).any()


def test_a_sweep_judges_every_trial(tmp_path):
    names = ("base", "guide", "oracle", "partial")
    rows = [v for v in guide_variants.VARIANTS if v.name in names]
    todo = plan.Plan(rows, "orl", 1, 4, tmp_path, count=4, base=SMALL, table=guide_variants.VARIANTS,
                     system="hog_inpaint")  # fmt: skip
    assert len({cell.batches for cell in todo.cells()}) == 1, "the same pictures and holes for all"
    content = sweep.sweep(todo, lambda line: None)
    assert [row["variant"] for row in content["rows"]] == list(names)
    for row in content["rows"]:
        assert row["ended"] == "done" and len(row["trials"]) == 6 and "unseen" not in row
        assert row["means"] == row["trials"]["holes of 20 to 30 %"] and "iou" not in row["means"]
        for label, means in row["trials"].items():
            kept = row["pictures"][f"psnr, {label}"]
            assert len(kept) == 4 and sum(kept) / 4 == pytest.approx(means["psnr"], abs=0.01)
    found = {line.variant: line for line in table.lines(content, guide_variants.VARIANTS, "psnr, holes of 0 to 10 %")}
    assert found["guide"].parent == "base" and found["oracle"].parent == "guide"


def test_a_table_has_a_column_a_trial_and_the_mean_over_seeds():
    def row(name, seed, **psnr):
        return {
            "variant": name,
            "seed": seed,
            "trials": {k: {"psnr": v} for k, v in psnr.items()},
        }

    rows = [row("guide", 0, b=20.0, a=30.0), row("guide", 1, b=22.0, a=None), row("base", 0, a=28.5)]
    text = summary.by_trial(
        {"header": {}, "rows": [*rows, {"variant": "gated", "ended": "broke"}]}, "psnr", guide_variants.VARIANTS
    )
    assert text.splitlines() == [
        "| psnr | a | b |", "|---|---|---|", "| base (1) | 28.50 |  |", "| guide (2) | 30.00 | 21.00 |"
    ]  # fmt: skip
