"""Ablations: one factor a variant, the same batches for all, results that survive anything."""

import contextlib
import csv
import dataclasses
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facelab import cli, images
from facelab.errors import BadConfig, FacelabError
from facelab.metrics.critic import slopes
from facelab.metrics.intervals import bootstrap
from facelab.nets.features import NAMES, why_missing
from facelab.nets.oagan import Guess
from facelab.seeding import generator, seed_all
from facelab.studies import batches
from facelab.studies.ablation import cell as cells
from facelab.studies.ablation import diagnosis, facemask_variants, record, stock, subjects, sweep, table, variants
from facelab.studies.ablation import plan as plans
from facelab.studies.parts import faces
from facelab.studies.trials import Trial, trial
from facelab.systems import mask_removal, oagan
from facelab.systems.oagan import step as half
from facelab.train.engine import Engine
from facelab.train.state import State, plain_config

KILLER = Path(__file__).with_name("kill_sweep.py")
PEOPLE = [k // 10 for k in range(80)]
TINY = variants.BASE | {"size": 32, "critic_downs": 3, "width": 8, "hole_width": 8, "batch": 4}


def plan(folder, names=("SN + GP",), **settings):
    return plans.Plan(variants.chosen(names), **{"data": "orl", "seeds": 1, "steps": 4, "out": folder, "count": 6,
                                                 "base": TINY, "device": "cpu", **settings})  # fmt: skip


def without_times(folder):
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder, notes, patch = tmp_path_factory.mktemp("sweep"), [], pytest.MonkeyPatch()
    patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("no_weights")))  # whatever this machine has downloaded
    sweep.sweep(plan(folder, ("SN + GP", "VGG16"), seeds=2), notes.append)
    patch.undo()
    return folder, notes


# --- the table of variants -----------------------------------------------------------------------------------------


def test_every_variant_differs_from_its_parent_in_one_setting():
    tree = variants.by_name()
    made = {name: dataclasses.asdict(variants.configuration(name, "orl", 10)) for name in tree}
    for variant in variants.VARIANTS[1:]:
        mine, parents = made[variant.name], made[variant.parent]
        apart = {field for field in mine if mine[field] != parents[field]}
        assert apart == set(variant.changes), variant.name
        assert variant.confounded or len(apart) == 1, variant.name
    assert len({json.dumps(settings, sort_keys=True) for settings in made.values()}) == len(made), "two are the same"


def steps_of(name, monkeypatch, count=12):
    """How often generator and critic move, and on what, in the first steps of a variant."""
    cfg = variants.configuration(name, "orl", count, base=TINY | {"feature_net": "none"})
    cfg = dataclasses.replace(
        cfg, encoder="none", enlarge=1, feature_net="none"
    )  # whoever finds, the rhythm is the same, and faster
    moves, seen = [], {}
    for function in ("critic_step", "generator_step"):
        monkeypatch.setattr(half, function, lambda *a, f=function, **k: moves.append(f) or {})
    for terms in ("paired_terms", "natural_terms", "adversarial_terms"):
        monkeypatch.setattr(half, terms, lambda *a, f=terms, **k: moves.append(f) or {})
    model = oagan.build(cfg)
    opts, state = oagan.optimizers(model, cfg), State(0, count, generator(0), cfg)
    picture, hole = torch.zeros(4, 1, 32, 32), torch.zeros(4, 1, 32, 32)
    batch = dict.fromkeys(("truth", "occluded", "clean", "natural"), picture) | {"hole": hole}
    for state.step in range(count):
        oagan.train_step(batch, model, opts, state, Engine())
    for move in moves:
        seen[move] = seen.get(move, 0) + 1
    return seen


def test_one_setting_is_one_factor_in_what_happens_too(monkeypatch):
    """Nobody trains more, or on other batches, than the parent, but where that is the factor."""
    meant = {
        "no natural": {"paired_terms", "natural_terms"}, "no critic": {"critic_step", "adversarial_terms"},
        "late critic": {"critic_step", "adversarial_terms"}, "fed": {"critic_step"}, "loud, fed": {"critic_step"},
    }  # fmt: skip
    seen = {v.name: steps_of(v.name, monkeypatch) for v in variants.VARIANTS}
    assert seen["base"] == {"critic_step": 12, "generator_step": 12, "paired_terms": 9, "natural_terms": 3,
                            "adversarial_terms": 12}  # fmt: skip
    for variant in variants.VARIANTS[1:]:
        mine, parents = seen[variant.name], seen[variant.parent]
        apart = {name for name in mine | parents if mine.get(name, 0) != parents.get(name, 0)}
        assert apart == meant.get(variant.name, set()), variant.name


def test_variants_with_the_same_networks_begin_with_the_same_weights():
    def start(name):
        seed_all(0)
        model = oagan.build(variants.configuration(name, "orl", 10, base=TINY | {"feature_net": "none"}))
        named = {key.replace("parametrizations.weight.original", "weight"): value for key, value in
                 model.state_dict().items() if "parametrizations.weight.0" not in key}  # fmt: skip
        return {key: value for key, value in named.items() if not key.startswith(("average", "D.classify"))}

    base = start("base")
    for name in ("SN", "DRAGAN", "fourfold", "identity", "EMA", "loud", "no critic", "told"):
        mine = start(name)
        assert mine.keys() == base.keys() and all(torch.equal(mine[key], base[key]) for key in base), name
    normed = start("GP + IN")  # has the norms' own parameters besides, which shift the numbering
    same = [(a, b) for a in base.values() for b in normed.values() if a.ndim == 4 and a.shape == b.shape]
    assert sum(torch.equal(a, b) for a, b in same) >= sum(a.ndim == 4 for a in base.values())


def test_the_table_has_what_the_ablation_asks_for():
    names = set(variants.by_name())
    assert names >= {
        "base", "two-step", "DRAGAN", "DRAGAN notebook", "DRAGAN + IN", "GP + IN", "SN", "SN + hinge", "SN + GP", "R1",
        "no features", "Lite1", "random ResNet34", "ResNet34", "VGG16", "identity, smooth", "fourfold",
        "no hole supervision", "no natural",
    }  # fmt: skip
    assert [v.name for v in variants.VARIANTS if v.confounded] == ["fourfold"]


@pytest.mark.parametrize(
    "row",
    [
        variants.Variant("base", "", {}),
        variants.Variant("x", "nobody", {"loss": "hinge"}),
        variants.Variant("x", "base", {"loss": "hinge", "penalty": "none"}),
        variants.Variant("x", "base", {}),
        variants.Variant("x", "base", {"batch": 3}),
        variants.Variant("x", "base", {"loss": "hinge"}, confounded=True),
    ],
)
def test_a_table_that_would_compare_nothing_is_refused(row):
    with pytest.raises(BadConfig):
        variants.by_name([*variants.VARIANTS, row])


def test_a_variant_brings_its_ancestors():
    assert [v.name for v in variants.chosen(["SN + hinge"])] == ["base", "SN + GP", "SN", "SN + hinge"]
    assert [v.name for v in variants.chosen(["SN + hinge", "base"], ancestors=False)] == ["base", "SN + hinge"]
    with pytest.raises(BadConfig, match="no such"):
        variants.chosen(["no such"])


def test_label_smoothing_needs_an_identity_head():
    with pytest.raises(BadConfig, match="label_smoothing"):
        oagan.Config(label_smoothing=0.1)
    assert variants.configuration("identity, smooth", "orl", 10).classes == len(batches.people_of("orl", 64, 1))


def test_what_a_feature_net_lacks_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert {name for name in NAMES if why_missing(name)} == {"vgg16", "vgg19", "vgg19-deep", "resnet34"}
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "vgg16-397923af.pth").touch()
    assert why_missing("vgg16") == "" and "resnet34-b627a593.pth" in why_missing("resnet34")


# --- what cells share ----------------------------------------------------------------------------------------------


def test_the_stock_is_what_the_loader_draws(tmp_path):
    cfg = variants.with_labels(variants.configuration("base", "orl", 3, base=TINY), "orl")
    load = batches.training_loader("orl", cfg, 0)
    kept = stock.loader(stock.fill(load, 3, tmp_path / "stock"))
    for step in range(3):
        drawn, again = load(step), kept(step)
        assert set(drawn) == set(again) >= {"truth", "occluded", "hole", "clean", "natural", "label", "clean_label"}
        for name, value in drawn.items():
            torch.testing.assert_close(again[name], value, atol=5e-4, rtol=0)
        visible = (drawn["hole"] == 0).expand_as(drawn["truth"]) & (drawn["truth"] == drawn["occluded"])
        assert torch.equal(again["truth"][visible], again["occluded"][visible])


def test_a_half_drawn_stock_is_drawn_again(tmp_path):
    (tmp_path / "stock.part").mkdir()
    (tmp_path / "stock.part" / "truth.npy").write_bytes(b"half")
    kept = stock.loader(stock.fill(lambda step: {"x": torch.full((2,), float(step))}, 2, tmp_path / "stock"))
    assert kept(1)["x"].tolist() == [1.0, 1.0]


# --- the sweep -----------------------------------------------------------------------------------------------------


def test_a_sweep_leaves_rows_course_and_table(done):
    folder, notes = done
    content = table.read(folder)
    assert [(row["variant"], row["seed"]) for row in content["rows"]] == [
        ("base", 0), ("base", 1), ("SN + GP", 0), ("SN + GP", 1)]  # fmt: skip
    for row in content["rows"]:
        assert row["ended"] == "done" and len(row["pictures"]["psnr_hole"]) == 6 == len(content["header"]["people"])
        assert row["means"]["psnr_hole"] == pytest.approx(sum(row["pictures"]["psnr_hole"]) / 6, abs=0.01)
        assert row["unseen"]["psnr_gain"] != row["means"]["psnr_gain"]
    assert content["header"]["not run"] == {"VGG16": "place vgg16-397923af.pth"} and any(
        "VGG16: not run" in note for note in notes
    )
    looks = table.read_course(folder)
    assert {(look["variant"], look["seed"]) for look in looks} == {(r["variant"], r["seed"]) for r in content["rows"]}
    assert {"slope_real", "bound_operator", "pull_critic", "holes_lost", "gain", "iou"} <= set(looks[0])
    found = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    assert {line["metric"] for line in found} == set(table.METRICS)
    assert [line["verdict"] for line in found if line["variant"] == "base"] == [""] * len(table.METRICS)


def test_finished_cells_are_never_done_again(done, monkeypatch):
    folder, _ = done
    before = (folder / "results.jsonl").read_bytes()
    monkeypatch.setattr(sweep, "ProcessPoolExecutor", lambda *a, **k: pytest.fail("a finished cell was done again"))
    sweep.sweep(plan(folder, seeds=2), lambda line: None)
    assert (folder / "results.jsonl").read_bytes() == before, "what was not run is still said not to have been run"


def test_results_alone_are_enough_to_go_on(done, tmp_path):
    """A committed results file, without the runs: what is in it is kept, bit for bit."""
    folder, _ = done
    for name in ("results.jsonl", "course.jsonl"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    sweep.sweep(plan(tmp_path, seeds=2), lambda line: None)
    assert without_times(tmp_path)[1:] == without_times(folder)[1:]
    assert table.read_course(tmp_path) == table.read_course(folder)
    assert not (tmp_path / "cells").exists()


OTHERS = [
    ({"base": TINY | {"width": 16}}, "width"), ({"steps": 8}, "steps"), ({"count": 7}, "count"),
    ({"data": "lfw"}, "lfw"), ({"base": TINY | {"lambda_hidden": 1.0}}, "lambda_hidden"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "named"), OTHERS)
def test_results_of_other_settings_are_refused(done, settings, named):
    folder, _ = done
    before = (folder / "results.jsonl").read_bytes()
    with pytest.raises(FacelabError, match=named):
        sweep.sweep(plan(folder, seeds=2, **settings), lambda line: None)
    assert (folder / "results.jsonl").read_bytes() == before


@pytest.mark.parametrize(("settings", "named"), OTHERS[:3])
def test_also_before_there_is_any_row(tmp_path, settings, named, monkeypatch):
    """Killed in its first minute: what was drawn for one plan must not serve another."""
    monkeypatch.setattr(sweep, "_results", lambda *a: (nothing for nothing in ()))
    sweep.sweep(plan(tmp_path), lambda line: None)
    with pytest.raises(BadConfig, match=named):
        sweep.sweep(plan(tmp_path, **settings), lambda line: None)


def test_a_changed_default_is_a_changed_setting(done, monkeypatch):
    folder, _ = done
    there = plans.Plan.configuration
    other = lambda self, name: dataclasses.replace(there(self, name), lambda_visible=9.0)  # noqa: E731
    monkeypatch.setattr(plans.Plan, "configuration", other)
    with pytest.raises(BadConfig, match="lambda_visible"):
        sweep.sweep(plan(folder, seeds=2), lambda line: None)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_kill_between_the_files_loses_nothing(done, tmp_path, monkeypatch, number):
    folder, _ = done
    shutil.copytree(folder, tmp_path / "out")
    for name in ("results.jsonl", "course.jsonl", "table.csv"):
        (tmp_path / "out" / name).unlink()
    written, real = [], table.files.write_text

    def dies(path, text):
        written.append(path)
        if len(written) == number + 3:  # the first three are those of the empty table
            raise KeyboardInterrupt
        real(path, text)

    cells_done = [(c, json.loads((tmp_path / "out/cells" / c.folder.name / "row.json").read_text()))
                  for c in plan(tmp_path / "out", seeds=2).cells()]  # fmt: skip
    monkeypatch.setattr(sweep, "_results", lambda plan, todo: iter([p for p in cells_done if p[0] in todo]))
    monkeypatch.setattr(table.files, "write_text", lambda path, text: dies(path, text) if path.parent.name == "out" and
                        path.name != "plan.json" else real(path, text))  # fmt: skip
    monkeypatch.setattr(sweep.contextlib, "closing", contextlib.nullcontext)
    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(plan(tmp_path / "out", seeds=2), lambda line: None)
    monkeypatch.setattr(table.files, "write_text", real)
    sweep.sweep(plan(tmp_path / "out", seeds=2), lambda line: None)
    assert without_times(tmp_path / "out")[1:] == without_times(folder)[1:]
    assert table.read_course(tmp_path / "out") == table.read_course(folder)


def test_two_sweeps_do_not_work_in_one_folder(tmp_path):
    with sweep._alone(tmp_path), pytest.raises(BadConfig, match="no other sweep"):
        sweep.sweep(plan(tmp_path), lambda line: None)


def test_a_cell_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    """At every step once: the row is the same in all but times."""
    (whole,) = plan(tmp_path / "whole", ("base",)).cells()
    (broken,) = plan(tmp_path / "broken", ("base",)).cells()
    for one in (whole, broken):
        cfg = variants.with_labels(one.cfg, "orl")
        stock.fill(batches.training_loader("orl", cfg, 0), 4, one.batches)
        stock.fill_trials(one.trials, "oagan", "orl", one.cfg, 6)
    row, real, calls = cells.run(whole), oagan.train_step, []

    def dies(*args):
        calls.append(1)
        if len(calls) in (2, 4, 6):
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(oagan, "train_step", dies)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            cells.run(broken)
    again = cells.run(broken)
    assert {k: v for k, v in again.items() if k != "seconds"} == {k: v for k, v in row.items() if k != "seconds"}
    assert cells.run(broken) == again
    with pytest.raises(BadConfig, match="same settings"):
        cells.run(dataclasses.replace(broken, cfg=dataclasses.replace(broken.cfg, width=16)))


def test_a_run_that_diverges_is_a_row_that_says_so(tmp_path, monkeypatch):
    (one,) = plan(tmp_path, ("base",)).cells()
    stock.fill(batches.training_loader("orl", variants.with_labels(one.cfg, "orl"), 0), 4, one.batches)
    real = oagan.train_step
    monkeypatch.setattr(oagan, "train_step", lambda *a: real(*a) | ({"D": float("nan")} if a[3].step == 2 else {}))
    row = cells.run(one)
    assert row["ended"] == "not finite at step 2" and "pictures" not in row
    content = {"header": {"people": ["a"]}, "rows": [row]}
    (line,) = table.lines(content)
    assert line.failed == (0,) and line.verdict == "breaks" and math.isnan(line.mean) and line.seeds == {}
    assert ",breaks,0," in table.as_csv(content) and "| breaks |" in table.as_text(content)


@pytest.mark.parametrize("everybody", [True, False])
def test_ctrl_c_ends_what_is_at_work_and_begins_nothing_new(tmp_path, everybody):
    words = ["--variants", "no critic", "SN", "--size", "32", "--budget", "40", "--seeds", "2", "--jobs", "1"]
    command = [sys.executable, "-m", "facelab.cli", "ablate", "oagan", *words, "--count", "8", "--out", str(tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731  (a test in the background ignores it)
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=heard, **pipes)
    next(line for line in process.stderr if "dB in the hole" in line)  # the first run is done
    os.killpg(process.pid, signal.SIGINT) if everybody else process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == cli.INTERRUPTED and "the same command goes on" in said
    begun = sorted((tmp_path / "cells").iterdir())
    assert 1 <= sum((folder / "row.json").is_file() for folder in begun) <= 2 and len(begun) <= 3, begun


def test_data_that_is_not_here_leaves_no_folder(tmp_path):
    with pytest.raises(FacelabError):
        sweep.sweep_named(["base"], data="nowhere", seeds=1, steps=1, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_sweep_killed_at_random_ends_like_one_never_killed(tmp_path):
    command = [sys.executable, str(KILLER), str(tmp_path), "2", "8", "32", "1"]  # kills, steps, pixels, seeds
    finished = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    found = json.loads(finished.stdout)
    assert found["killed"] >= 1 and found["same"] and found["same_table"] and found["rows"] > 15


# --- what the numbers say ------------------------------------------------------------------------------------------


def made_up(parent, child, people=("a", "a", "b", "b")):
    """Rows of two variants, some seeds, a few pictures; four of two people unless told."""
    runs = [(name, seed, one) for name, ones in (("base", parent), ("R1", child)) for seed, one in enumerate(ones)]
    rows = [{"variant": name, "seed": seed, "seconds": 1.0, "ended": "done",
             "pictures": {"psnr_hole": one, "identity": one}} for name, seed, one in runs]  # fmt: skip
    return {"header": {"people": list(people)}, "rows": rows}


def test_a_difference_is_taken_picture_by_picture_and_seed_by_seed():
    parent = [[10.0, 20.0, 30.0, 40.0], [0.0, 50.0, 5.0, 7.0], [1.0, 2.0, 3.0, 4.0]]
    child = [[value + 1 for value in run] for run in parent]
    line = table.lines(made_up(parent, child))[1]
    assert (line.difference, line.low, line.high) == pytest.approx((1, 1, 1))  # however much faces and seeds differ
    assert line.verdict == "better" and line.mean == pytest.approx(sum(line.seeds.values()) / 3)
    assert line.std == pytest.approx(torch.tensor(list(line.seeds.values())).std().item())
    assert table.lines(made_up(parent, child), metric="identity")[1].verdict == "worse"  # less distance is better


def test_photographs_show_other_people_than_the_trial():
    """Six photographs beside four pictures of two people: each counts as a person of its own."""
    content = made_up([[1.0] * 4] * 3, [[1.0] * 4] * 3)
    for row in content["rows"]:
        row["pictures"]["real"] = [1, 1, 0, 1, 1, 1] if row["variant"] == "R1" else [0, 1, 0, 1, 1, 1]
    assert table.measured(content) == [*table.METRICS, "real"]
    line = table.lines(content, metric="real")[1]
    assert line.mean == pytest.approx(5 / 6) and line.difference == pytest.approx(1 / 6)
    assert line.low == 0 and line.high > 1 / 6, "one photograph in six alone decides nothing"


def test_everybody_may_be_held_against_one():
    content = made_up([[1.0] * 4] * 3, [[1.5] * 4] * 3)
    grandchildren = [row | {"variant": "R1 + NS", "pictures": {"psnr_hole": [3.0] * 4}}
                     for row in content["rows"] if row["variant"] == "R1"]  # fmt: skip
    content["rows"] += grandchildren
    to = {name: {line.variant: line.difference for line in table.lines(content, to=name)} for name in ("", "base")}
    assert (to[""]["R1 + NS"], to["base"]["R1 + NS"], to["base"]["R1"]) == pytest.approx((1.5, 2.0, 0.5))
    assert [math.isnan(apart["base"]) for apart in to.values()] == [True, True]
    assert "| R1 + NS | base |" in table.as_text(content, to="base")


def test_one_person_or_one_seed_alone_decides_nothing():
    same = [[10.0, 10.0, 10.0, 10.0]] * 3
    by_person = table.lines(made_up(same, [[12.0, 12.0, 10.0, 10.0]] * 3))[1]
    by_seed = table.lines(made_up(same, [[13.0] * 4, [10.0] * 4, [10.0] * 4]))[1]
    for line in (by_person, by_seed):
        assert line.difference == pytest.approx(1) and line.low <= 0 and line.verdict == "open"


def test_a_verdict_needs_three_seeds_that_agree():
    clear = [[12.0] * 4]
    assert [table.lines(made_up([[10.0] * 4] * n, clear * n))[1].verdict for n in (1, 2, 3)] == [
        "open",
        "open",
        "better",
    ]
    split = [[16.0] * 4, [15.0] * 4, [9.9] * 4]
    line = table.lines(made_up([[10.0] * 4] * 3, split))[1]
    assert line.low < 0 < line.difference and line.verdict == "open"


@pytest.mark.parametrize(("seeds", "most"), [(3, 0.25), (6, 0.12)])
def test_how_often_a_verdict_is_wrong_where_seeds_decide(seeds, most):
    """No difference at all, eight people, seeds that scatter by more than people: the rule that colours a bar."""
    wrong, intervals, tries = 0, 0, 150
    for k in range(tries):
        random = generator(k, "null")
        apart = torch.randn(seeds, 1, generator=random) + 0.3 * torch.randn(seeds, 80, generator=random)
        content = made_up([[0.0] * 80] * seeds, apart.tolist(), PEOPLE)
        (line,) = [line for line in table.lines(content) if line.parent]
        wrong, intervals = wrong + (line.verdict != "open"), intervals + (not line.low <= 0 <= line.high)
    assert wrong / tries < most and intervals / tries < 0.3, (wrong, intervals)
    assert intervals, "an interval that never errs is too long"


def test_how_often_the_interval_holds_the_truth():
    """Three seeds, eight people, no difference at all, as much chance from seeds as from pictures."""
    wrong, flattered, tries = 0, 0, 120
    for k in range(tries):
        random = generator(k, "null")
        apart = 0.3 * torch.randn(3, 1, generator=random) + 0.3 * torch.randn(3, 80, generator=random)
        apart = apart + 0.1 * torch.randn(8, generator=random).repeat_interleave(10)
        _, low, high = table.difference(dict(enumerate(apart)), dict(enumerate(torch.zeros(3, 80))), PEOPLE, k)
        wrong += not low <= 0 <= high
        low, high = bootstrap(apart.mean(0), generator(k, "pictures"), draws=300)
        flattered += not low <= 0 <= high
    assert 0.02 < wrong / tries < 0.2, wrong  # not 0.05: three seeds are few; never 0: bars that are no wider than that
    assert flattered / tries > 0.4, "pictures of one run are no independent runs"


def test_more_sharpness_is_neither_better_nor_worse_and_gaps_are_left_out():
    content = made_up([[1.0] * 4] * 3, [[2.0, 2.0, 2.0, None]] * 3)
    for row in content["rows"]:
        row["pictures"]["sharpness"] = row["pictures"]["psnr_hole"]
    line = table.lines(content, metric="sharpness")[1]
    assert line.verdict == "sharper" and line.mean == 2 and line.difference == 1


def test_only_seeds_that_both_have_are_compared():
    content = made_up([[1.0] * 4, [2.0] * 4], [[1.5] * 4])
    line = table.lines(content)[1]
    assert line.difference == pytest.approx(0.5) and set(line.seeds) == {0}


# --- the diagnosis -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def looked():
    cfg = variants.configuration("SN + GP", "orl", 10, base=TINY)
    seed_all(0)
    model = oagan.build(cfg).eval()
    test = trial(faces("orl", "val", 32, 1), 8, 0)
    return cfg, model, test


def test_looking_changes_nothing(looked):
    cfg, model, test = looked
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    first = diagnosis.watch(model, cfg, test, Engine())(3)
    assert first == diagnosis.watch(model, cfg, test, Engine())(7)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(param.grad is None for param in model.parameters())


def test_the_bound_holds_and_the_kernels_product_need_not(looked):
    cfg, model, test = looked
    found = diagnosis.bounds(model.D, 32)
    assert slopes(model.D, test.truth).max() <= found["bound_operator"] * 1.001
    assert found["bound_kernel"] < found["bound_operator"]


def test_what_a_critic_says():
    """One pattern for everybody; a pattern of each picture's own; a coarse one."""
    fakes = torch.randn(4, 1, 16, 16, generator=generator(0))
    pattern = torch.randn(1, 1, 16, 16, generator=generator(1))
    hole = torch.zeros(4, 1, 16, 16)
    hole[..., 8:] = 1
    elsewhere = pattern * (1 - hole[:1]) * 100  # where nothing was painted
    repeats = diagnosis.said(lambda x: (x * (pattern + elsewhere)).sum((1, 2, 3), keepdim=True), fakes, hole)
    own = diagnosis.said(lambda x: x.square().sum((1, 2, 3), keepdim=True), fakes, hole)
    own["coarse"] = diagnosis.said(lambda x: (x * elsewhere).sum((1, 2, 3), keepdim=True), fakes, hole)["coarse"]
    brighter = diagnosis.said(lambda x: 7 * x.mean((1, 2, 3), keepdim=True), fakes, hole)
    assert repeats["same"] == pytest.approx(1) and repeats["coarse"] < 0.1
    assert own["same"] == pytest.approx(1 / 4, abs=0.08) and own["coarse"] == 0
    assert brighter == pytest.approx({"same": 1, "coarse": 1}, abs=1e-5)


def test_pulls_are_the_gradients_of_the_terms(looked):
    """With nothing but the pixel loss on an 8 × 8 hole: λ a pixel of 1024, so λ · 8 / 1024 long, all of it inside."""
    cfg, model, test = looked
    only = dataclasses.replace(cfg, lambda_visible=0.0, lambda_hole=0.0, lambda_area=0.0, lambda_tv=0.0, lambda_adv=0.0,
                               feature_net="none")  # fmt: skip
    hole = torch.zeros(2, 1, 32, 32)
    hole[..., :8, :8] = 1
    truth = torch.zeros(2, 1, 32, 32)
    plain = oagan.build(only)
    out = Guess(torch.zeros(2, 1, 32, 32), truth + 0.5)
    found = diagnosis.pulls(plain, only, out, truth, truth, hole, Engine())
    assert found["inside"] == pytest.approx(1.0)
    assert found["pull_truth"] == pytest.approx(6.0 * 8 / 1024, rel=1e-4)
    assert found["pull_critic"] == 0 and found["hole_pull_critic"] == 0
    loud = dataclasses.replace(only, lambda_adv=5.0)
    for joined in (False, True):
        found = diagnosis.pulls(plain, loud, out, truth, truth, hole, Engine(), joined)
        assert (found["pull_critic"] > 0) == joined


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_lists_and_refuses(capsys, tmp_path):
    assert cli.main(["ablate", "oagan", "--list"]) == 0
    assert "DRAGAN + IN" in capsys.readouterr().out
    assert cli.main(["ablate", "oagan", "--seeds", "0"]) == 2
    assert cli.main(["ablate", "oagan", "--variants", "nonsense", "--out", str(tmp_path)]) == 2
    assert "one of base" in capsys.readouterr().err


def test_random_features_are_the_same_in_every_process():
    from facelab.nets.features import feature_net

    torch.manual_seed(1)
    first = feature_net("resnet34-random")(torch.zeros(1, 1, 32, 32))
    torch.manual_seed(2)
    again = feature_net("resnet34-random")(torch.zeros(1, 1, 32, 32))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert len(first) == 3 and torch.isfinite(first[-1]).all()


# --- the record ----------------------------------------------------------------------------------------------------


def test_the_record_is_small_and_says_what_the_sweep_said(done, tmp_path, monkeypatch):
    folder, _ = done
    monkeypatch.setattr(record, "home", lambda data, lesson="05": tmp_path / f"{lesson}_{data}")
    paths = record.write(folder)
    assert all(path.stat().st_size < 150_000 for path in paths) and all(map(Path.is_file, paths))
    assert record.write(folder, faces=False) == paths[:2]
    assert record.recorded() == table.read(folder)
    long, short = table.read_course(folder), record.recorded_course()
    assert len(long) == len(short)
    for look, again in zip(long, short, strict=True):
        assert look.keys() == again.keys() and look["variant"] == again["variant"]
        assert again["slope_real"] == pytest.approx(look["slope_real"], rel=6e-3)
    sheet = record.recorded_sheet()
    assert list(sheet.images) == list(sheet.holes) == ["base", "SN + GP"]
    drawn = images.load_image(folder / "cells" / "sn-gp-seed0" / "faces.png")
    for k in range(record.FACES):
        face = drawn[:, :32, 32 * k : 32 * k + 32]
        assert (sheet.images["SN + GP"][k] - face).abs().mean() < 0.05  # JPEG
        assert (sheet.holes["SN + GP"][k] * 2 - 1 - drawn[:, 32:, 32 * k : 32 * k + 32]).abs().max() < 0.07
    assert sheet.truth.shape == (6, 1, 32, 32) and (sheet.occluded != sheet.truth).any()
    assert sheet.images["base"].shape == sheet.truth.shape


@pytest.mark.parametrize("data", ["orl", "lfw", "long"])
def test_what_ships_is_a_whole_record(data, tmp_path):
    """The figures of lesson 05 stand on it: runs with the settings of the table as it is, and what was seen of each."""
    content = record.recorded(data)
    header, rows = content["header"], content["rows"]
    runs = {(row["variant"], row["seed"]) for row in rows}
    names = {name for name, _ in runs}
    if data == "orl":
        plan_now = plans.Plan(variants.VARIANTS, data, 3, header["steps"], tmp_path, count=256)
        plans.refuse_other(plan_now, content)
        assert names == set(variants.by_name()) - set(header["not run"])
    assert names <= set(variants.by_name())
    for name in names:  # the settings of today's table; lfw itself need not be here for that
        wanted, found = plain_config(variants.configuration(name, "orl", header["steps"])), header["base"]
        found = found | header["changes"][name] | {key: wanted[key] for key in ("channels", "classes")}
        assert found == wanted, name
    count = {name: 1 + max(seed for other, seed in runs if other == name) for name in names}
    assert runs == {(name, seed) for name in names for seed in range(count[name])}, "a seed is missing"
    assert min(count.values()) >= (1 if data == "long" else 3)
    assert runs == {(look["variant"], look["seed"]) for look in record.recorded_course(data)}
    assert all(len(row["pictures"]["psnr_hole"]) == header["count"] for row in rows)


FACEMASKS = facemask_variants.BASE | {
    "size": 32, "width": 8, "hole_width": 8, "blocks": 1, "critic_width": 4, "critic_downs": 3, "batch": 4,
    "feature_net": "none", "encoder": "none", "enlarge": 1,
}  # fmt: skip


def test_every_variant_of_mask_removal_changes_what_it_says():
    tree = variants.by_name(facemask_variants.VARIANTS)
    make = lambda name: variants.configuration(  # noqa: E731
        name, "orl", 10, facemask_variants.VARIANTS, facemask_variants.BASE, mask_removal.Config
    )
    base = dataclasses.asdict(make("base"))
    for name, variant in tree.items():
        made = dataclasses.asdict(make(name))
        assert {field for field in made if made[field] != base[field]} == set(variant.changes)


def test_another_system_is_swept_by_the_same_code(tmp_path):
    rows = [v for v in facemask_variants.VARIANTS if v.name in ("base", "always told", "upright", "unpaired")]
    todo = plans.Plan(rows, "orl", 1, 3, tmp_path, count=4, base=FACEMASKS, table=facemask_variants.VARIANTS,
                      system="mask_removal")  # fmt: skip
    folders = {cell.variant: cell.batches for cell in todo.cells()}
    assert folders["base"] == folders["always told"] == folders["unpaired"] != folders["upright"]
    content = sweep.sweep(todo, lambda line: None)
    assert content["header"]["system"] == "mask_removal"
    assert [row["variant"] for row in content["rows"]] == ["base", "always told", "upright", "unpaired"]
    for row in content["rows"]:
        assert row["ended"] == "done" and {"psnr_hole", "iou"} <= set(row["means"])
        assert len(row["pictures"]["psnr_told"]) == 4 and ",psnr_told," in table.as_csv(content, rows)
        assert "unseen" in row and "further" in row
        assert "real" not in row["pictures"], "grey pictures are no photographs of masks"
    found = table.lines(content, facemask_variants.VARIANTS)
    assert [line.variant for line in found] == ["base", "always told", "upright", "unpaired"]
    assert "| upright | base |" in table.as_text(content, facemask_variants.VARIANTS)
    again = sweep.sweep(todo, lambda line: pytest.fail(line))
    assert again == content


def test_photographs_are_judged_where_they_are_and_the_network_sees_colour(monkeypatch):
    pictures = torch.rand(3, 3, 32, 32, generator=generator(0, "p")) * 2 - 1

    class Part:
        __len__ = lambda self: 3  # noqa: E731
        take = lambda self, places: (pictures[places], None)  # noqa: E731

    monkeypatch.setattr(subjects, "masked_photographs_here", lambda channels: channels == 3)
    monkeypatch.setattr(subjects, "natural_photographs", lambda splits, size: Part())
    monkeypatch.setattr(subjects, "covers_facemask", lambda hole: torch.tensor([True, False, True])[: len(hole)])
    hole = torch.zeros(3, 1, 32, 32)
    hole[..., 12:28, 6:26] = 1
    for channels in (1, 3):
        cfg = mask_removal.Config(**{**FACEMASKS, "channels": channels, "steps": 3})
        truth = pictures[:, :channels]
        test = Trial(truth * (1 - hole), truth, hole, torch.zeros(3, 68, 2), ("cup",) * 3, ("a", "b", "c"))
        found = subjects.subject("mask_removal").also(mask_removal.build(cfg), test, cfg)
        assert len(found["psnr_told"]) == 3 and found.get("real") == ([1, 0, 1] if channels == 3 else None)


def test_batches_drawn_for_one_way_of_wearing_are_not_those_of_another(tmp_path):
    about = subjects.subject("mask_removal")
    cfg = mask_removal.Config(**{**FACEMASKS, "channels": 1, "steps": 3})
    upright = dataclasses.replace(cfg, fit="upright")
    assert about.drawn_alone(cfg, cfg) == "" and about.drawn_alone(upright, cfg) == "upright"
    one, other = (about.loader("orl", c, 0)(0) for c in (cfg, upright))
    assert torch.equal(one["truth"], other["truth"]) and not torch.equal(one["hole"], other["hole"])
    assert "natural" in one
    with pytest.raises(BadConfig, match="oagan, mask_removal"):
        subjects.subject("magic")
