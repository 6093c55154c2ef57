"""The variants of VIS → NIR: what each changes, that each is trained and judged alike, and how they are shown."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import pytest
import torch

from facelab.data.catalogue import open_dataset
from facelab.errors import BadConfig, LayoutError
from facelab.images import load_image, to_channels
from facelab.show.sweep_faces import TRUTH, sweep_faces
from facelab.studies import evaluation, infrared
from facelab.studies.ablation import baselines, cell, nir_variants, plan, stock, subjects, summary, sweep, variants
from facelab.systems import vis2nir

DATA = "synth:20:nir"
SMALL = nir_variants.BASE | {"size": 32, "width": 4, "blocks": 1, "critic_width": 4, "reach": 16, "feature_net": "none"}


def make(name):
    return variants.configuration(name, DATA, 10, nir_variants.VARIANTS, nir_variants.BASE, vis2nir.Config)


@pytest.mark.parametrize("variant", nir_variants.VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_changes_what_it_says(variant):
    mine, parent = (dataclasses.asdict(make(name)) for name in (variant.name, variant.parent or "base"))
    assert {field for field in mine if mine[field] != parent[field]} == set(variant.changes)


def test_the_studys_steps_follow_each_other():
    for name, published in {"base": "", "A": "A", "B": "B", "C": "C"}.items():
        mine, theirs = make(name), vis2nir.Config.published(published)
        wanted = [(cfg.align, cfg.equalise, cfg.lambda_perceptual > 0) for cfg in (mine, theirs)]
        assert wanted[0] == wanted[1]
    assert variants.by_name(nir_variants.VARIANTS)["C"].parent == "B"


def test_only_what_batches_depend_on_gives_batches_of_their_own():
    about, base = subjects.subject("vis2nir"), make("base")
    alone = {v.name: about.drawn_alone(make(v.name), base) for v in nir_variants.VARIANTS}
    assert not alone["base"] and alone["A"] == alone["batch norm"] == alone["A, perceptual"]
    assert len({alone[name] for name in ("base", "A", "B", "pix2pix", "told")}) == 5 and alone["C"] == alone["B"]


def test_the_table_shows_variants_that_there_are():
    rows, _ = summary.SHOWN["vis2nir"]
    assert set(rows) == {variant.name for variant in nir_variants.VARIANTS} - {"base"}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    pytest.importorskip("dlib")
    tmp_path = tmp_path_factory.mktemp("swept")
    rows = [v for v in nir_variants.VARIANTS if v.name in ("base", "A", "pix2pix")]
    todo = plan.Plan(rows, DATA, 1, 3, tmp_path, count=3, base=SMALL, table=nir_variants.VARIANTS, system="vis2nir",
                     device="cpu")  # fmt: skip
    found = []
    for one in todo.cells():
        stock.fill_trials(one.trials, "vis2nir", DATA, one.cfg, 3)
        stock.fill(subjects.subject("vis2nir").loader(DATA, one.cfg, 0), 3, one.batches)
        found.append(cell.run(one))
    content = {"header": plan.header(todo, {}, {}), "rows": found}
    lines = "\n".join(json.dumps(line) for line in (content["header"], *found))
    (tmp_path / "results.jsonl").write_text(lines + "\n")
    return tmp_path, todo, content


def test_cells_are_judged_alike_and_only_pix2pix_is_told(swept):
    folder, todo, content = swept
    told = {one.variant: (one.batches / "truth.npy").is_file() for one in todo.cells()}
    assert told == {"base": False, "A": False, "pix2pix": True}
    for row in content["rows"]:
        assert row["ended"] == "done" and list(row["trials"]) == [DATA]
        assert {"psnr", "ssim", "identity", "rank1", "sharpness"} <= set(row["means"])
        assert len(row["pictures"][f"psnr, {DATA}"]) == 3
    one = todo.cells()[0]
    rows = baselines.baselines(one.trials, "vis2nir", DATA, one.cfg)
    assert set(rows) == {"input", "mean face"}
    test = infrared.nir_trials(DATA, one.cfg, 3)[DATA]
    torch.testing.assert_close(next(iter(stock.trials(one.trials).values()))[0].truth, test.truth)
    text = summary.summary({DATA: content | {"header": content["header"] | {"baselines": rows}}}, "vis2nir")
    assert "| pix2pix |" in text and f"Rank-1 on `{DATA}`, by trial" in text


# ------------------------------------------------------------------------------------------- what cannot be run
def swept_without_cells(monkeypatch, out, names, data=DATA, **settings):
    """The notes and the header of a sweep, and what would have been done."""
    notes, todo = [], []
    monkeypatch.setattr(sweep, "_results", lambda plan, cells: todo.extend(cells) or (n for n in ()))
    content = sweep.sweep_named(names, data=data, seeds=1, steps=2, out=out, count=2, device="cpu", system="vis2nir",
                                note=notes.append, **settings)  # fmt: skip
    return notes, content["header"], [cell.variant for cell in todo]


def test_a_set_without_pairs_leaves_out_what_must_be_told_and_runs_the_rest(monkeypatch, tmp_path):
    bare = dataclasses.replace(open_dataset(DATA), pairs=[])
    monkeypatch.setattr(infrared, "open_dataset", lambda name: bare)
    notes, header, todo = swept_without_cells(monkeypatch, tmp_path, ["pix2pix", "told", "batch norm"], size=32)
    assert todo == ["base", "A", "batch norm"] and header["not run"] == {"pix2pix": "no pairs", "told": "no pairs"}
    assert [note for note in notes if "pix2pix" in note] == [f"pix2pix: not run (no pairs in {DATA})"]


def test_a_size_that_one_variant_cannot_have_stops_that_one_alone(monkeypatch, tmp_path):
    names = ["whole-picture critic", "no pool"]
    notes, header, todo = swept_without_cells(monkeypatch, tmp_path / "96", names, size=48)
    assert todo == ["base", "A", "no pool"] and "power of two" in header["not run"]["whole-picture critic"]
    assert any("whole-picture critic: not run" in note for note in notes)
    _, header, todo = swept_without_cells(monkeypatch, tmp_path / "64", names, size=32)
    assert names[0] in todo and not header["not run"]


def test_batches_are_drawn_for_each_whoever_comes_first(tmp_path):
    """Pix2pix cannot be without the truth, and everybody else must not have it."""
    rows = variants.chosen(["pix2pix", "batch norm"], False, nir_variants.VARIANTS)[::-1]
    rows.sort(key=lambda variant: variant.name != "pix2pix")
    todo = plan.Plan(rows, DATA, 1, 2, tmp_path, count=2, base=SMALL, table=nir_variants.VARIANTS, system="vis2nir",
                     device="cpu")  # fmt: skip
    assert [one.variant for one in todo.cells()] == ["pix2pix", "batch norm"]
    for one in todo.cells():
        sweep._draw(todo, one)
        kinds = {path.stem for path in one.batches.iterdir()}
        assert kinds == {"vis", "nir"} | ({"truth"} if one.variant == "pix2pix" else set())


def test_the_wrong_set_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(LayoutError, match="synth:nir"):
        sweep.sweep_named(["base"], data="orl", seeds=1, steps=1, out=tmp_path / "new", system="vis2nir")
    assert not (tmp_path / "new").exists()


def test_where_the_truth_is_another_picture_a_row_has_no_pixels(tmp_path, monkeypatch):
    held = dataclasses.replace(infrared.domains(DATA, "test", 32), counterpart={})
    test = infrared.nir_trial(held, 3, 3, DATA)
    monkeypatch.setattr(stock, "trials", lambda path: {DATA: (test, torch.eye(3, 128))})
    monkeypatch.setattr(evaluation, "descriptors", lambda images, points: torch.eye(len(images), 128))
    one = cell.Cell("A", make("A"), DATA, 0, tmp_path, tmp_path, tmp_path, "cpu", "vis2nir")
    row = cell.judged(lambda images: (to_channels(images, 1), None, to_channels(images, 1)), one)
    assert set(row["means"]) == {"sharpness", "identity", "rank1"} and f"identity, {DATA}" in row["pictures"]
    assert "dB" not in sweep._said(row | {"ended": "done", "seconds": 1.0})
    found = baselines.baselines(tmp_path, "vis2nir", DATA, SimpleNamespace(size=32, channels=3))
    assert set(found["input"]["trials"][DATA]) == {"identity", "rank1"}


def test_the_figure_shows_each_variants_own_faces_between_what_is_seen_and_the_truth(swept, monkeypatch, tmp_path):
    from facelab.show import sweep_faces as module

    folder, _, content = swept
    kept = {}
    monkeypatch.setattr(module, "rows", lambda strips, title: kept.update(strips) or title)
    title = sweep_faces(folder, DATA, "rendered: ")
    assert list(kept) == ["seen", "base", "A", "pix2pix", TRUTH] and title.startswith(f"rendered: {DATA}")
    strip = load_image(folder / "cells" / "a-seed0" / "faces.png", 1)
    torch.testing.assert_close(torch.cat(list(kept["A"]), -1), strip[:, :32])
    assert kept[TRUTH].shape == kept["A"].shape == (3, 1, 32, 32) and kept["seen"].shape == (3, 3, 32, 32)
    kept.clear()
    sweep_faces(folder, DATA, names=["base", "pix2pix"])
    assert list(kept) == ["seen", "base", "pix2pix", TRUTH]
    (tmp_path / "results.jsonl").write_text(json.dumps(content["header"] | {"system": "oagan"}) + "\n")
    with pytest.raises(BadConfig, match="whole pictures"):
        sweep_faces(tmp_path, DATA)
