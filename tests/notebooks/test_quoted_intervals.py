"""Every interval that lesson 05 or the README quotes from the ablation's records is one that they give."""

import itertools
import re

import nbformat
import pytest

from facelab.studies.ablation import record, table

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


def test_the_readme_quotes_the_record(repo, known):
    text = (repo / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    part = text[text.index("**Which critic?**") : text.index("## The library in fifteen lines")]
    assert not [one for one in quoted(part) if one not in known]
