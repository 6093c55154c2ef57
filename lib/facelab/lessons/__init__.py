"""Lessons as programs: run them headlessly, bind them into a book, write the students' copies.

The command line uses the pairs in :mod:`facelab.lessons.commands`::

    add_run_arguments(parser)       run_command(args) -> exit code
    add_book_arguments(parser)      book_command(args) -> exit code
    add_student_arguments(parser)   student_command(args) -> exit code

Nothing here needs torch or matplotlib; papermill is imported in the process that runs a lesson.
"""

from facelab.lessons.book import build_book
from facelab.lessons.commands import (
    add_book_arguments,
    add_run_arguments,
    add_student_arguments,
    book_command,
    run_command,
    student_command,
)
from facelab.lessons.course import run_lessons
from facelab.lessons.notebook import find_lesson, lesson_names
from facelab.lessons.runner import LessonResult, run_lesson
from facelab.lessons.student import exercise_run, exercises, without_solutions, write_student

__all__ = [
    "LessonResult",
    "add_book_arguments",
    "add_run_arguments",
    "add_student_arguments",
    "book_command",
    "build_book",
    "exercise_run",
    "exercises",
    "find_lesson",
    "lesson_names",
    "run_command",
    "run_lesson",
    "run_lessons",
    "student_command",
    "without_solutions",
    "write_student",
]
