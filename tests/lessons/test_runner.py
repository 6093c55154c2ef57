"""One fixture notebook for every way in which a notebook can fail without seeming to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from facelab.errors import LessonFailed
from facelab.lessons.runner import run_lesson

pytestmark = pytest.mark.lessons
RECORD = """
import json, pathlib
pathlib.Path(OUT_DIR, "metrics.json").write_text(json.dumps({"steps": STEPS, "rate": RATE}))
"""


def test_the_search_for_orphans_finds_one(left_behind):
    # It speaks once it runs: right after exec a process shows no environment yet, so it could not be told by it.
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    orphan = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    orphan.stdout.readline()
    try:
        assert left_behind() == [orphan.pid]
    finally:
        orphan.kill()
        orphan.communicate()


def failure(path, out, parameters=None, **more) -> LessonFailed:
    with pytest.raises(LessonFailed) as caught:
        run_lesson(path, out, parameters, **more)
    return caught.value


def test_good_lesson_takes_parameters_and_can_be_run_again(lesson, tmp_path):
    path, out = lesson("good", "import sys; print(sys.executable)", RECORD), tmp_path / "out" / "good.ipynb"
    result = run_lesson(path, out, {"STEPS": 7, "RATE": 2})
    assert (result.code, result.status, result.metrics) == (0, "ok", {"steps": 7, "rate": 2.0})
    executed = nbformat.read(out, 4)
    nbformat.validate(executed)
    assert executed.cells[2].outputs[0].text.strip() == sys.executable
    again = run_lesson(out, tmp_path / "again.ipynb", {"STEPS": 8})
    assert again.metrics["steps"] == 8
    injected = [c for c in nbformat.read(again.output, 4).cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert len(injected) == 1
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(".")] == []


def test_stale_metrics_are_not_this_runs(lesson, tmp_path):
    folder = tmp_path / "quiet"
    folder.mkdir()
    (folder / "metrics.json").write_text('{"old": 1}')
    os.utime(folder / "metrics.json", (1, 1))
    assert run_lesson(lesson("silent", "1"), tmp_path / "quiet.ipynb").metrics == {}


def test_damaged_record_is_a_failure(lesson, tmp_path):
    error = failure(lesson("torn", "open(OUT_DIR + '/metrics.json', 'w').write('{')"), tmp_path / "out.ipynb")
    assert (error.code, error.cell) == (1, None)
    assert "not JSON" in error.reason and (tmp_path / "out.failed.ipynb").exists()


def test_error_names_cell_and_leaves_the_good_output_alone(lesson, tmp_path):
    out = tmp_path / "out.ipynb"
    out.write_text("a good one")
    error = failure(lesson("broken", "a = 1", "raise ValueError('too\\nbad')", "a = 2"), out)
    assert (error.lesson, error.cell, error.code, error.reason) == ("broken", 2, 1, "ValueError: too")
    assert out.read_text() == "a good one"
    partial = nbformat.read(tmp_path / "out.failed.ipynb", 4)
    assert "ValueError" in str(partial)
    # the partial can be mended and run: the marks of the failure do not stay
    partial.cells = [c for c in partial.cells if "ValueError('too" not in c.source]
    nbformat.write(partial, tmp_path / "mended.ipynb")
    run_lesson(tmp_path / "mended.ipynb", out)
    assert "papermill-error-cell" not in out.read_text()
    assert not (tmp_path / "out.failed.ipynb").exists()


def test_an_error_that_arrives_late_is_still_read(write, tmp_path):
    """A busy kernel says first that the cell has ended and only seconds later how."""
    hurry = "import sys, time\nsys.stdout.flush_timeout = sys.stderr.flush_timeout = 0.1"
    late = "get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))"
    error = failure(write("late", "a = 1", f"{hurry}\n{late}\nraise ValueError('seen')"), tmp_path / "out.ipynb")
    assert (error.cell, error.code, error.reason) == (1, 1, "ValueError: seen")


@pytest.mark.parametrize("place", ["middle", "end"])
def test_leaving_early_is_no_success(write, tmp_path, place):
    codes = ["a = 1", "import sys; sys.exit(0)"] + (["print('never')"] if place == "middle" else [])
    error = failure(write("leaves", *codes), tmp_path / "out.ipynb")
    assert error.code == 1
    assert error.cell == 1
    assert not (tmp_path / "out.ipynb").exists()


def test_dead_kernel_has_its_own_code(write, tmp_path):
    path = write("dies", "a = 1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "a = 2")
    error = failure(path, tmp_path / "out.ipynb")
    assert (error.cell, error.code) == (1, 4)
    assert "memory" in error.reason


def test_timeout_ends_kernel_and_its_children(write, tmp_path):
    flag = tmp_path / "asleep"
    sleep = "subprocess.Popen(['sleep', '300'], start_new_session=True)"
    path = write(
        "slow",
        "a = 1",
        f"import pathlib, subprocess, time\n{sleep}\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(300)",
    )
    for seconds in (4, 16, 64):  # a busy machine may need longer until the kernel is there
        error = failure(path, tmp_path / "out.ipynb", timeout=seconds)
        assert error.code == 3 and f"{seconds} s" in error.reason
        if flag.exists():
            break
    assert error.cell == 1


def test_stop_ends_a_running_lesson(write, tmp_path):
    stop = threading.Event()
    threading.Timer(1.5, stop.set).start()
    began = time.monotonic()
    failure(write("endless", "while True: pass"), tmp_path / "out.ipynb", stop=stop)
    assert time.monotonic() - began < 60


def test_killed_caller_leaves_no_kernel_and_no_output(write, tmp_path, left_behind):
    flag = tmp_path / "running"
    path = write("endless", f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(300)")
    out = tmp_path / "out.ipynb"
    out.write_text("a good one")
    code = f"from facelab.lessons import run_lesson; run_lesson({str(path)!r}, {str(out)!r})"
    caller = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 120
    while not flag.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_behind() == []
    assert out.read_text() == "a good one"


REFUSED = [
    ({"nosuch": 1}, "unknown parameter nosuch"),
    ({"STEPS": "many"}, "takes int"),
    ({"STEPS": True}, "takes int"),
    ({"STEPS": 1.5}, "takes int"),
    ({"RATE": "0.5"}, "takes float"),
    ({"FAST": 1}, "takes bool"),
    ({"SIZES": 3}, "takes list"),
    ({"PROFILE": 3}, "takes str"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_wrong_parameters_are_refused_before_a_kernel_starts(lesson, tmp_path, monkeypatch, given, message):
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    error = failure(lesson("typed", "1"), tmp_path / "out.ipynb", given)
    assert (error.code, error.cell) == (2, None)
    assert message in error.reason


def test_unusable_lessons_are_refused_before_a_kernel_starts(write, lesson, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    out = tmp_path / "out.ipynb"
    assert "no parameters cell" in failure(write("plain", "1"), out, {"STEPS": 1}).reason
    assert failure(write("hidden", "1", "1 / 0", tags={1: ["raises-exception"]}), out).cell == 1
    computed = write("computed", "STEPS = 2 * 3", tags={0: ["parameters"]})
    assert "literals" in failure(computed, out, {"STEPS": 1}).reason
    torn = tmp_path / "torn.ipynb"
    torn.write_text(write("whole", "1").read_text()[:40])
    assert "not a readable notebook" in failure(torn, out).reason
    assert "no such lesson" in failure("99", out).reason
    assert failure(tmp_path / "absent.ipynb", out).code == 2
    itself = lesson("itself", "1")
    assert "replace the lesson" in failure(itself, itself).reason


def test_lesson_without_parameters_cell_runs(write, tmp_path):
    assert run_lesson(write("plain", "", "print(1)"), tmp_path / "out.ipynb").code == 0


def test_threads_and_folder(lesson, tmp_path):
    code = "import os\nassert os.environ['OMP_NUM_THREADS'] == '1' and os.getcwd() == OUT_DIR\nopen('x', 'w').close()"
    run_lesson(lesson("threads", code), tmp_path / "a.ipynb", threads=1)
    assert Path(tmp_path / "a" / "x").exists()


def test_figures_are_kept_whatever_the_backend(write, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    path = write("draws", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    result = run_lesson(path, tmp_path / "out.ipynb")
    assert "image/png" in str(nbformat.read(result.output, 4).cells[0].outputs)


def test_same_seed_same_record(lesson, tmp_path):
    code = "import json, pathlib, random\nr = random.Random(STEPS).random()\n"
    path = lesson("seeded", code + "pathlib.Path(OUT_DIR, 'metrics.json').write_text(json.dumps({'r': r}))")
    first, second = (run_lesson(path, tmp_path / f"{n}.ipynb").metrics for n in "ab")
    assert first == second != {}
