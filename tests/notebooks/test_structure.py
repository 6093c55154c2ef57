"""Every lesson keeps every rule, and every rule can be broken."""

from __future__ import annotations

import copy
import subprocess
import sys

import lesson_rules as rules
import nbformat
import pytest

from facelab.lessons import lesson_names

NAMES = lesson_names()
EXTRA_KEYS = "metadata.papermill metadata.widgets cell.metadata.papermill metadata.language_info.version"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_lesson_keeps_the_rule(name, rule, notebooks):
    assert rule(name, notebooks[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_figures(name, notebooks, folder):
    assert rules.figures(name, notebooks[name], folder) == []


def test_there_are_lessons_and_the_table_knows_them():
    assert NAMES and NAMES[0] == "00_start_here"
    numbers = [name[:2] for name in NAMES]
    assert len(set(numbers)) == len(numbers)
    known = {name[:2]: name for name in rules.LEAVES_OUT}
    assert all(known.get(name[:2], name) == name for name in NAMES), "a lesson was renamed but not in LEAVES_OUT"


def test_notebooks_are_valid_with_ids_and_saving_them_changes_nothing(folder, recwarn):
    for name in NAMES:
        text = (folder / f"{name}.ipynb").read_text(encoding="utf-8")
        assert text == nbformat.writes(nbformat.reads(text, nbformat.NO_CONVERT)) + "\n", name
        nbformat.validate(nbformat.read(folder / f"{name}.ipynb", nbformat.NO_CONVERT))
    assert not [w for w in recwarn if "MissingID" in w.category.__name__]


def test_git_holds_no_outputs(folder):
    files = [str(folder / f"{name}.ipynb") for name in NAMES]
    command = [sys.executable, "-m", "nbstripout", "--verify", "--keep-id", "--extra-keys", EXTRA_KEYS, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"strip the outputs with `nbstripout --keep-id`: {done.stdout}{done.stderr}"


def test_code_is_clean(folder, repo):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", str(folder)], capture_output=True, text=True, cwd=repo
    )
    assert done.returncode == 0, done.stdout


def test_prose_is_counted():
    """Five words on two lines of code; formulas, figures and blank lines do not count."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [text("# Two words"), text("$x = y$ isn't 4 well-known\n\n- words"), code("x = 1\n\n# one\n"), code("")]
    assert rules.words_per_line(nbformat.v4.new_notebook(cells=cells)) == 5 / 2
    assert rules.words_per_line(nbformat.v4.new_notebook(cells=cells[:2])) == 5, "a text without code"


def test_prose_is_reported(notebooks, capsys):
    for name, notebook in notebooks.items():
        print(f"{name}: {rules.words_per_line(notebook):.1f} words of prose per line of code")
    low, high = rules.WORDS_PER_LINE
    report = capsys.readouterr().out
    print(report)  # again, for `pytest -rP`
    found = [float(line.split()[1]) for line in report.splitlines()]
    assert len(found) == len(NAMES) and all(low <= words <= high for words in found), found


# --- every rule can be broken -------------------------------------------------------------------------------------

NAME = "04_example"
PARAMETERS = f"""PROFILE = "laptop"  # smoke, laptop or gpu
DATASET = "orl"  # a name of the catalogue
SEED = 0  # any whole number
STEPS = 0  # 0 means the profile's own number
OUT_DIR = "../build/lessons/{NAME}"  # where this lesson writes
DEVICE = "auto"  # auto, cpu or cuda"""
STUB = "def double(x: int) -> int:\n    raise NotImplementedError"
SOLUTION = "def double(x: int) -> int:\n    return 2 * x"
WORDS = "\n\nSome words say why the next cell is there and what will be seen when it has run."


def example() -> nbformat.NotebookNode:
    """A lesson that keeps every rule."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [text("# 04 Example" + WORDS), text(rules.PARTS[0] + WORDS)]
    cells += [code(PARAMETERS, metadata={"tags": ["parameters"]}), text(rules.PARTS[1] + WORDS)]
    cells += [code("from facelab import images")]
    cells += [text(part + WORDS) for part in rules.PARTS[2:11]]
    for tag, source in (("exercise", STUB), ("solution", SOLUTION), ("check", "assert double(1) == 2")):
        cells.append(code(source, metadata={"tags": [tag]}))
    cells += [text(part + WORDS) for part in rules.PARTS[11:]]
    cells += [code('write(OUT_DIR, "metrics.json")', metadata={"tags": ["record"]})]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def swap(old: str, new: str):
    def change(notebook):
        for cell in notebook.cells:
            if old in cell.source:
                cell.source = cell.source.replace(old, new)
                return
        raise AssertionError(f"{old!r} is not in the example")

    return change


def add(source: str, **metadata):
    return lambda notebook: notebook.cells.insert(5, nbformat.v4.new_code_cell(source, metadata=metadata))


def many(count: int):
    return lambda notebook: [add("x = 1")(notebook) for _ in range(count)]


def give_output(notebook):
    notebook.cells[4].outputs = [nbformat.v4.new_output("stream", text="x")]


def same_ids(notebook):
    notebook.cells[1].id = notebook.cells[0].id


def two_parameters(notebook):
    notebook.cells.insert(5, copy.deepcopy(notebook.cells[2]))


BREAKS = [
    (rules.headings, swap("## The idea", "## An idea")),
    (rules.headings, swap("## The idea", "### The idea")),
    (rules.headings, swap("# 04 Example", "# 05 Example")),
    (rules.headings, swap("## Play", "## What breaks")),
    (rules.headings, swap("## Summary", "# Another title\n\n## Summary")),
    (rules.headings, swap("## Summary", "## Bonus\n\n## Summary")),
    (rules.parameters, two_parameters),
    (rules.parameters, lambda n: n.cells.pop(2)),
    (rules.parameters, swap("SEED = 0", "SEED = int(0)")),
    (rules.parameters, swap("SEED = 0", "import os  # x\nSEED = 0")),
    (rules.parameters, swap("DEVICE = ", "device = ")),
    (rules.parameters, swap("SEED = 0  # any whole number\n", "")),
    (rules.parameters, swap("  # any whole number", "")),
    (rules.parameters, swap('PROFILE = "laptop"', 'PROFILE = "smoke"')),
    (rules.parameters, swap("../build/lessons", "/data")),
    (rules.parameters, swap('"orl"', '"faces"')),
    (rules.parameters, swap("STEPS = 0", "STEPS = 5")),
    (rules.parameters, swap("SEED = 0", "".join(f"A{i} = 1  # x\n" for i in range(10)) + "SEED = 0")),
    (rules.known_tags, add("x = 1", tags=["raises-exception"])),
    (rules.known_tags, add("x = 1", tags=["remove-cell"])),
    (rules.cell_sizes, add("\n".join(["x = 1"] * 26))),
    (rules.cell_sizes, many(3)),
    (rules.cell_sizes, add("")),
    (rules.plain_python, add("!pip install facelab")),
    (rules.plain_python, add("%matplotlib inline")),
    (rules.plain_python, add("x = 1\n%time x")),
    (rules.plain_python, add("images.load_image?")),
    (rules.plain_python, add("import os\nos.system('ls')")),
    (rules.plain_python, add("x = (")),
    (rules.paths, add("open('/data/x.png')")),
    (rules.paths, add("open('../weights/x')")),
    (rules.paths, add("open('C:/x')")),
    (rules.paths, swap("## Summary", "## Summary\n\nLook into /home/me/x.")),
    (rules.stripped, give_output),
    (rules.stripped, same_ids),
    (rules.stripped, lambda n: n.metadata.update({"papermill": {}})),
    (rules.stripped, lambda n: n.cells[3].metadata.update({"papermill": {}})),
    (rules.stripped, lambda n: n.metadata.kernelspec.update({"name": "my-env"})),
    (rules.exercise_triples, swap(SOLUTION, SOLUTION.replace("x: int", "y"))),
    (rules.exercise_triples, swap(STUB, STUB.replace("raise NotImplementedError", "pass"))),
    (rules.exercise_triples, add(STUB, tags=["exercise"])),
    (rules.record, lambda n: n.cells.append(nbformat.v4.new_markdown_cell("more"))),
    (rules.record, lambda n: n.cells.pop()),
    (rules.record, swap("metrics.json", "numbers.json")),
    (rules.setup_imports, swap("from facelab import images", "import torch")),
    (rules.planned, swap("## Summary", "## Summary\n\nNext: lesson 00 (planned).")),
    (rules.filled, swap("## Summary", "## Summary\n\nIt reaches ⟨12.3 dB⟩.")),
    (rules.filled, add('title = "⟨steps⟩ steps"')),
    (rules.balance, lambda n: [add("x = 1\n" * 20)(n) for _ in range(20)]),
    (rules.balance, swap("## Summary", "## Summary" + WORDS * 60)),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_example_keeps_the_rules(rule):
    assert rule(NAME, example()) == []


@pytest.mark.parametrize(("rule", "damage"), BREAKS, ids=lambda x: getattr(x, "__name__", ""))
def test_the_rule_sees_the_damage(rule, damage):
    notebook = example()
    damage(notebook)
    assert rule(NAME, notebook) != []


def test_every_rule_is_broken_once():
    assert {rule for rule, _ in BREAKS} == set(rules.RULES)


@pytest.mark.parametrize(
    "text",
    ["![a](figures/04_none.png)", "![a](https://example.org/x.png)", "![](figures/04_good.png)", '<img src="x.png">']
    + ["![a](figures/04_large.png)", "![a](figures/05_good.png)", "![a](figures/04_photo.gif)"],
)
def test_figures_that_are_refused(text, tmp_path):
    (tmp_path / "figures").mkdir()
    sizes = {"04_good.png": 10, "04_photo.jpg": 10, "04_photo.gif": 10, "05_good.png": 10, "04_large.png": 151 * 1024}
    for name, size in sizes.items():
        (tmp_path / "figures" / name).write_bytes(b"x" * size)
    notebook = example()
    notebook.cells[0].source += "\n\n![a good one](figures/04_good.png) ![another](figures/04_photo.jpg)"
    assert rules.figures(NAME, notebook, tmp_path) == []
    notebook.cells[0].source += f"\n\n{text}"
    assert rules.figures(NAME, notebook, tmp_path) != []


def test_outputs_would_be_found(tmp_path):
    notebook = example()
    give_output(notebook)
    nbformat.write(notebook, tmp_path / "dirty.ipynb")
    command = [sys.executable, "-m", "nbstripout", "--verify", "--keep-id", str(tmp_path / "dirty.ipynb")]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
