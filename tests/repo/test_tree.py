"""The shape of the repository and of its code; each rule is also shown to catch a breach."""

import ast
import re
import subprocess
import sys

import pytest

ROOMS = {"data", "faces", "losses", "metrics", "nets", "occlude", "show", "studies", "systems", "train", "lessons"}
MODULE_LINES, FUNCTION_LINES, FORWARD_LINES = 250, 30, 15
BIG, LONG = 200 * 1024, 512 * 1024  # bytes of a file, of a record of runs
TEXT = {".jsonl", ".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".ipynb", ".json", "", ".cfg"}
MACHINE = re.compile(r"(?<![\w.:])/(?:home|Users|root|work|mnt|workspace)/[\w.-]+|[A-Z]:\\Users\\|\bTODO\b|\bFIXME\b")
INVENTED = {"tests/repo/test_tree.py", "tests/notebooks/test_structure.py"}  # breaches made up to test the rules


def tracked(repo) -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=repo, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.split("\0") if name and (repo / name).is_file()]


def modules(repo):
    return sorted((repo / "lib" / "facelab").rglob("*.py"))


def body_lines(node: ast.FunctionDef) -> int:
    """Lines of a function's statements, its docstring and signature not counted."""
    first = node.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str)
    rest = node.body[1:] if docstring else node.body
    return rest[-1].end_lineno - rest[0].lineno + 1 if rest else 0


def long_functions(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            limit = FORWARD_LINES if node.name == "forward" else FUNCTION_LINES
            if (lines := body_lines(node)) > limit:
                found.append(f"{node.name}: {lines} lines, limit {limit}")
    return found


def machine_words(text: str) -> list[str]:
    return MACHINE.findall(text)


def test_the_rooms_are_there(repo):
    found = {path.parent.name for path in (repo / "lib" / "facelab").glob("*/__init__.py")}
    assert found >= ROOMS
    for name in ("README.md", "LICENSE", "Makefile", "environment.yml", "constraints.txt", ".ci/run", "CITATION.cff"):
        assert (repo / name).is_file(), name


def test_tests_mirror_the_rooms(repo):
    with_code = {path.parent.name for path in (repo / "lib" / "facelab").glob("*/[a-z]*.py")}
    assert {name for name in with_code if not list((repo / "tests" / name).glob("test_*.py"))} == set()


def test_imports_only_ever_go_down(repo):
    tool = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run([*tool, "--no-cache", "--no-logo"], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("module", ["facelab", "facelab.cli", "facelab.errors", "facelab.files"])
def test_importing_is_light(module):
    heavy = "('torch', 'torchvision', 'matplotlib', 'dlib')"
    code = f"import {module}, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_modules_are_short(repo):
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(repo)}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_functions_are_short(repo):
    sources = {f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8") for path in modules(repo)}
    found = {f"{name}.{line}" for name, source in sources.items() for line in long_functions(source)}
    assert found == set()


def test_a_long_function_is_seen():
    body = "\n".join("    x = 1" for _ in range(31))
    assert long_functions(f"def f():\n{body}") == ["f: 31 lines, limit 30"]
    assert long_functions(f"def forward():\n{body}") == ["forward: 31 lines, limit 15"]
    assert long_functions('def f():\n    """One.\n' + "\n" * 40 + '    """\n    return 1') == []


def test_nothing_in_the_library_is_called_test(repo):
    names = [
        f"{path.stem}.{node.name}"
        for path in modules(repo)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith(("test_", "Test"))
    ]
    assert names == [] and not [path for path in modules(repo) if path.name.startswith("test_")]


def test_no_path_of_one_machine_and_nothing_left_to_do(repo):
    found = {}
    for name in tracked(repo):
        if (repo / name).suffix in TEXT and name not in INVENTED:
            if words := machine_words((repo / name).read_text(encoding="utf-8")):
                found[name] = words
    assert found == {}


def test_a_machine_path_is_seen():
    assert machine_words("open('/home/ada/faces')") and machine_words("# TODO later")
    assert machine_words("https://example.org/home/page") == [] and machine_words("runs/x") == []


def test_no_large_binary_outside_weights(repo):
    sizes = {name: (repo / name).stat().st_size for name in tracked(repo) if not name.startswith("weights/")}
    assert {name: size for name, size in sizes.items() if size > (LONG if name.endswith(".jsonl") else BIG)} == {}


def test_data_and_runs_never_enter_the_history(repo):
    assert [name for name in tracked(repo) if name.startswith(("data/", "runs/", "build/", ".venv/"))] == []


def test_the_readme_points_at_files_that_are_there(repo):
    text = (repo / "README.md").read_text(encoding="utf-8")
    local = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert len(local) > 4 and [link for link in local if not (repo / link).is_file()] == []


def test_every_figure_is_shown_somewhere(repo):
    pages = [repo / "README.md", *(repo / "notebooks").glob("*.ipynb")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [path.name for path in (repo / "notebooks/figures").iterdir() if f"figures/{path.name}" not in text] == []
