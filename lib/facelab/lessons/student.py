"""Exercises: which stub, solution and check belong together, and copies of a lesson without its solutions."""

from __future__ import annotations

import ast
import copy
import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from facelab.errors import LessonFailed
from facelab.files import atomic_path, usable_folder
from facelab.lessons.notebook import USAGE, find_lesson, lesson_names, read_lesson, tags


@dataclass(frozen=True)
class Exercise:
    """Indices of the three cells of one exercise."""

    stub: int
    solution: int
    check: int


def exercises(lesson: str, notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a lesson, in order.

    Raises:
        LessonFailed: a cell out of place, a stub that does not raise ``NotImplementedError``, or a solution whose
            signature is not its stub's (code 2).
    """
    kinds = ("exercise", "solution", "check")
    tagged = [(index, kind) for index, cell in enumerate(notebook.cells) for kind in kinds if kind in tags(cell)]
    found = []
    for start in range(0, len(tagged), 3):
        triple = tagged[start : start + 3]
        if [kind for _, kind in triple] != list(kinds):
            raise LessonFailed(lesson, triple[0][0], "an exercise is three cells: exercise, solution, check", USAGE)
        found.append(Exercise(*(index for index, _ in triple)))
        _check_pair(lesson, notebook, found[-1])
    return found


def _check_pair(lesson: str, notebook: NotebookNode, exercise: Exercise) -> None:
    stub, solution = (_signature(lesson, notebook, index) for index in (exercise.stub, exercise.solution))
    if "NotImplementedError" not in notebook.cells[exercise.stub].source:
        raise LessonFailed(lesson, exercise.stub, "the stub must raise NotImplementedError", USAGE)
    if stub != solution:
        raise LessonFailed(lesson, exercise.solution, f"solution {solution} differs from its stub {stub}", USAGE)


def _signature(lesson: str, notebook: NotebookNode, index: int) -> str:
    """``name(arguments) -> result`` of the last function a cell defines (helpers may come before it)."""
    body = ast.parse(notebook.cells[index].source).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise LessonFailed(lesson, index, "an exercise cell defines a function", USAGE)
    last = functions[-1]
    return f"{last.name}({ast.unparse(last.args)})" + (f" -> {ast.unparse(last.returns)}" if last.returns else "")


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy whose ``solution`` cells and outputs are gone."""
    student = copy.deepcopy(notebook)
    student.cells = [cell for cell in student.cells if "solution" not in tags(cell)]
    for cell in student.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return student


def exercise_run(notebook: NotebookNode, solved: set[int] = frozenset()) -> NotebookNode:
    """A copy with only the parameters, Setup, exercise and check cells: what a learner needs to try an exercise.

    Args:
        notebook: the lesson.
        solved: indices of ``solution`` cells to keep.
    """
    short, section, kept = copy.deepcopy(notebook), "", []
    for index, cell in enumerate(short.cells):
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("## ")]
            section = headings[-1] if headings else section
        elif {"parameters", "exercise", "check"} & set(tags(cell)) or section == "## Setup" or index in solved:
            kept.append(cell)
    short.cells = kept
    return short


def write_student(out: str | Path, names: list[str] | None = None) -> list[Path]:
    """Write the students' copies: stubs left, solutions gone, the figures they show beside them.

    A copy that is there already stays as it is, for it may hold somebody's work.

    Args:
        out: folder. A copy writes its results (``OUT_DIR``) where its lesson would if it lay there: the folder's
            natural place is beside ``notebooks/``.
        names: lessons; by default all.

    Returns:
        The files written; those that stayed are left out.

    Raises:
        LessonFailed: an exercise that is not well formed (code 2); nothing is written for any lesson then.
        BadConfig: ``out`` is no folder that files can be written to.
    """
    copies, paths = {}, [find_lesson(name) for name in names or lesson_names()]
    for path in paths:
        notebook = read_lesson(path)
        exercises(path.stem, notebook)
        copies[Path(out) / path.name] = without_solutions(notebook)
    usable_folder(out)
    for figures in {path.parent / "figures" for path in paths}:
        if figures.is_dir() and figures.resolve() != (Path(out) / "figures").resolve():
            shutil.copytree(figures, Path(out) / "figures", dirs_exist_ok=True)
    fresh = {target: notebook for target, notebook in copies.items() if not target.exists()}
    for target, notebook in fresh.items():
        with atomic_path(target) as temporary:
            nbformat.write(notebook, temporary)
    return list(fresh)
