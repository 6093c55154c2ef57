"""Decoding by several processes: the same bytes, in the same order, whatever becomes of a helper."""

from __future__ import annotations

import os

import numpy as np
import pytest

from facelab import images
from facelab.data import decode
from facelab.data.dataset import FaceDataset, Item
from facelab.data.synth import open_synth


@pytest.fixture
def helped(monkeypatch):
    """Several helpers even for a small set; gives the list of those that were begun."""
    begun, begin = [], decode._helper

    def helper():
        begun.append(begin())
        return begun[-1]

    monkeypatch.setattr(decode, "MANY", 1)
    monkeypatch.setattr(decode, "CHUNK", 4)
    monkeypatch.setattr(decode, "usable_cores", lambda: 2)
    monkeypatch.setattr(decode, "_helper", helper)
    return begun


def decoded(dataset, size=16):
    rows = np.zeros((len(dataset), 3, size, size), np.uint8)
    told = []
    indices, rejected = decode.decode(dataset, size, 3, rows, lambda done, total: told.append((done, total)))
    assert told == [(k + 1, len(dataset)) for k in range(len(dataset))]
    return rows, indices, rejected


@pytest.fixture(scope="module")
def alone():
    dataset = open_synth(2, 8)
    return dataset, *decoded(dataset)


def test_a_small_set_needs_no_helper(alone, monkeypatch):
    monkeypatch.setattr(decode, "_helper", lambda: pytest.fail("a helper"))
    assert np.array_equal(decoded(alone[0])[0], alone[1])
    monkeypatch.setattr(decode, "MANY", 1)
    with pytest.raises(pytest.fail.Exception):  # the control: here there would be helpers
        monkeypatch.setattr(decode, "usable_cores", lambda: 2)
        decoded(alone[0])


def test_several_processes_give_the_same_bytes(alone, helped, monkeypatch):
    dataset, rows, indices, rejected = alone
    answer, answers = decode._answer, []
    monkeypatch.setattr(decode, "_answer", lambda helper: answers.append(answer(helper)) or answers[-1])
    again, places, bad = decoded(dataset)
    assert len(answers) > 3 and all(answers), "the helpers did all of it"
    assert len(helped) == 2 and np.array_equal(again, rows) and len(np.unique(rows)) > 50
    assert places == indices == list(range(len(dataset))) and bad == rejected == []
    assert all(helper.poll() is not None for helper in helped), "none is left behind"


def test_a_helper_that_dies_is_made_up_for(alone, helped, monkeypatch):
    answer, asked = decode._answer, []

    def dying(helper):
        asked.append(helper)
        if len(asked) == 2:
            for one in helped:
                one.kill()
                one.stdout.read()  # what it had said already is lost, too
        return answer(helper)

    monkeypatch.setattr(decode, "_answer", dying)
    rows, indices, _ = decoded(alone[0])
    assert len(asked) > 2 and np.array_equal(rows, alone[1]) and indices == alone[2]


def test_a_helper_that_never_lives_is_made_up_for(alone, helped, monkeypatch):
    monkeypatch.setattr(decode.sys, "executable", "/bin/false" if os.path.exists("/bin/false") else "false")
    assert np.array_equal(decoded(alone[0])[0], alone[1]) and len(helped) == 2


@pytest.mark.parametrize("several", [False, True])
def test_a_bad_picture_is_counted(several, request, tmp_path, photo):
    helped = request.getfixturevalue("helped") if several else []
    files = [photo(tmp_path / f"{k}.png", (24, 24), seed=k) for k in range(9)]
    files[3].write_bytes(b"")
    files[6].unlink()
    odd = FaceDataset("odd", tmp_path, [Item(file) for file in files], made="/odd")
    rows, indices, rejected = decoded(odd)
    assert indices == [0, 1, 2, 4, 5, 7, 8] and len(helped) == 2 * several
    assert [name for name, _ in rejected] == ["3.png", "6.png"] and rejected[0][1] == "the file is empty"
    assert not rows[7:].any() and rows[:7].reshape(7, -1).any(1).all()
    assert np.array_equal(rows[3], images.to_uint8(odd.at(4, 16, 3)).numpy())
