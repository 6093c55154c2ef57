"""The benches compare like with like; how fast either side is, no test asks."""

import dataclasses

import pytest
import torch

from facelab.bench import step as bench
from facelab.bench import timing
from facelab.cli import main
from facelab.nets.features import feature_net
from facelab.systems import oagan
from facelab.train.engine import Engine


def test_both_sides_of_the_step_compute_the_same_losses(monkeypatch):
    monkeypatch.setattr(bench, "SIZE", 32)
    monkeypatch.setattr(bench, "BATCH", 2)
    cfg = oagan.Config(
        model="published", size=32, channels=3, width=8, critic_width=4, critic_downs=3, batch=2,
        adversarial_from=0.0, teacher=0.0, ema=0.0, steps=100,
    )  # fmt: skip
    batch = bench._batch()
    plain = bench._plain_side(cfg, batch, feature_net(cfg.feature_net))()
    ours = bench._our_side(cfg, batch, Engine())()
    assert set(plain) <= set(ours)
    for name in set(plain) - {"penalty", "adv"}:
        assert ours[name] == pytest.approx(plain[name], rel=1e-4, abs=1e-5), name
    other = bench._our_side(dataclasses.replace(cfg, lambda_hidden=5.0), batch, Engine())()
    assert other["hidden"] != pytest.approx(plain["hidden"], rel=1e-3)


def test_sides_are_taken_in_turn_and_the_minimum_counts(monkeypatch):
    order, clock = [], iter(torch.arange(0, 1000, dtype=torch.float64).cumsum(0).tolist())
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    best = timing.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert best == {"a": 3.0, "b": 5.0}  # the clock ticks 1, 2, 3 ...: the first round is not timed


def test_kept_memory_is_not_asked_for_again(monkeypatch):
    monkeypatch.setattr(bench, "SIZE", 64)
    monkeypatch.setattr(bench, "BATCH", 2)
    seconds, faults = bench.seconds_and_faults(keep=True, steps=3)
    assert seconds > 0 and 0 <= faults < 500


def test_command_writes_what_it_measured(tmp_path, capsys):
    assert main(["bench", "ssim", "--rounds", "1", "--out", str(tmp_path / "b.json")]) == 0
    assert "scikit-image" in (tmp_path / "b.json").read_text()
    assert main(["bench", "nothing"]) == 2
    assert "step, memory" in capsys.readouterr().err
