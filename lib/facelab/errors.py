"""Every error a user can meet, one type a kind. Each message says what, where, and what to do."""

from __future__ import annotations

from pathlib import Path

VERBS = ("is ", "has ", "hides ", "would ", "shows ", "cannot ")
"""How reasons begin that go on from the file's name: *it* is, has, hides …"""


class FacelabError(Exception):
    """Base of all errors that are the input's fault, never the program's."""


class BadImage(FacelabError):
    """A file that cannot be used as a picture.

    Args:
        path: the file, or a description such as ``"<upload>"``.
        reason: what is wrong with it, in plain words; may begin with a verb, of which the file is the subject.
    """

    def __init__(self, path: str | Path, reason: str):
        self.path, self.reason = str(path), reason
        it = "it " if reason.startswith(VERBS) else ""
        super().__init__(f"{path}: not a usable picture: {it}{reason}")

    def __reduce__(self):
        return type(self), (self.path, self.reason)


class LayoutError(FacelabError):
    """A dataset folder that is not laid out as its publisher lays it out.

    Args:
        path: the folder looked at.
        expected: what should be there.
        found: what is there instead.
        hint: the next thing to do.
    """

    def __init__(self, path: str | Path, expected: str, found: str, hint: str):
        self.path, self.expected, self.found, self.hint = str(path), expected, found, hint
        super().__init__(f"{path}: expected {expected}; found {found}. {hint}")

    def __reduce__(self):
        return type(self), (self.path, self.expected, self.found, self.hint)


class DownloadFailed(FacelabError):
    """A file that could not be fetched whole and right. What was there before is still there.

    Args:
        url: the address.
        reason: what went wrong, in plain words.
        hint: the next thing to do.
    """

    def __init__(self, url: str, reason: str, hint: str = "Try again later, or place the file by hand."):
        self.url, self.reason, self.hint = url, reason, hint
        super().__init__(f"{url}: {reason}. {hint}")

    def __reduce__(self):
        return type(self), (self.url, self.reason, self.hint)


class BadArchive(FacelabError):
    """An archive or data file that is damaged, or that would write where it must not. Nothing of it is kept.

    Args:
        path: the file.
        reason: what is wrong with it, and in which member.
    """

    def __init__(self, path: str | Path, reason: str):
        self.path, self.reason = str(path), reason
        super().__init__(f"{path}: refused: {reason}. Fetch it again from its publisher.")

    def __reduce__(self):
        return type(self), (self.path, self.reason)


class BadWeights(FacelabError):
    """A weight file that is missing, damaged, or made for another network."""

    def __init__(self, path: str | Path, reason: str, hint: str = ""):
        self.path, self.reason, self.hint = str(path), reason, hint
        super().__init__(f"{path}: {reason}" + (f". {hint}" if hint else ""))

    def __reduce__(self):
        return type(self), (self.path, self.reason, self.hint)


class BadCheckpoint(FacelabError):
    """A checkpoint that fails its checksum or does not belong to this run."""

    def __init__(self, path: str | Path, reason: str, hint: str = ""):
        self.path, self.reason, self.hint = str(path), reason, hint
        super().__init__(f"{path}: {reason}" + (f". {hint}" if hint else ""))

    def __reduce__(self):
        return type(self), (self.path, self.reason, self.hint)


class BadConfig(FacelabError, ValueError):
    """A setting outside what is possible.

    Args:
        field: the setting's name.
        value: what was given.
        allowed: what may be given instead.
    """

    def __init__(self, field: str, value: object, allowed: str):
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"{field} = {value!r} is not possible; give {allowed}")

    def __reduce__(self):
        return type(self), (self.field, self.value, self.allowed)


class MissingPart(FacelabError):
    """An optional package, model file or dataset that is not on this machine."""

    def __init__(self, what: str, hint: str):
        self.what, self.hint = what, hint
        super().__init__(f"{what} is not here. {hint}")

    def __reduce__(self):
        return type(self), (self.what, self.hint)


class NotFinite(FacelabError):
    """Training met a NaN or an infinity.

    Args:
        name: the loss that broke.
        step: at which step.
        saved: file holding the batch that did it, or "" where none was saved.
    """

    def __init__(self, name: str, step: int, saved: str | Path = ""):
        self.name, self.step, self.saved = name, step, str(saved)
        where = f"The batch is kept in {saved}. " if saved else ""
        super().__init__(
            f"{name} is not finite at step {step}. {where}"
            "Try a smaller learning rate, fp32 instead of bf16, or a lower adversarial weight; "
            "then resume from the last checkpoint."
        )

    def __reduce__(self):
        return type(self), (self.name, self.step, self.saved)


class LessonFailed(FacelabError):
    """A lesson that did not run to its end.

    Args:
        lesson: its name.
        cell: index of the cell that failed, or None where no cell can be named.
        reason: first line of what went wrong.
        code: the process exit code that stands for this kind of failure.
    """

    def __init__(self, lesson: str, cell: int | None, reason: str, code: int = 1):
        self.lesson, self.cell, self.reason, self.code = lesson, cell, reason, code
        where = f", cell {cell}" if cell is not None else ""
        super().__init__(f"lesson {lesson}{where}: {reason}")

    def __reduce__(self):
        return type(self), (self.lesson, self.cell, self.reason, self.code)
