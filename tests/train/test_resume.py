"""An interrupted run, continued, ends in the same bits as one that was never interrupted."""

import os
import signal

import pytest
import torch

from facelab.errors import BadCheckpoint, BadConfig, NotFinite
from facelab.train import checkpoint
from facelab.train.engine import Engine
from facelab.train.fit import fit
from facelab.train.run import open_run

TOTAL = 10


def train(tiny, folder, steps, precision="fp32", seed=0, step=None, **options):
    engine = Engine(precision=precision)
    model, opts, state = tiny.build(seed, total=TOTAL, engine=engine)
    run = open_run(folder, model, opts, state, engine=engine, note=lambda line: None)
    made = tiny.step(model, opts, state, engine)
    options = {"every": 3, "validate": lambda n: {"luck": torch.rand(()).item()}, "progress": False} | options
    outcome = fit(step(made, state) if step else made, tiny.loader, steps, **run.hooks(), **options)
    return tiny.snapshot(model, opts, state), run, outcome


def plain_rows(run):
    return [{k: v for k, v in row.items() if k not in ("seconds", "wait")} for row in run.history.rows]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resumed_run_is_bit_equal(tiny, tmp_path, precision):
    whole, run, _ = train(tiny, tmp_path / "whole", TOTAL, precision)
    for stop in (1, 4, 6, 9):
        folder = tmp_path / f"cut{stop}"
        train(tiny, folder, stop, precision)
        resumed, again, _ = train(tiny, folder, TOTAL, precision, seed=99)  # other weights, unless really restored
        assert tiny.differing(whole, resumed) == [], f"interrupted at {stop}"
        assert again.resumed and not run.resumed
        losses = [{k: v for k, v in row.items() if not k.startswith("val_")} for row in plain_rows(again)]
        assert losses == [{k: v for k, v in row.items() if not k.startswith("val_")} for row in plain_rows(run)]


def test_precisions_differ_so_that_equality_means_something(tiny, tmp_path):
    assert tiny.differing(train(tiny, tmp_path / "a", 3)[0], train(tiny, tmp_path / "b", 3, "bf16")[0])


def test_tensors_of_the_state_come_back_on_the_engines_device(tiny, tmp_path):
    _, run, _ = train(tiny, tmp_path, 3)
    run.state.tensors["pool"] = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    run.save()
    model, opts, state = tiny.build(total=TOTAL)
    open_run(tmp_path, model, opts, state, engine=Engine(device=torch.device("meta")), note=lambda line: None)
    assert {value.device.type for value in state.tensors.values()} == {"meta"}
    assert state.tensors["pool"].stride() == run.state.tensors["pool"].stride()


@pytest.mark.parametrize("forgotten", ["rng", "pool", "optimizers"])
def test_forgetting_one_part_is_noticed(tiny, tmp_path, monkeypatch, forgotten):
    whole, *_ = train(tiny, tmp_path / "whole", 6)
    train(tiny, tmp_path / "cut", 3)
    true_read = checkpoint.read

    def forgetful(path):
        content = true_read(path)
        if forgotten == "pool":
            content["state"]["tensors"] = {}
        if forgotten == "optimizers":
            for opt in content["optimizers"].values():
                opt["state"] = {}
        return content

    monkeypatch.setattr(checkpoint, "read", forgetful)
    if forgotten == "rng":
        monkeypatch.setattr(checkpoint, "set_rng_state", lambda saved: None)
    assert tiny.differing(whole, train(tiny, tmp_path / "cut", 6, seed=99)[0])


def test_history_after_a_kill_has_no_duplicates(tiny, tmp_path):
    _, run, _ = train(tiny, tmp_path, 5)  # checkpoints at 3 and 5, rows to 5
    (tmp_path / "checkpoints" / checkpoint.name_of(5)).unlink()
    with open(run.history.path, "a") as out:
        out.write('{"step": 6, "g": 0.')  # cut short by a kill
    _, again, _ = train(tiny, tmp_path, 7)
    assert [row["step"] for row in again.history.rows] == [1, 2, 3, 4, 5, 6, 7]
    assert len(again.history.path.read_text().splitlines()) == 7


@pytest.mark.parametrize(
    "mode, number", [("raise", signal.SIGINT), ("return", signal.SIGINT), ("raise", signal.SIGTERM)]
)
def test_ctrl_c_finishes_the_step_and_leaves_a_resumable_run(tiny, tmp_path, mode, number):
    whole, *_ = train(tiny, tmp_path / "whole", TOTAL)

    def pressed(step, state):
        def wrapped(batch):
            if state.step == 4:
                os.kill(os.getpid(), number)
            return step(batch)

        return wrapped

    before = signal.getsignal(number)
    if mode == "raise":
        with pytest.raises(KeyboardInterrupt, match="step 5 of 10"):
            train(tiny, tmp_path / "cut", TOTAL, step=pressed)
    else:
        _, _, outcome = train(tiny, tmp_path / "cut", TOTAL, step=pressed, on_interrupt="return")
        assert (outcome.stopped, outcome.step) == ("interrupted", 5)
    assert signal.getsignal(number) is before
    assert checkpoint.latest(tmp_path / "cut" / "checkpoints").name == checkpoint.name_of(5)
    assert tiny.differing(whole, train(tiny, tmp_path / "cut", TOTAL, seed=99)[0]) == []


def test_second_ctrl_c_does_not_wait(tiny, tmp_path):
    def pressed(step, state):
        def wrapped(batch):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the second Ctrl-C did not stop the step")

        return wrapped

    with pytest.raises(KeyboardInterrupt):
        train(tiny, tmp_path, TOTAL, step=pressed)


def test_nan_keeps_the_batch_and_the_last_good_checkpoint(tiny, tmp_path):
    def broken(step, state):
        return lambda batch: step(batch) | ({"g": float("nan")} if state.step == 4 else {})

    with pytest.raises(NotFinite, match="g is not finite at step 4.*smaller learning rate") as caught:
        train(tiny, tmp_path, TOTAL, step=broken)
    kept = torch.load(caught.value.saved, weights_only=True)
    assert torch.equal(kept["truth"], tiny.loader(4)["truth"])
    assert checkpoint.latest(tmp_path / "checkpoints").name == checkpoint.name_of(3)
    assert train(tiny, tmp_path, TOTAL)[2].stopped == "done"


def test_weights_that_are_not_finite_are_never_saved(tiny, tmp_path):
    def poison(step, state):
        def wrapped(batch):
            logs = step(batch)
            if state.step == 5:
                poisoned.G.body[0].weight.data[0, 0, 0, 0] = float("inf")
            return logs

        return wrapped

    engine = Engine()
    poisoned, opts, state = tiny.build(0, total=TOTAL, engine=engine)
    run = open_run(tmp_path, poisoned, opts, state, engine=engine, note=lambda line: None)
    with pytest.raises(NotFinite, match="weight G.body.0.weight"):
        step = poison(tiny.step(poisoned, opts, state, engine), state)
        fit(step, tiny.loader, TOTAL, every=3, progress=False, **run.hooks())
    assert checkpoint.latest(tmp_path / "checkpoints").name == checkpoint.name_of(3)


def test_time_budget_slices_end_in_the_same_bits(tiny, tmp_path):
    whole, *_ = train(tiny, tmp_path / "whole", TOTAL)
    calls = 0
    while True:
        sliced, _, outcome = train(tiny, tmp_path / "cut", TOTAL, seed=calls, seconds=1e-9)
        calls += 1
        if outcome.stopped == "done":
            break
        assert outcome.stopped == "budget"
    assert calls == TOTAL
    assert tiny.differing(whole, sliced) == []


def test_other_settings_are_refused_with_both_values(tiny, tmp_path):
    train(tiny, tmp_path, 3)
    model, opts, state = tiny.build(width=16, total=TOTAL)
    with pytest.raises(BadCheckpoint, match="this run was started with width=8, now 16"):
        open_run(tmp_path, model, opts, state)


def test_longer_and_shorter_plans(tiny, tmp_path):
    train(tiny, tmp_path, 6)
    said = []
    model, opts, state = tiny.build(total=20)
    open_run(tmp_path, model, opts, state, note=said.append)
    assert state.total_steps == 20 and state.step == 6 and "planned for 10 steps, now 20" in said[0]
    model, opts, state = tiny.build(total=5)
    with pytest.raises(BadCheckpoint, match="at step 6, beyond the 5 asked for"):
        open_run(tmp_path, model, opts, state)


def test_never_resume_keeps_the_earlier_run(tiny, tmp_path):
    train(tiny, tmp_path / "run", 3)
    model, opts, state = tiny.build(total=TOTAL)
    run = open_run(tmp_path / "run", model, opts, state, resume="never", note=lambda line: None)
    assert state.step == 0 and not run.resumed and run.history.rows == []
    assert checkpoint.latest(tmp_path / "run.1" / "checkpoints").name == checkpoint.name_of(3)
    with pytest.raises(BadConfig, match="auto or never"):
        open_run(tmp_path / "run", model, opts, state, resume="yes")


def test_damaged_checkpoints_do_not_push_out_intact_ones(tiny, tmp_path):
    train(tiny, tmp_path, 5)
    folder, said = tmp_path / "checkpoints", []
    (folder / checkpoint.name_of(10)).write_bytes(b"damaged")
    model, opts, state = tiny.build(total=TOTAL)
    with pytest.warns(UserWarning, match="falling back"):
        run = open_run(tmp_path, model, opts, state, keep=1, note=said.append)
    assert said[-1].endswith(f"{checkpoint.name_of(10)} is damaged: kept as {checkpoint.name_of(10)}.damaged")
    state.step = 6
    run.save()
    assert {path.name for path in folder.iterdir()} == {checkpoint.name_of(6), f"{checkpoint.name_of(10)}.damaged"}
    assert checkpoint.latest(folder).name == checkpoint.name_of(6)
    assert (folder / f"{checkpoint.name_of(10)}.damaged").read_bytes() == b"damaged"


def test_a_refused_resume_renames_nothing(tiny, tmp_path):
    train(tiny, tmp_path, 3)
    (tmp_path / "checkpoints" / checkpoint.name_of(9)).write_bytes(b"damaged")
    model, opts, state = tiny.build(width=16, total=TOTAL)
    with pytest.warns(UserWarning, match="falling back"), pytest.raises(BadCheckpoint, match="width"):
        open_run(tmp_path, model, opts, state)
    assert (tmp_path / "checkpoints" / checkpoint.name_of(9)).is_file()


def test_best_checkpoint_is_that_of_the_best_step(tiny, tmp_path):
    values = {3: 1.0, 6: 3.0, 9: 2.0, 10: 3.0}
    _, run, _ = train(tiny, tmp_path, TOTAL, validate=lambda n: {"psnr": values[n]}, best="psnr")
    assert (run.state.best, run.state.best_step) == (3.0, 6)
    assert checkpoint.read(tmp_path / "best.ckpt")["state"]["step"] == 6
    options = {"validate": lambda n: {"loss": values[n]}, "best": "loss", "higher": False}
    _, lower, _ = train(tiny, tmp_path / "low", TOTAL, **options)
    assert lower.state.best_step == 3
