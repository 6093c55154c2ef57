"""Errors cross process borders: every class of ``facelab.errors`` survives pickling, with all it says."""

import inspect
import pickle

import pytest

from facelab import errors

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
KINDS = [kind for kind in CLASSES if kind is not errors.FacelabError]  # the base takes what any exception takes


def made(kind: type, short: bool) -> Exception:
    """An error with a different word for each argument; those with a default left out where ``short``."""
    found = inspect.signature(kind).parameters.values()
    given = [p for p in found if not (short and p.default is not p.empty)]
    return kind(*(f"word {number}" for number, _ in enumerate(given)))


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickling(kind, short):
    error = made(kind, short)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind and str(back) == str(error) and vars(back) == vars(error)


def test_what_is_wrong_with_a_picture_is_said_in_a_sentence():
    assert str(errors.BadImage("a.jpg", "is cut off")) == "a.jpg: not a usable picture: it is cut off"
    assert str(errors.BadImage("a.jpg", "the file is empty")) == "a.jpg: not a usable picture: the file is empty"
    assert errors.BadImage("a.jpg", "is cut off").reason == "is cut off", "whoever quotes it begins anew"


def test_every_class_is_looked_at():
    assert len(KINDS) >= 9 and all(issubclass(kind, errors.FacelabError) for kind in KINDS)
    assert all("word 0" in str(made(kind, False)) for kind in KINDS)
    assert str(pickle.loads(pickle.dumps(errors.FacelabError("what is wrong")))) == "what is wrong"
