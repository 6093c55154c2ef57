"""Every interval that lessons 05 and 06 or the README quote from the ablation's records is one that they give."""

import itertools
import re

import nbformat
import pytest

from facelab.studies.ablation import facemask_variants, record, table

INTERVAL = re.compile(r"([+−-]?\d+\.\d+)(?: dB)?\s+\[([+−-]?\d+\.\d+), ([+−-]?\d+\.\d+)\]")


def rounded(*values: float) -> set[tuple[str, ...]]:
    """A triple as prose may write it: two or three digits."""
    return {tuple(f"{value:.{digits}f}" for value in values) for digits in (2, 3)}


@pytest.fixture(scope="module")
def known():
    """Every (difference, low, high) of the records, to the parent and to every variant that prose holds against."""
    found = set()
    for data, metric, to in itertools.product(("orl", "lfw"), table.METRICS, ("", "base", "loud", "loud, DRAGAN")):
        for line in table.lines(record.recorded(data), metric=metric, to=to):
            found |= rounded(line.difference, line.low, line.high)
    return found


@pytest.fixture(scope="module")
def known_06():
    records = [record.recorded(data, "06") for data in ("orl", "lfw")]
    found = set()
    for content in records:
        for metric in table.measured(content):
            for line in table.lines(content, facemask_variants.VARIANTS, metric):
                found |= rounded(line.difference, line.low, line.high)
    return found


def quoted(text: str) -> list[tuple[str, ...]]:
    return [tuple(f"{float(part.replace('−', '-')):.{len(part.split('.')[1])}f}" for part in match)
            for match in INTERVAL.findall(text)]  # fmt: skip


def test_the_pattern_reads_both_ways_of_writing():
    text = "+0.05 [−0.51, +0.64]; 1.92 dB [1.53, 2.31]; a list [1, 2]"
    assert quoted(text) == [("0.05", "-0.51", "0.64"), ("1.92", "1.53", "2.31")]


def test_lesson_05_quotes_its_record(repo, known):
    notebook = nbformat.read(repo / "notebooks" / "05_oagan_ablations.ipynb", 4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").replace("\n", " ")
    assert len(quoted(prose)) > 8
    assert not [one for one in quoted(prose) if one not in known]


def test_lesson_06_quotes_its_record(repo, known_06):
    notebook = nbformat.read(repo / "notebooks" / "06_mask_removal.ipynb", 4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown").replace("\n", " ")
    part = prose[prose.index("### What the parts are worth") : prose.index("### The reference run")]
    assert len(quoted(part)) > 2
    assert not [one for one in quoted(part) if one not in known_06]


def test_the_readme_quotes_the_records(repo, known, known_06):
    text = (repo / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    first, second, end = "**Which critic?**", "**Which parts take a mask off?**", "## The library in fifteen lines"
    for part, found in ((text[text.index(first) : text.index(second)], known),
                        (text[text.index(second) : text.index(end)], known_06)):  # fmt: skip
        assert quoted(part) and not [one for one in quoted(part) if one not in found]
