"""What every lesson looks like: each rule takes a lesson's name and notebook and returns what it finds wrong."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from nbformat import NotebookNode

from facelab.errors import LessonFailed
from facelab.lessons import exercises, lesson_names
from facelab.lessons.notebook import defaults, tags

PARTS = (
    "## You will",
    "## Setup",
    "## The data",
    "## The idea",
    "## The model",
    "## One step by hand",
    "## Training",
    "## Reading the results",
    "## Play",
    "## What breaks",
    "## Exercises",
    "## Limits and responsible use",
    "## Summary",
    "## References",
)
NO_NET = {"## The model", "## One step by hand", "## Training"}
# Parts that have no meaning in a lesson and may be left out there; such a lesson may have headings of its own.
LEAVES_OUT = {
    "00_start_here": NO_NET | {"## The idea", "## Reading the results", "## Play", "## What breaks", "## Exercises"},
    "01_faces_and_datasets": NO_NET | {"## Reading the results"},
    "02_occlusions": NO_NET | {"## Reading the results"},
    "03_gan_stability": {"## Reading the results"},
    "05_oagan_ablations": {"## The model", "## One step by hand", "## Play"},
    "10_compare_and_judge": NO_NET | {"## Play"},
    "11_demo": NO_NET | {"## The idea", "## Reading the results", "## What breaks"},
}
TAGS = {"parameters", "solution", "exercise", "check", "record", "figure", "hide-input", "hide-output"}
PARAMETERS = ("PROFILE", "DATASET", "SEED", "STEPS", "OUT_DIR", "DEVICE")
DATASETS = {"orl", "synth", "lfw", "celeba", "rof", "deocclusion", "casia", "kface", "irregular", "folder", "realmasks"}
MOST_LINES, MOST_CODE_CELLS, MOST_PARAMETER_LINES, MOST_FIGURE_BYTES = 25, 3, 15, 150 * 1024
WORDS_PER_LINE = (5, 30)  # 8 to 16 is what we aim at; outside these bounds a lesson is bare code or a bare text


def code_cells(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    return [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip()]


def headings(name: str, notebook: NotebookNode) -> list[str]:
    """The literal headings, in order; the title carries the lesson's number."""
    text = re.sub(r"^```.*?^```", "", prose(notebook), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^# .*$", text, re.MULTILINE)
    found = [heading.rstrip() for heading in re.findall(r"^## .*$", text, re.MULTILINE)]
    faults = []
    if not (
        len(titles) == 1 and re.match(rf"# {name[:2]} \S", titles[0]) and notebook.cells[0].source.startswith("# ")
    ):
        faults.append(f"the first cell begins with the only title, '# {name[:2]} Title'; found {titles}")
    may_miss = LEAVES_OUT.get(name, set())
    faults += [f"'{part}' is missing" for part in PARTS if part not in found and part not in may_miss]
    faults += [f"'{h}' is no part of a lesson" for h in found if h not in PARTS and name not in LEAVES_OUT]
    known = [heading for heading in found if heading in PARTS]
    if known != sorted(set(known), key=PARTS.index):
        faults.append(f"the parts are out of order or twice there: {known}")
    return faults


def parameters(name: str, notebook: NotebookNode) -> list[str]:
    """One cell, literals only, UPPER_CASE, each with a comment, the six that every lesson has among them."""
    cells = [cell for _, cell in code_cells(notebook) if "parameters" in tags(cell)]
    if len(cells) != 1:
        return [f"{len(cells)} cells are tagged 'parameters'; there must be one"]
    try:
        values = defaults(name, notebook)
    except LessonFailed as error:
        return [error.reason]
    lines = code_lines(cells[0].source)
    faults = [f"parameter {value} is not UPPER_CASE" for value in values if value != value.upper()]
    faults += [f"parameter {needed} is missing" for needed in PARAMETERS if needed not in values]
    faults += [f"no comment: {line}" for line in lines if "#" not in line]
    if len(lines) > MOST_PARAMETER_LINES:
        faults.append(f"{len(lines)} lines of parameters; at most {MOST_PARAMETER_LINES}")
    expected = {"PROFILE": "laptop", "STEPS": 0, "DEVICE": "auto", "OUT_DIR": f"../build/lessons/{name}"}
    faults += [f"{n} = {values[n]!r}; as committed it is {v!r}" for n, v in expected.items() if values.get(n, v) != v]
    if values.get("DATASET", "orl") not in DATASETS:
        faults.append(f"DATASET = {values['DATASET']!r} is not in the catalogue")
    return faults


def known_tags(name: str, notebook: NotebookNode) -> list[str]:
    return [f"cell {i}: tag {tag!r}" for i, cell in enumerate(notebook.cells) for tag in tags(cell) if tag not in TAGS]


def cell_sizes(name: str, notebook: NotebookNode) -> list[str]:
    """Cells of at most 25 lines, and never more than 3 of code in a row."""
    faults, row = [], 0
    for index, cell in enumerate(notebook.cells):
        row = row + 1 if cell.cell_type == "code" else 0
        count = len(code_lines(cell.source))
        if cell.cell_type == "code" and count > MOST_LINES:
            faults.append(f"cell {index}: {count} lines of code; at most {MOST_LINES}")
        if row == MOST_CODE_CELLS + 1:
            faults.append(f"cell {index}: more than {MOST_CODE_CELLS} code cells without prose between")
        if not cell.source.strip():
            faults.append(f"cell {index}: empty")
    return faults


def plain_python(name: str, notebook: NotebookNode) -> list[str]:
    """No magics, no shell, and every cell parses."""
    faults = []
    for index, cell in code_cells(notebook):
        if re.search(
            r"^\s*(?:[%!]|\?\w|\w+\?\s*$)|get_ipython\(|\bos\.system\(|\bpip install\b", cell.source, re.MULTILINE
        ):
            faults.append(f"cell {index}: a magic or a shell command")
            continue
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            faults.append(f"cell {index}: {error.msg}")
    return faults


def paths(name: str, notebook: NotebookNode) -> list[str]:
    """No path but OUT_DIR: not absolute, not up the tree, not another machine's."""
    private = re.compile(r"^(?:/\w|~/|[A-Za-z]:[\\/]|\.\.?/|file:)")
    faults = []
    for index, cell in code_cells(notebook):
        if "parameters" in tags(cell):
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue  # plain_python says so
        later = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values[1:]}
        constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in later]
        texts = [n.value for n in constants if isinstance(n.value, str)]
        faults += [f"cell {index}: path {text!r}" for text in texts if private.match(text)]
    home = re.findall(r"(?:/home/|/Users/|/root/|/tmp/|file://)\S*", prose(notebook))
    return faults + [f"path in the text: {text}" for text in home]


def stripped(name: str, notebook: NotebookNode) -> list[str]:
    """No outputs, no counts, no traces of the machine that ran it; ids kept and unique."""
    faults = [f"cell {i}: has outputs or a count" for i, c in code_cells(notebook) if c.outputs or c.execution_count]
    extra = set(notebook.metadata) - {"kernelspec", "language_info"}
    faults += [f"metadata {key!r}" for key in sorted(extra)]
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        faults.append("the kernel is not python3")
    for index, cell in enumerate(notebook.cells):
        faults += [f"cell {index}: metadata {key!r}" for key in cell.metadata if key != "tags"]
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        faults.append("cell ids are missing or not unique")
    return faults


def exercise_triples(name: str, notebook: NotebookNode) -> list[str]:
    try:
        exercises(name, notebook)
    except LessonFailed as error:
        return [str(error)]
    return []


def record(name: str, notebook: NotebookNode) -> list[str]:
    """One record cell, the last of all, that writes metrics.json."""
    found = [index for index, cell in enumerate(notebook.cells) if "record" in tags(cell)]
    if found != [len(notebook.cells) - 1]:
        return [f"the record cell is the last, and there is one; found at {found}"]
    source = notebook.cells[-1].source
    return [] if "metrics.json" in source and "OUT_DIR" in source else ["the record cell does not write metrics.json"]


def setup_imports(name: str, notebook: NotebookNode) -> list[str]:
    """The first code cell after the parameters imports facelab."""
    cells = [cell for _, cell in code_cells(notebook) if "parameters" not in tags(cell)]
    good = cells and re.search(r"^\s*(?:from|import) facelab\b", cells[0].source, re.MULTILINE)
    return [] if good else ["the Setup cell does not import facelab"]


def figures(name: str, notebook: NotebookNode, folder: Path) -> list[str]:
    """Embedded pictures are files of the repository, small, with words for those who cannot see them."""
    text = prose(notebook)
    faults = ["a picture is pasted into the notebook"] if any("attachments" in cell for cell in notebook.cells) else []
    if re.search(r"<img\b", text):
        faults.append("use ![words](figures/NN_name.png) in place of <img>")
    for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)", text):
        path = folder / target
        if not re.match(rf"figures/{name[:2]}_\w+\.(png|jpg)$", target):
            faults.append(f"{target}: pictures of this lesson are figures/{name[:2]}_name.png or .jpg")
        elif not path.is_file():
            faults.append(f"{target}: not there")
        elif path.stat().st_size > MOST_FIGURE_BYTES:
            faults.append(f"{target}: {path.stat().st_size // 1024} KB; at most {MOST_FIGURE_BYTES // 1024}")
        if not words.strip():
            faults.append(f"{target}: no words for those who cannot see it")
    return faults


def planned(name: str, notebook: NotebookNode) -> list[str]:
    """A lesson is called planned only while it is: the mark goes when the lesson comes."""
    there = {other[:2] for other in lesson_names()}
    called = re.findall(r"\b(\d\d)\s+\(planned\)", prose(notebook))
    return [f"lesson {number} is there, and called planned" for number in called if number in there]


def filled(name: str, notebook: NotebookNode) -> list[str]:
    """Nothing is left to be filled in: ⟨ and ⟩ mark what a run still owes, in prose and in code."""
    found = [(i, re.search(r"[⟨⟩].{0,40}", cell.source)) for i, cell in enumerate(notebook.cells)]
    return [f"cell {i}: still to be filled in: {match.group()}" for i, match in found if match]


def words_per_line(notebook: NotebookNode) -> float:
    """Words of prose per line of code."""
    words = len(re.findall(r"\b[A-Za-z][\w'-]*", re.sub(r"\$+[^$]*\$+", "", prose(notebook))))
    return words / max(1, sum(len(code_lines(cell.source)) for _, cell in code_cells(notebook)))


def balance(name: str, notebook: NotebookNode) -> list[str]:
    ratio, (low, high) = words_per_line(notebook), WORDS_PER_LINE
    return [] if low <= ratio <= high else [f"{ratio:.1f} words of prose per line of code; aim at 8 to 16"]


RULES = (
    headings,
    parameters,
    known_tags,
    cell_sizes,
    plain_python,
    paths,
    stripped,
    exercise_triples,
    record,
    setup_imports,
    planned,
    filled,
    balance,
)
