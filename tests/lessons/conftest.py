"""Tiny notebooks, made on the spot, each with one way to go wrong."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import nbformat
import psutil
import pytest

PARAMETERS = 'PROFILE = "laptop"\nSTEPS = 3\nRATE = 0.5\nFAST = False\nSIZES = [1, 2]\nOUT_DIR = "here"'


@pytest.fixture
def write(tmp_path):
    """write(name, code, code, …, tags={index: [tag]}) -> path of a notebook of code cells."""

    def _write(name: str, *codes: str, tags: dict[int, list[str]] | None = None) -> Path:
        notebook = nbformat.v4.new_notebook()
        for index, code in enumerate(codes):
            cell = nbformat.v4.new_code_cell(code)
            cell.metadata = {"tags": (tags or {}).get(index, [])}
            notebook.cells.append(cell)
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    return _write


@pytest.fixture
def lesson(write):
    """lesson(name, code, …): the same behind a parameters cell."""
    return lambda name, *codes: write(name, PARAMETERS, *codes, tags={0: ["parameters"]})


TOKEN = "FACELAB_TEST_TOKEN"  # inherited by all that one test starts, so that another session's lessons do not count


def _left_behind() -> list[int]:
    """Processes that the running test started and that are still alive."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.uids().real == os.getuid() and process.environ().get(TOKEN) == os.environ[TOKEN]
            if mine and process.status() != "zombie":
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture
def left_behind():
    """left_behind() -> processes of this test that are still alive."""
    return _left_behind


@pytest.fixture(autouse=True)
def no_orphans(monkeypatch):
    """Whatever a test does, no kernel outlives it."""
    monkeypatch.setenv(TOKEN, uuid.uuid4().hex)
    yield
    assert _left_behind() == [], "a kernel, or something a lesson started, is still there"
