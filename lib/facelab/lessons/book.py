"""Bind executed lessons into an HTML book that needs no network."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from facelab.errors import LayoutError, MissingPart
from facelab.files import project_root
from facelab.lessons.notebook import notebooks_root, read_lesson


def build_book(source: str | Path, out: str | Path) -> Path:
    """Make the HTML book of executed lessons.

    Args:
        source: folder of executed notebooks, as :func:`facelab.lessons.run_lessons` leaves them.
        out: folder of the pages; replaced only when the new book is complete.

    Returns:
        The book's first page.

    Raises:
        LayoutError: no executed lessons in ``source``, or sphinx could not make the book.
        MissingPart: the project's ``book/`` folder is not here.
    """
    source, out, recipe = Path(source), Path(out), project_root() / "book"
    lessons = [path for path in sorted(source.glob("[0-9][0-9]_*.ipynb")) if not path.name.endswith(".failed.ipynb")]
    if not lessons:
        raise LayoutError(source, "executed lessons (NN_name.ipynb)", "none", "Run `facelab run --all` first.")
    if not (recipe / "conf.py").is_file():
        raise MissingPart("the book's recipe (book/conf.py)", "Build the book in a clone of the project.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".book-", dir=out.parent) as scratch:
        pages = _gather(lessons, recipe, Path(scratch) / "source")
        _sphinx(pages, Path(scratch) / "html")
        shutil.rmtree(out, ignore_errors=True)
        (Path(scratch) / "html").rename(out)
    return out / "index.html"


def _gather(lessons: list[Path], recipe: Path, folder: Path) -> Path:
    shutil.copytree(recipe, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "lessons").mkdir()
    figures = notebooks_root() / "figures"
    if figures.is_dir():
        shutil.copytree(figures, folder / "lessons" / "figures")
    executed = {path.name: read_lesson(path) for path in lessons}
    for name, notebook in executed.items():
        nbformat.write(still(notebook), folder / "lessons" / name)
    index = (folder / "index.md").read_text(encoding="utf-8")
    (folder / "index.md").write_text(index.replace("@PROFILE@", profile_words(executed.values())), encoding="utf-8")
    return folder


def profile_words(executed: Iterable[NotebookNode]) -> str:
    """How much work the runs did, in words that end a sentence; empty where they do not tell."""
    given = {n.metadata.get("papermill", {}).get("parameters", {}).get("PROFILE") for n in executed} - {None}
    words = f", with PROFILE {' and '.join(f'`{name}`' for name in sorted(given))}" if given else ""
    return words + (" (seconds of training: the pages show that all works, not how well)" if "smoke" in given else "")


def still(notebook: NotebookNode) -> NotebookNode:
    """A copy without live widgets: a page has no kernel, and the picture a lab leaves beside them stays."""
    page = copy.deepcopy(notebook)
    page.metadata.pop("widgets", None)
    for cell in page.cells:
        for output in cell.get("outputs", []):
            for kind in [k for k in output.get("data", {}) if k.startswith("application/")]:
                del output.data[kind]
            if "image/png" in output.get("data", {}) or _is_widget_text(output):
                output.data.pop("text/plain", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return page


def _is_widget_text(output: NotebookNode) -> bool:
    text = output.get("data", {}).get("text/plain", "")
    return text.startswith(("VBox(", "HBox(", "Image(value=b", "interactive(", "GridBox(", "Tab(", "Output("))


def _sphinx(pages: Path, html: Path) -> None:
    options = ["-q", "-b", "html", "-d", html.parent / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, pages, html]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stderr.strip():
        print(done.stderr.strip(), file=sys.stderr)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LayoutError(pages.name, "pages sphinx can build", last, "The lines above name the page.")
