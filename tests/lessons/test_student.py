"""Exercises are triples, and the students' copy lacks only the solutions."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from facelab.errors import LessonFailed
from facelab.lessons import exercise_run, exercises, run_lesson, without_solutions, write_student
from facelab.lessons.notebook import defaults, lesson_names, read_lesson

STUB = 'def double(x: int) -> int:\n    """Twice x."""\n    raise NotImplementedError'
SOLUTION = 'def double(x: int) -> int:\n    """Twice x."""\n    return 2 * x'
CHECK = "assert double(2) == 4, 'did you add instead of multiply?'"
TAGS = {1: ["exercise"], 2: ["solution"], 3: ["check"]}


def good(write, name="ex", stub=STUB, solution=SOLUTION):
    return write(name, "a = 1", stub, solution, CHECK, tags=TAGS)


def test_solved_lesson_passes_and_unsolved_fails_at_its_check(write, tmp_path):
    path = good(write)
    assert run_lesson(path, tmp_path / "solved.ipynb").code == 0
    student = without_solutions(read_lesson(path))
    nbformat.write(student, tmp_path / "student.ipynb")
    with pytest.raises(LessonFailed) as caught:
        run_lesson(tmp_path / "student.ipynb", tmp_path / "out.ipynb")
    assert "check" in student.cells[caught.value.cell].metadata.tags
    assert "NotImplementedError" in caught.value.reason


def test_copies_are_written(write, tmp_path):
    (written,) = write_student(tmp_path / "copies", [str(good(write))])
    sources = [cell.source for cell in nbformat.read(written, 4).cells]
    assert STUB in sources and CHECK in sources and SOLUTION not in sources


def test_copies_have_their_figures_and_write_where_the_lessons_do(repo, tmp_path):
    """Every picture a copy shows is there, and its results go to ``build/lessons`` beside the copies' folder."""
    written = write_student(tmp_path / "student")
    assert [path.stem for path in written] == lesson_names()
    shown = set()
    for path in written:
        notebook = read_lesson(path)
        out = path.parent / defaults(path.stem, notebook)["OUT_DIR"]
        assert out.resolve() == (tmp_path / "build" / "lessons" / path.stem).resolve()
        for cell in notebook.cells:
            shown |= set(re.findall(r"\]\((figures/[^)]+)\)", cell.source))
    assert shown and [name for name in shown if not (tmp_path / "student" / name).is_file()] == []


def test_work_in_a_copy_is_never_replaced(write, tmp_path):
    names = [str(good(write, name)) for name in ("one", "two")]
    write_student(tmp_path / "copies", names[:1])
    mine = tmp_path / "copies" / "one.ipynb"
    mine.write_text(mine.read_text().replace("NotImplementedError", "MyWork"))
    before = mine.read_bytes()
    assert write_student(tmp_path / "copies", names) == [tmp_path / "copies" / "two.ipynb"]
    assert mine.read_bytes() == before
    originals = [Path(name).read_bytes() for name in names]
    assert write_student(tmp_path, names) == []  # the lessons' own folder
    assert [Path(name).read_bytes() for name in names] == originals


@pytest.mark.parametrize(
    ("stub", "solution", "message"),
    [
        (STUB, SOLUTION.replace("x: int", "y: int"), "differs"),
        (STUB, SOLUTION.replace("double", "twice"), "differs"),
        (STUB, "double = 2", "defines a function"),
        (STUB.replace("raise NotImplementedError", "return None"), SOLUTION, "NotImplementedError"),
    ],
)
def test_pairs_that_do_not_fit_are_refused_and_nothing_is_written(write, tmp_path, stub, solution, message):
    paths = [good(write, "fine"), good(write, "wrong", stub, solution)]
    with pytest.raises(LessonFailed, match=message):
        write_student(tmp_path / "copies", [str(p) for p in paths])
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("order", [["solution", "exercise", "check"], ["exercise", "check"], ["exercise", "solution"]])
def test_cells_out_of_order_are_refused(write, order):
    codes = {"exercise": STUB, "solution": SOLUTION, "check": CHECK}
    path = write("odd", *[codes[k] for k in order], tags={i: [k] for i, k in enumerate(order)})
    with pytest.raises(LessonFailed, match="three cells"):
        exercises("odd", read_lesson(path))


def test_exercise_run_keeps_setup_only():
    notebook = nbformat.v4.new_notebook()
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = {STUB: "exercise", SOLUTION: "solution", CHECK: "check", "P = 1": "parameters"}
    *tagged, first = [code(source, metadata={"tags": [tag]}) for source, tag in cells.items()]
    start = [text("# 00 T"), first, text("## Setup\n### more"), code("a = 1")]
    notebook.cells = [*start, text("## Training"), code("train()"), text("## Exercises"), *tagged]
    assert [c.source for c in exercise_run(notebook).cells] == ["P = 1", "a = 1", STUB, CHECK]
    assert SOLUTION in [c.source for c in exercise_run(notebook, solved={8}).cells]
