"""The book has a page a lesson, keeps pictures and formulas, and asks nothing of the network."""

from __future__ import annotations

import base64
import importlib.util
import re

import nbformat
import pytest

from facelab.errors import LayoutError
from facelab.files import project_root
from facelab.lessons import build_book
from facelab.lessons.book import profile_words, still

# a 1x1 png
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WIDGET = "application/vnd.jupyter.widget-view+json"
NEEDED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc\s*=\s*[\"'](?:https?:)?//|<link\b[^>]*>", re.IGNORECASE)


def outside(page: str) -> list[str]:
    """What a page would fetch from another host to be shown (plain hyperlinks and metadata are not fetched)."""
    found = [tag for tag in NEEDED.findall(page)]
    fetched = re.compile(r"rel\s*=\s*[\"'](?:stylesheet|preload|icon|shortcut icon|modulepreload)", re.IGNORECASE)
    return [tag for tag in found if not tag.startswith("<link") or (fetched.search(tag) and "//" in tag)]


def executed(title: str) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output
    lab = nbformat.v4.new_code_cell("lab", execution_count=1)
    lab.outputs = [
        output("display_data", {"image/png": DOT, "text/plain": "<Figure>"}),
        output(
            "display_data", {WIDGET: {"model_id": "a", "version_major": 2, "version_minor": 0}, "text/plain": "VBox()"}
        ),
        output("stream", text="psnr 31.5\n"),
    ]
    lines = r"$$\begin{aligned} a &= \lVert b \rVert_1 \\ c &= \mathbb{E}[d] \end{aligned}$$"
    words = f"# {title}\n\nInline $x^2$ and\n\n{lines}"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(words), lab])
    notebook.metadata["papermill"] = {"parameters": {"PROFILE": "smoke"}}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    source = tmp_path_factory.mktemp("executed")
    for name in ("00_one", "01_two"):
        nbformat.write(executed(name), source / f"{name}.ipynb")
    nbformat.write(executed("broken"), source / "02_broken.failed.ipynb")
    return build_book(source, source / "book").parent


def test_a_page_a_lesson(book):
    assert sorted(p.name for p in (book / "lessons").glob("*.html")) == ["00_one.html", "01_two.html"]
    assert "lessons/01_two.html" in (book / "index.html").read_text()


def test_the_first_page_says_how_much_work_the_runs_did(book):
    page = re.sub(r"<[^>]+>", "", (book / "index.html").read_text())
    assert "with PROFILE smoke (seconds of training" in page and "@PROFILE@" not in page
    assert profile_words([nbformat.v4.new_notebook()]) == ""


def test_pages_need_no_network(book):
    pages = sorted(book.rglob("*.html"))
    assert len(pages) >= 3
    for page in pages:
        assert outside(page.read_text()) == [], page
    for style in book.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//|@import\s+[\"'](?:https?:)?//", style.read_text()), style


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://cdn.example/x.js">',
        "<script async src='//cdn.example/x.js'>",
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        '<img alt="x" src="http://cdn.example/x.png">',
    ],
)
def test_the_network_check_can_fail(tag):
    assert outside(f"<html>{tag}</html>")
    assert not outside(
        '<a href="https://example.org">x</a><link rel="stylesheet" href="_static/x.css"><script src="a.js">'
    )


def test_pictures_text_and_formulas_are_there_widgets_are_not(book):
    page = (book / "lessons" / "00_one.html").read_text()
    assert "psnr 31.5" in page
    assert "VBox" not in page and "widget-view" not in page
    pictures = [re.search(r'src="([^"]+\.png)"', page)[1]]
    assert base64.b64decode(DOT) == (book / "lessons" / pictures[0]).read_bytes()
    assert page.count('class="formula" alt=') == 3


def test_still_leaves_the_original_alone():
    notebook = executed("x")
    before = nbformat.writes(notebook)
    assert len(still(notebook).cells[1].outputs) == 2
    assert nbformat.writes(notebook) == before


def test_nothing_to_bind(tmp_path):
    with pytest.raises(LayoutError, match="facelab run"):
        build_book(tmp_path, tmp_path / "book")


@pytest.fixture(scope="module")
def formulas():
    spec = importlib.util.spec_from_file_location("formulas", project_root() / "book" / "formulas.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DRAWN = [
    r"\mathcal{L}_{adv} = -\mathbb{E}_{x \sim p}\left[ D(G(x)) \right]",
    r"\min_G \max_D \; \lambda_{gp} \left( \lVert \nabla_{\hat{x}} D(\hat{x}) \rVert_2 - 1 \right)^2",
    r"\operatorname{softplus}(-\ell), \quad \text{where } \ell \in \mathbb{R}^{N \times 1}",
    r"y = x \odot (1 - m) + \hat{y} \odot m",
    r"\frac{1}{N} \sum_{i=1}^{N} \left| a_i - b_i \right|, \qquad 10 \log_{10} \frac{4}{\mathrm{MSE}}",
]


@pytest.mark.parametrize("latex", DRAWN)
def test_formulas_of_the_course_are_drawn(formulas, latex):
    assert all("data:image/svg+xml" in formulas.draw(row) for row in formulas.rows(latex))


def test_a_formula_that_cannot_be_drawn_is_an_error(formulas):
    with pytest.raises(ValueError):
        formulas.draw(r"\nosuchcommand{x}")


def test_rows(formulas):
    assert formulas.rows("\\begin{aligned} a &= b \\\\[2pt]\n c &= d \\end{aligned}") == ["a = b", "c = d"]
