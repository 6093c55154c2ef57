"""The live curve: silent without a notebook, one picture replaced in place with one."""

from __future__ import annotations

import pytest

from facelab.show import live
from facelab.show.live import LiveCurve
from facelab.train.history import History


@pytest.fixture
def history():
    history = History()
    for step in range(1, 6):
        history.append(step, loss=1.0 / step)
    return history


@pytest.fixture
def notebook(monkeypatch):
    """A notebook that keeps what it is shown: ("new" or "update", picture)."""
    seen = []

    class Handle:
        def update(self, picture):
            seen.append(("update", picture))

    def display(picture, display_id=None):
        seen.append(("new", picture))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(live, "in_notebook", lambda: True)
    return seen


def test_nothing_is_drawn_without_a_notebook(history, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: pytest.fail("something was displayed"))
    curve = LiveCurve(every=0)
    curve(history)
    curve.finish()
    assert curve.drawn == 0


def test_the_picture_is_replaced_in_place(history, notebook):
    curve = LiveCurve(every=0, share=1.0)
    for _ in range(3):
        curve(history)
    assert [kind for kind, _ in notebook] == ["new", "update", "update"]
    assert notebook[-1][1].data.startswith(b"\x89PNG")


def test_young_pictures_are_not_replaced_but_the_last_one_is_drawn(history, notebook):
    curve = LiveCurve(every=1000.0)
    for _ in range(5):
        curve(history)
    assert curve.drawn == 1
    curve.finish()
    assert curve.drawn == 2
    ends = LiveCurve(every=1000.0, steps=6)
    ends(history)
    history.append(6, loss=0.1)
    ends(history)
    assert ends.drawn == 2, "the run's last step is always drawn"
