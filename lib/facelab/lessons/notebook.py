"""Find a lesson, read it, and check what it is told to change before anything is started."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from facelab.errors import LessonFailed
from facelab.files import project_root

USAGE = 2  # exit code: the request, not the lesson, is at fault


def notebooks_root() -> Path:
    """The folder of the lessons."""
    return project_root() / "notebooks"


def lesson_names(root: Path | None = None) -> list[str]:
    """Names of all lessons (``NN_name``), in order."""
    return sorted(path.stem for path in (root or notebooks_root()).glob("[0-9][0-9]_*.ipynb"))


def find_lesson(lesson: str | Path) -> Path:
    """The file of a lesson.

    Args:
        lesson: its number (``"4"``, ``"04"``), its name (``"04_oagan"``), or the path of any notebook.

    Returns:
        An absolute path.

    Raises:
        LessonFailed: there is no such lesson (code 2); the message lists those there are.
    """
    text = str(lesson)
    if text.endswith(".ipynb"):
        if Path(text).is_file():
            return Path(text).resolve()
        raise LessonFailed(text, None, "no such file", USAGE)
    names = lesson_names()
    found = [n for n in names if n == text or (text.isdigit() and n.startswith(f"{int(text):02d}_"))]
    if len(found) != 1:
        raise LessonFailed(text, None, f"no such lesson; there are: {', '.join(names) or 'none'}", USAGE)
    return (notebooks_root() / f"{found[0]}.ipynb").resolve()


def read_lesson(path: Path) -> NotebookNode:
    """A notebook in format 4 with an id on every cell, refused (code 2) where it is damaged or hides its errors."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids are given some here
            notebook = nbformat.read(path, as_version=4)
            _, notebook = nbformat.validator.normalize(notebook)
            nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise LessonFailed(path.stem, None, f"not a readable notebook: {first_line(error)}", USAGE) from None
    for index, cell in enumerate(notebook.cells):
        hidden = {"raises-exception", "skip-execution"} & set(tags(cell))
        if hidden:
            reason = f"the tag {hidden.pop()!r} is refused: a lesson shows an error with try/except and print"
            raise LessonFailed(path.stem, index, reason, USAGE)
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """A cell's tags."""
    return list(cell.metadata.get("tags", []))


def first_line(error: object) -> str:
    """First line of a message, or the type's name where there is no message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def defaults(lesson: str, notebook: NotebookNode) -> dict[str, object]:
    """Names and values in the cell tagged ``parameters``; empty where there is no such cell.

    Raises:
        LessonFailed: two such cells, or a value that is not a literal (code 2).
    """
    cells = [(i, c) for i, c in enumerate(notebook.cells) if c.cell_type == "code" and "parameters" in tags(c)]
    if not cells:
        return {}
    if len(cells) > 1:
        raise LessonFailed(lesson, cells[1][0], "a second cell is tagged 'parameters'", USAGE)
    index, cell = cells[0]
    try:
        return dict(_assignment(node) for node in ast.parse(cell.source).body)
    except (SyntaxError, ValueError) as error:
        raise LessonFailed(lesson, index, f"parameters must be literals: {first_line(error)}", USAGE) from None


def _assignment(node: ast.stmt) -> tuple[str, object]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or getattr(node, "value", None) is None:
        raise ValueError(f"line {node.lineno} is not NAME = literal")
    return targets[0].id, ast.literal_eval(node.value)


def check_parameters(lesson: str, notebook: NotebookNode, given: dict[str, object]) -> dict[str, object]:
    """Refuse names the lesson does not have and values of another type than its own.

    Args:
        lesson: its name, for messages.
        notebook: the lesson.
        given: what the caller wants to change.

    Returns:
        ``given``, with whole numbers made float where the lesson has a float.

    Raises:
        LessonFailed: code 2.
    """
    known, checked = defaults(lesson, notebook), {}
    for name, value in given.items():
        if name not in known:
            there = f"it has: {', '.join(known)}" if known else "it has no parameters cell"
            raise LessonFailed(lesson, None, f"unknown parameter {name}; {there}", USAGE)
        checked[name] = _fitting(lesson, name, value, known[name])
    return checked


def _fitting(lesson: str, name: str, value: object, default: object) -> object:
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if default is not None and type(value) is not type(default):
        wanted, got = type(default).__name__, type(value).__name__
        raise LessonFailed(lesson, None, f"{name} = {value!r} is {got}; it takes {wanted}, as {default!r}", USAGE)
    return value


def parse_setting(lesson: str, notebook: NotebookNode, setting: str) -> tuple[str, object]:
    """Read ``NAME=VALUE``: text where the lesson has text, else a Python literal (``true`` and ``false`` too).

    Raises:
        LessonFailed: no ``=``, an unknown name, or a value that cannot be read (code 2).
    """
    name, equals, text = setting.partition("=")
    if not equals or not name.isidentifier():
        raise LessonFailed(lesson, None, f"{setting!r} is not NAME=VALUE", USAGE)
    default = defaults(lesson, notebook).get(name)
    if isinstance(default, str):
        return name, text
    try:
        return name, ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return name, text  # the type check that follows says what is wrong with it
