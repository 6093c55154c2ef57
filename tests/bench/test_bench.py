"""The benches compare like with like; how fast either side is, no test asks."""

import dataclasses

import pytest
import torch

from facelab import machine
from facelab.bench import cycle, pictures, step, timing
from facelab.cli import main
from facelab.data import decode
from facelab.data.synth import open_synth
from facelab.nets.features import feature_net
from facelab.systems import oagan
from facelab.train.engine import Engine


def test_both_sides_of_the_step_compute_the_same_losses():
    cfg = oagan.Config(
        model="published", size=32, channels=3, width=8, critic_width=4, critic_downs=3, batch=2,
        adversarial_from=0.0, teacher=0.0, ema=0.0, steps=100,
    )  # fmt: skip
    batch = step._batch(32, 2)
    plain = step._plain_side(cfg, batch, feature_net(cfg.feature_net))()
    ours = step._our_side(cfg, batch, Engine())()
    assert set(plain) <= set(ours)
    for name in set(plain) - {"penalty", "adv"}:
        assert ours[name] == pytest.approx(plain[name], rel=1e-4, abs=1e-5), name
    other = step._our_side(dataclasses.replace(cfg, lambda_hidden=5.0), batch, Engine())()
    assert other["hidden"] != pytest.approx(plain["hidden"], rel=1e-3)


def test_both_sides_of_the_cycle_step_compute_the_same_losses_step_after_step():
    cfg, batch = cycle._config(32, 2, 4), cycle._batch(32, 2)
    plain, ours = cycle.plain_side(cfg, batch), cycle.our_side(cfg, batch, Engine())
    for _ in range(3):
        wanted, found = plain(), ours()
        assert set(found) - set(wanted) == {"real_nir", "real_vis"} and set(wanted) <= set(found)
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, rel=2e-3, abs=1e-4), name
    other = cycle.our_side(dataclasses.replace(cfg, lambda_cyc=5.0), batch, Engine())()
    assert other["cyc"] != pytest.approx(cycle.plain_side(cfg, batch)()["cyc"], rel=1e-3)


def test_sides_are_taken_in_turn_and_the_minimum_counts(monkeypatch):
    order, clock = [], iter(torch.arange(0, 1000, dtype=torch.float64).cumsum(0).tolist())
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    best = timing.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert best == {"a": 3.0, "b": 5.0}  # the clock ticks 1, 2, 3 ...: the first round is not timed


def test_a_slow_side_is_run_between_two_runs_of_the_other(monkeypatch):
    order, now = [], [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def take(name, seconds):
        order.append(name)
        now[0] += seconds.pop(0)

    outer, inner = [9.0, 2.0, 4.0, 1.0, 2.0], [10.0, 7.0]  # the first is not measured; the second round is faster
    found = timing.framed(lambda: take("outer", outer), lambda: take("inner", inner), 2)
    assert order == ["outer"] + ["outer", "inner", "outer"] * 2 and found == (1.5, 7.0)


def test_kept_memory_is_not_asked_for_again(monkeypatch, glibc):
    monkeypatch.setattr(step, "SIZE", 64)
    monkeypatch.setattr(step, "BATCH", 4)
    found = step.bench_memory(1)
    faults = found["page faults a step"]
    assert faults["kept"] < faults["returned"] / 5 and found["setting"].startswith("64 px")
    assert found["ratio"]["kept"] == pytest.approx(found["seconds"]["returned"] / found["seconds"]["kept"], abs=0.006)


def test_memory_that_cannot_be_kept_is_said(monkeypatch):
    monkeypatch.setattr(step, "keep_freed_memory", lambda: False)
    assert step.seconds_and_faults(True, 32, 2) is None


def test_command_writes_what_it_measured(tmp_path, capsys):
    assert main(["bench", "ssim", "--rounds", "1", "--out", str(tmp_path / "b.json")]) == 0
    assert "scikit-image" in (tmp_path / "b.json").read_text()
    assert main(["bench", "nothing"]) == 2
    assert "step, memory" in capsys.readouterr().err


def test_every_system_that_ships_is_timed_on_a_folder(repo):
    found = pictures.bench_restore(1, 2)["pictures per second"]
    shipped = {path.stem for path in (repo / "weights").glob("*.safetensors")}
    assert set(found) == shipped and all(value > 0 for value in found.values())


def test_both_hogs_are_one():
    found = pictures.bench_hog(1)
    assert found["largest difference"] <= 1e-6 and set(found["ratio"]) == {"ours", "soft, forward and backward"}


def test_one_process_renders_other_people_at_every_call(monkeypatch):
    found, seen = open_synth(3), []
    monkeypatch.setattr(found, "at", lambda place, size, channels: seen.append((found.shots[place].person, size)))
    run, heads = pictures._by_one(found, 2)
    run(64)
    first = seen.copy()
    run(128)
    assert heads == len(first) == len(seen) / 2 and {size for _, size in first} == {64}
    assert [len({who for who, _ in part}) for part in (first, seen[heads:])] == [2, 2]
    assert seen[heads][0] not in {who for who, _ in first}


def test_heads_are_rendered_by_one_process_and_by_several(monkeypatch):
    one = pictures.bench_render(1, 2)
    assert set(one["heads per second"]) == {"64 px, one process", "128 px, one process"} and one["ratio"] == {}
    calls = []
    monkeypatch.setattr(decode, "MANY", 1)
    monkeypatch.setattr(decode, "decode", lambda ds, size, channels, rows, tell: calls.append((size, rows.shape)))
    monkeypatch.setattr(machine, "usable_cores", lambda: 2)
    two = pictures.bench_render(1, 8)
    many = len(open_synth(8))
    assert calls == [(128, (many, 3, 128, 128))], "helpers start afresh: no round in vain"
    assert set(two["ratio"]) == {"128 px"}
    assert "128 px, 2 processes" in two["heads per second"] and f"{many} pictures" in two["setting"]
