"""The lessons are run once a session; every test looks at that one run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest

from facelab.files import project_root
from facelab.lessons import lesson_names, run_lessons
from facelab.lessons.notebook import find_lesson, notebooks_root

sys.path.insert(0, str(Path(__file__).parent))  # the tests here share lesson_rules and lesson_relations

NAMES = lesson_names()
DEAD_PROXY = "http://127.0.0.1:9"  # what a kernel meets that tries to leave this machine


@pytest.fixture(scope="session")
def notebooks():
    """The lessons as committed."""
    return {name: nbformat.read(find_lesson(name), 4) for name in NAMES}


@pytest.fixture(scope="session")
def folder():
    """The folder of the lessons."""
    return notebooks_root()


@pytest.fixture(scope="session")
def no_way_out():
    """Kernels find no way to the network either."""
    patch = pytest.MonkeyPatch()
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        patch.setenv(name, DEAD_PROXY)
        patch.setenv(name.upper(), DEAD_PROXY)
    patch.setenv("no_proxy", "127.0.0.1,localhost")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def jobs():
    """Lessons at a time: all tests together have two cores."""
    return 1 if "PYTEST_XDIST_WORKER_COUNT" in os.environ else 2


@pytest.fixture(scope="session")
def course(no_way_out, jobs):
    """Name to result of every lesson, run in smoke."""
    out = project_root() / "build" / "test-course"
    return {result.lesson: result for result in run_lessons(NAMES, "smoke", out, jobs=jobs)}
