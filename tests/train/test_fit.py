"""fit counts, watches, records and stops; the step itself may be anything."""

import threading
import time

import pytest
import torch

from facelab import seeding
from facelab.errors import BadConfig
from facelab.train import progress
from facelab.train.engine import Engine
from facelab.train.fit import fit
from facelab.train.history import History, read
from facelab.train.prefetch import batches
from facelab.train.state import State, plain_config, rng_state, set_rng_state


def run(steps=10, step=lambda batch: {"loss": float(batch)}, loader=lambda number: number, **options):
    state = options.pop("state", None) or State()
    history = History()
    outcome = fit(step, loader, steps, state=state, history=history, **{"progress": False, "every": 4} | options)
    return outcome, state, history


@pytest.mark.parametrize("prefetch", [True, False])
def test_each_step_gets_its_own_batch(prefetch):
    seen, asked = [], []
    state = State(step=3)
    run(8, lambda b: seen.append((state.step, b)) or {}, lambda n: asked.append(n) or n, state=state, prefetch=prefetch)
    assert seen == [(n, n) for n in range(3, 8)]
    assert asked == [3, 4, 5, 6, 7], "nothing is loaded twice or beyond the end"
    assert state.step == state.total_steps == 8


def test_prefetch_gives_the_same_bits(tiny):
    ends = []
    for prefetch in (True, False):
        engine = Engine()
        model, opts, state = tiny.build()
        fit(tiny.step(model, opts, state, engine), tiny.loader, 6, state=state, progress=False, prefetch=prefetch)
        ends.append(tiny.snapshot(model, opts, state))
    assert tiny.differing(*ends) == []


def test_prefetch_works_ahead_in_one_thread():
    names, ready = [], threading.Event()

    def loader(number):
        names.append(threading.current_thread().name)
        if number == 1:
            ready.set()
        return number

    with batches(loader, 0, 5) as draw:
        assert draw()[0] == 0
        assert ready.wait(5), "the next batch is not being prepared"
        assert [draw()[0] for _ in range(4)] == [1, 2, 3, 4]
    assert len(set(names)) == 1 and names[0] != threading.current_thread().name


def test_prefetch_takes_one_core_and_leaves_training_the_others():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with batches(lambda number: torch.get_num_threads(), 0, 3) as draw:
            assert [draw()[0] for _ in range(3)] == [1, 1, 1]
            assert torch.get_num_threads() == 2
            later = []
            other = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
            other.start()
            other.join()
            assert later == [2]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("prefetch", [True, False])
def test_a_failing_loader_says_why(prefetch):
    with pytest.raises(ZeroDivisionError):
        run(loader=lambda number: 1 // (3 - number), prefetch=prefetch)


def test_rows_hold_losses_times_and_validation():
    outcome, state, history = run(10, validate=lambda n: {"psnr": n * 2.0})
    assert [row["step"] for row in history.rows] == list(range(1, 11))
    assert history.column("loss") == (list(range(1, 11)), [float(n) for n in range(10)])
    assert history.column("val_psnr") == ([4, 8, 10], [8.0, 16.0, 20.0])
    assert all(row["seconds"] >= 0 and row["wait"] >= 0 for row in history.rows)
    assert outcome.stopped == "done" and outcome.step == 10 and outcome.logs["val_psnr"] == 20.0


def test_sparse_rows_keep_validations_and_the_end():
    assert [row["step"] for row in run(10, log_every=3)[2].rows] == [3, 4, 6, 8, 9, 10]


def test_saves_pictures_and_curves_come_when_due():
    saves, pictures, curves = [], [], []
    state = State()
    run(10, state=state, save=lambda best: saves.append((state.step, best)), save_every=3, picture=pictures.append,
        curve=lambda history: curves.append(len(history.rows)), log_every=5)  # fmt: skip
    assert saves == [(3, False), (6, False), (9, False), (10, False)]
    assert pictures == [4, 8, 10]
    assert curves == [1, 2, 3, 4]


def test_validation_does_not_disturb_the_run():
    drawn = []
    for validate in (None, lambda n: {"x": torch.rand(()).item()}):
        torch.manual_seed(0)
        drawn.append([])
        run(9, lambda b: drawn[-1].append(torch.rand(()).item()) or {}, validate=validate, prefetch=False)
    assert drawn[0] == drawn[1]


def test_a_budget_stops_cleanly():
    saves = []
    state = State()
    slow, keep = lambda batch: time.sleep(0.01) or {}, lambda best: saves.append(state.step)
    outcome, *_ = run(1000, slow, state=state, seconds=0.1, save=keep)
    assert outcome.stopped == "budget" and 1 <= outcome.step < 100 and saves[-1] == outcome.step


def test_a_finished_run_does_nothing():
    outcome, _, history = run(5, lambda b: pytest.fail("trained"), state=State(step=5, total_steps=5))
    assert outcome.stopped == "done" and history.rows == []


@pytest.mark.parametrize(
    "options, said",
    [
        ({"steps": 0}, "steps = 0"),
        ({"steps": 9, "state": State(total_steps=5)}, "1 to 5"),
        ({"every": 0}, "every = 0"),
        ({"log_every": 0}, "log_every"),
        ({"on_interrupt": "ignore"}, "raise or return"),
        ({"best": "psnr", "validate": lambda n: {"ssim": 1.0}}, "one of ssim"),
    ],
)
def test_impossible_settings_are_refused(options, said):
    with pytest.raises(BadConfig, match=said):
        run(**options)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_not_finite_is_never_best(value):
    state = State()
    run(8, state=state, validate=lambda n: {"m": value if n == 4 else 1.0}, best="m")
    assert (state.best, state.best_step) == (1.0, 8)


def test_ctrl_c_in_another_thread_is_left_alone():
    ended = []
    thread = threading.Thread(target=lambda: ended.append(run(3)[0].stopped))
    thread.start()
    thread.join(10)
    assert ended == ["done"]


def test_plain_lines_and_silence(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    run(3, progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [[f"step {n}/3", f"loss {n - 1}"] for n in (1, 2, 3)]
    run(3, progress=False)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    run(3, progress=True)
    captured = capsys.readouterr()
    assert "3/3" in captured.err and captured.out == ""


def test_a_line_under_a_cell_ends_with_the_last_step(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(display, "display", lambda data, raw, display_id: shown.append(data["text/plain"]) or Handle())
    with pytest.raises(ZeroDivisionError):
        run(5, lambda batch: {"loss": 1 / (3 - batch)}, progress=True)
    assert "0/5" in shown[0] and "3/5" in shown[-1] and "loss 1" in shown[-1]


def test_history_survives_a_torn_file(tmp_path):
    path = tmp_path / "history.jsonl"
    first = History(path)
    for step in (1, 2, 3):
        first.append(step, loss=float("nan") if step == 2 else 0.5)
    path.write_text(path.read_text() + '[1]\n{"step": "x"}\n{"step": 4, "lo')
    again = History(path)
    assert [row["step"] for row in again.rows] == [1, 2, 3]
    assert again.column("loss") == ([1, 3], [0.5, 0.5])
    again.truncate(2)
    again.append(3, loss=0.1)
    assert [row["loss"] for row in read(path)] == [0.5, None, 0.1]
    assert read(tmp_path / "none.jsonl") == []


def test_state_keeps_its_own_plan():
    state = State(step=4, total_steps=8, generator=seeding.generator(1), tensors={"pool": torch.ones(2)}, best=1.5)
    torch.rand(3, generator=state.generator)
    other = State(total_steps=16)
    other.load_state_dict(state.state_dict())
    assert (other.step, other.total_steps, other.best, state.progress, other.progress) == (4, 16, 1.5, 0.5, 0.25)
    assert torch.equal(torch.rand(3, generator=other.generator), torch.rand(3, generator=state.generator))
    assert State().progress == 0.0


def test_global_generators_come_back():
    import random

    import numpy

    kept = rng_state()
    first = (torch.rand(2).tolist(), numpy.random.randn(3).tolist(), random.gauss(0, 1))
    set_rng_state(kept)
    assert first == (torch.rand(2).tolist(), numpy.random.randn(3).tolist(), random.gauss(0, 1))


def test_configurations_become_plain(tmp_path):
    import numpy

    config = {"a": (1, 2), "path": tmp_path, "n": numpy.float64(0.5), "state": {"deep": None}, "t": torch.float32}
    expected = {"a": [1, 2], "path": str(tmp_path), "n": 0.5, "state": {"deep": None}, "t": "torch.float32"}
    assert plain_config(config) == expected
