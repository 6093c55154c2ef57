"""pyproject.toml, constraints.txt and environment.yml say the same thing."""

import re
import sys
import tomllib
from importlib import metadata

import pytest
import yaml

ALIASES = {"pytorch": "torch", "dlib": "dlib-bin"}  # conda-forge's name: the Python package index's
CONDA_ONLY = {"python", "pip"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines) -> dict[str, str]:
    """Name → version of ``name==version`` lines; comments and editable installs left out."""
    found = {}
    for line in lines:
        text = line.split("#")[0].strip()
        if text and not text.startswith("-"):
            name, _, version = text.partition("==")
            found[normal(re.split(r"[<>=\[]", name)[0])] = version
    return found


@pytest.fixture(scope="module")
def project(repo) -> dict:
    return tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wanted(project) -> set[str]:
    """Every package pyproject.toml names, extras included."""
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    return {normal(name) for name in [*project["dependencies"], *extras]}


@pytest.fixture(scope="module")
def constraints(repo) -> dict[str, str]:
    return pins((repo / "constraints.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def conda(repo) -> dict[str, str]:
    entries = yaml.safe_load((repo / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    lines = [entry for entry in entries if isinstance(entry, str)]
    inner = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
    found = pins(lines + inner)
    return {ALIASES.get(name, name): version for name, version in found.items() if name not in CONDA_ONLY}


def test_every_package_asked_for_is_pinned(wanted, constraints):
    assert wanted - set(constraints) == set(), "in pyproject.toml but not in constraints.txt"


def test_every_pin_is_exact(constraints):
    assert [name for name, version in constraints.items() if not re.fullmatch(r"\d[\w.]*", version)] == []


def test_torch_and_torchvision_belong_together(constraints):
    assert (constraints["torch"], constraints["torchvision"]) == ("2.13.0", "0.28.0")
    assert not [name for name in constraints if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_conda_names_what_pyproject_names(wanted, conda):
    assert set(conda) == wanted


def test_conda_versions_are_those_of_the_constraints(conda, constraints):
    def same(name: str) -> bool:  # a .post release of dlib-bin packages the same dlib
        return re.sub(r"\.post\d+$", "", constraints[name]) == conda[name]

    assert {name: (conda[name], constraints[name]) for name in conda if not same(name)} == {}


def test_every_conda_line_says_what_it_is_for(repo):
    lines = (repo / "environment.yml").read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if re.match(r"\s+- (?!conda-forge|pip:)", line)]
    assert entries and [line for line in entries if not re.search(r"# \w+", line)] == []


def test_python_is_new_enough(project):
    assert project["requires-python"].startswith(">=3.11") and sys.version_info >= (3, 11)


def test_this_environment_has_the_pinned_versions(wanted, constraints):
    found = {name: metadata.version(name).split("+")[0] for name in wanted}
    assert {name: version for name, version in found.items() if version != constraints[name]} == {}


def test_pins_reads_what_it_should():
    assert pins(["a_B==1.0  # why", "# no", "-e .", "python>=3.11"]) == {"a-b": "1.0", "python": ""}
