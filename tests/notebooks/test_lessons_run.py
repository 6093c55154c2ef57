"""Every lesson runs in smoke, its record says so, and its exercises need their solutions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from lesson_relations import KEYS, RELATIONS

from facelab.errors import LessonFailed
from facelab.lessons import exercise_run, exercises, lesson_names, run_lesson, write_student
from facelab.lessons.notebook import find_lesson, read_lesson, tags

pytestmark = pytest.mark.lessons
NAMES = lesson_names()
MOST_SECONDS = 120  # the budget is 40 on two free cores; a machine that is busy may take three times as long
EXERCISES = [
    (name, number)
    for name in NAMES
    for number in range(sum("check" in tags(cell) for cell in nbformat.read(find_lesson(name), 4).cells))
]


@pytest.mark.parametrize("name", NAMES)
def test_lesson_runs(name, course):
    result = course[name]
    assert result.status == "ok", f"{name}, cell {result.cell}: {result.error}"
    assert result.seconds < MOST_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_record_is_complete(name, course):
    metrics = course[name].metrics
    assert [key for key in KEYS if key not in metrics] == []
    assert (metrics["lesson"], metrics["profile"]) == (name, "smoke")


@pytest.mark.parametrize("name", NAMES)
def test_relations_hold(name, course):
    assert RELATIONS.get(name), f"write down in lesson_relations.py what the record of {name} must satisfy"
    for relation in RELATIONS[name]:
        assert relation.holds(course[name].metrics), f"{name}: not so: {relation.sentence}"


@pytest.mark.parametrize("name", sorted(RELATIONS))
def test_relations_can_fail(name):
    assert name in NAMES
    for relation in RELATIONS[name]:
        assert not relation.holds(relation.counterexample), relation.sentence


@pytest.fixture(scope="module")
def unsolved(no_way_out, jobs, tmp_path_factory):
    """(lesson, exercise number) to how its run without that solution ended; earlier exercises are solved."""
    folder = tmp_path_factory.mktemp("unsolved")

    def attempt(key: tuple[str, int]) -> tuple[nbformat.NotebookNode, LessonFailed | None]:
        name, number = key
        notebook = read_lesson(find_lesson(name))
        solved = {exercise.solution for exercise in exercises(name, notebook)[:number]}
        short = exercise_run(notebook, solved)
        path = folder / f"{name}_{number}.ipynb"
        nbformat.write(short, path)
        try:
            run_lesson(path, folder / f"{name}_{number}_out.ipynb", {"PROFILE": "smoke"}, threads=1)
        except LessonFailed as error:
            return short, error
        return short, None

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(EXERCISES, pool.map(attempt, EXERCISES), strict=True))


@pytest.mark.parametrize(("name", "number"), EXERCISES)
def test_without_its_solution_an_exercise_fails_at_its_check(name, number, unsolved):
    short, error = unsolved[name, number]
    checks = [index for index, cell in enumerate(short.cells) if "check" in tags(cell)]
    assert error is not None, "the check passes on the stub"
    assert (error.code, error.cell) == (1, checks[number]), error


def test_students_get_every_lesson(tmp_path):
    written = write_student(tmp_path)
    assert [path.stem for path in written] == NAMES
    assert not any("solution" in tags(cell) for path in written for cell in nbformat.read(path, 4).cells)
