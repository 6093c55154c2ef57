"""Many lessons at once, and the command in front of them."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from facelab.lessons import add_run_arguments, run_command
from facelab.lessons import course as course_module
from facelab.lessons.course import exit_code, run_lessons
from facelab.lessons.notebook import find_lesson, lesson_names, parse_setting, read_lesson
from facelab.lessons.runner import LessonResult

pytestmark = pytest.mark.lessons
MEET = (
    "import pathlib, time\n"
    "here = pathlib.Path.cwd()\n(here.parent / (here.name + '.seen')).touch()\n"
    "end = time.time() + 120\n"
    "while not (here.parent / '{other}.seen').exists():\n    assert time.time() < end\n    time.sleep(0.05)\n"
)
RECORD = 'pathlib.Path(OUT_DIR, \'metrics.json\').write_text(\'{"steps": %d, "profile": "%s"}\' % (STEPS, PROFILE))'


def run(*words) -> int:
    parser = argparse.ArgumentParser()
    add_run_arguments(parser)
    return run_command(parser.parse_args([str(w) for w in words]))


def test_two_at_once_and_a_failure_stops_nobody(lesson, tmp_path, capsys):
    one = lesson("one", MEET.format(other="two") + RECORD)  # each waits for the other: they must overlap
    two = lesson("two", MEET.format(other="one") + RECORD)
    bad = lesson("bad", "1 / 0")
    out = tmp_path / "out"
    code = run(bad, one, two, "nosuch", "--jobs", 2, "--set", "STEPS=5", "--out", out)
    assert code == 1
    summary = json.loads((out / "summary.json").read_text())
    lessons = summary["lessons"]
    assert [lessons[n]["status"] for n in ("bad", "one", "two", "nosuch")] == ["error", "ok", "ok", "usage"]
    assert lessons["one"]["metrics"] == {"steps": 5, "profile": "smoke"}
    assert lessons["bad"]["cell"] == 1 and "ZeroDivisionError" in lessons["bad"]["error"]
    assert not summary["ok"]
    printed = capsys.readouterr().out
    assert len([line for line in printed.splitlines() if line.split()[0] in ("ok", "error", "usage")]) == 4
    assert (out / "one.ipynb").exists() and not (out / "bad.ipynb").exists()


def test_a_fault_of_the_runner_is_a_failed_lesson(lesson, tmp_path, monkeypatch):
    def fall_over(*args, **kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr(course_module, "run_lesson", fall_over)
    results = run_lessons([str(lesson("any", "1"))], "smoke", tmp_path / "out")
    assert results[0].code == 1 and "disk full" in results[0].error


@pytest.mark.parametrize(("jobs", "threads"), [(1, None), (2, 3), (4, 1), (9, 1)])
def test_only_the_cores_it_may_use_are_shared_out(tmp_path, monkeypatch, jobs, threads):
    given = []
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    monkeypatch.setattr(
        course_module, "_attempt", lambda name, *rest: given.append(rest[-2]) or LessonResult(name, tmp_path, 0.0)
    )
    run_lessons(["x"], "smoke", tmp_path, jobs=jobs)
    assert given == [threads]


@pytest.mark.parametrize(("codes", "expected"), [([0, 0], 0), ([0, 3], 3), ([4, 4], 4), ([1, 3], 1), ([2], 2)])
def test_exit_code(codes, expected, tmp_path):
    assert exit_code([LessonResult("x", tmp_path, 0.0, code=code) for code in codes]) == expected


def test_usage_errors(tmp_path, capsys):
    assert run("--out", tmp_path) == 2
    assert run("00", "--all", "--out", tmp_path) == 2
    assert run("00", "--jobs", 0, "--out", tmp_path) == 2
    assert "facelab:" in capsys.readouterr().err


def test_lessons_that_would_write_the_same_files_are_refused(lesson, tmp_path, capsys):
    one, two = lesson("one", "1"), lesson("two", "1")
    assert run(one, one, "--out", tmp_path / "out") == 2
    assert run(one, two, "--set", f"OUT_DIR={tmp_path}", "--out", tmp_path / "out") == 2
    assert "same files" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_interrupt_ends_all_lessons(lesson, tmp_path):
    code = "import time\nopen(OUT_DIR + '/seen', 'w').close()\ntime.sleep(300)"
    paths = [str(lesson(name, code)) for name in ("one", "two", "three")]
    program = (
        # A test run started in the background hands an ignored Ctrl-C down to its children.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from facelab.lessons import run_lessons; run_lessons(sys.argv[2:], 'smoke', sys.argv[1], jobs=2)"
    )
    out = tmp_path / "out"
    caller = subprocess.Popen([sys.executable, "-c", program, str(out), *paths], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(list(out.glob("*/seen"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    caller.send_signal(signal.SIGINT)
    _, said = caller.communicate(timeout=120)
    assert caller.returncode != 0 and b"KeyboardInterrupt" in said
    assert not (out / "three" / "seen").exists() and not (out / "summary.json").exists()


def test_settings_are_read_by_the_lessons_types(lesson):
    notebook = read_lesson(lesson("typed", "1"))
    read = lambda text: parse_setting("typed", notebook, text)  # noqa: E731
    assert read("STEPS=4") == ("STEPS", 4)
    assert read("PROFILE=12") == ("PROFILE", "12")
    assert read("FAST=true") == ("FAST", True)
    assert read("SIZES=[3, 4]") == ("SIZES", [3, 4])
    assert read("PROFILE=a=b") == ("PROFILE", "a=b")


def test_lessons_are_found_by_number_and_name():
    name = lesson_names()[0]
    assert find_lesson("0") == find_lesson("00") == find_lesson(name)
    assert find_lesson(name).name == f"{name}.ipynb"
