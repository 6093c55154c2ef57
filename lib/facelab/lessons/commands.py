"""What ``facelab run``, ``facelab book`` and ``facelab student`` do; the command line only adds the names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from facelab.errors import FacelabError, LessonFailed
from facelab.files import project_root
from facelab.lessons.book import build_book
from facelab.lessons.course import exit_code, run_lessons
from facelab.lessons.notebook import USAGE, lesson_names
from facelab.lessons.runner import SECONDS
from facelab.lessons.student import write_student


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab run``."""
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="number, name or path of a notebook")
    parser.add_argument("--all", action="store_true", help="every lesson of the course")
    parser.add_argument("--profile", choices=tuple(SECONDS), default="smoke", help="how much work (default: smoke)")
    parser.add_argument("--jobs", type=int, default=1, help="lessons at a time (default: 1)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a parameter")
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        help="folder of the results (default: build/course with --all, else build/lessons)",
    )
    parser.add_argument("--timeout", type=float, default=None, help="seconds a lesson may take")


def run_command(args: argparse.Namespace) -> int:
    """``facelab run``: 0 ok, 1 a cell failed, 2 usage, 3 timeout, 4 dead kernel (1 where failures differ)."""
    if args.all == bool(args.lessons):
        return _refuse("name lessons or give --all, one of the two")
    if args.jobs < 1 or (args.timeout is not None and args.timeout <= 0):
        return _refuse("--jobs and --timeout must be above 0")
    names = lesson_names() if args.all else args.lessons
    if not names:
        return _refuse("there are no lessons here")
    out = args.out or project_root() / "build" / ("course" if args.all else "lessons")
    try:
        results = run_lessons(names, args.profile, out, jobs=args.jobs, settings=args.set, timeout=args.timeout)
    except LessonFailed as error:
        return _refuse(error)
    good = sum(result.code == 0 for result in results)
    print(f"{good} of {len(results)} lessons ran to their end; summary: {out / 'summary.json'}")
    return exit_code(results)


def add_book_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab book``."""
    parser.add_argument("--from", dest="source", type=Path, default=None, help="executed lessons (build/course)")
    parser.add_argument("--out", type=Path, default=None, help="folder of the pages (build/book)")


def book_command(args: argparse.Namespace) -> int:
    """``facelab book``: 0, or 2 where there is nothing to bind."""
    build = project_root() / "build"
    try:
        print(build_book(args.source or build / "course", args.out or build / "book"))
    except FacelabError as error:
        return _refuse(error)
    return 0


def add_student_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab student``."""
    parser.add_argument("--out", type=Path, default=None, help="folder of the copies (student)")


def student_command(args: argparse.Namespace) -> int:
    """``facelab student``: 0, or 2 where an exercise is not well formed."""
    out = args.out or project_root() / "student"
    try:
        written = write_student(out)
    except LessonFailed as error:
        return _refuse(error)
    print(f"{len(written)} lessons without solutions written to {out}")
    if kept := len(lesson_names()) - len(written):
        print(f"{kept} that were there stay as they are; delete one to get it afresh")
    return 0


def _refuse(reason: object) -> int:
    print(f"facelab: {reason}", file=sys.stderr)
    return USAGE
