"""Tiny notebooks, made on the spot, each with one way to go wrong."""

from __future__ import annotations

from pathlib import Path

import nbformat
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
