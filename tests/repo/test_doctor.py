"""The doctor says what is missing and how to fix it, and never falls over itself."""

import os

import pytest

from facelab import doctor, machine
from facelab.errors import MissingPart


def test_on_this_machine_everything_essential_is_here(capsys):
    assert doctor.doctor() == 0
    out = capsys.readouterr().out
    looked_at = ("Python", "torch", "torchvision", "GPU", "CPU", "memory", "dlib", "feature net", "datasets")
    for what in looked_at:
        assert f"{what}: " in out
    assert "Everything essential is here." in out


def test_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5}, raising=False)
    assert next(doctor.look_at_cpu()).found.startswith("2 cores")
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.usable_cores() == 64


def test_a_look_that_breaks_is_a_finding(monkeypatch, capsys):
    def look_at_nothing():
        raise OSError("no such thing")
        yield

    monkeypatch.setattr(doctor, "LOOKS", (look_at_nothing, doctor.look_at_python))
    assert doctor.doctor() == 1
    out = capsys.readouterr().out
    assert "!!  nothing: OSError: no such thing" in out and "ok  Python" in out


def test_missing_faces_are_a_note_with_a_fix(monkeypatch):
    from facelab.faces import models

    def absent():
        raise MissingPart("dlib", "install it")

    monkeypatch.setattr(models, "dlib_module", absent)
    first = next(doctor.look_at_faces())
    assert first.state == "note" and "facelab[faces]" in first.fix


def test_missing_photographs_are_essential(monkeypatch):
    from facelab.data import catalogue

    monkeypatch.setattr(catalogue, "report", lambda: [catalogue.Row("orl", "", False, 0, 0, (), "")])
    first = next(doctor.look_at_data())
    assert first.state == "bad" and "facelab[data]" in first.fix


@pytest.mark.parametrize(("flags", "state"), [({"amx_bf16"}, "good"), ({"avx2"}, "note"), (set(), "note")])
def test_bf16_is_read_from_the_flags(monkeypatch, flags, state):
    monkeypatch.setattr(doctor, "cpu_flags", lambda: frozenset(flags))
    assert next(doctor.look_at_cpu()).state == state
