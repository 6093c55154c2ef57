"""The face network: what it learns, where it is kept, and that a frontalizer is handed it."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from facelab import files
from facelab.nets.face_network import FaceNetwork
from facelab.studies import face_network as study
from facelab.studies import training, turning
from facelab.studies.trials import Trial
from facelab.train.engine import Engine

DATA = "synth:16"
SHORT = study.Settings(3, width=8, batch=4)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Networks of this module are kept in a place of its own; pictures where they are."""
    monkeypatch.setattr(study, "place_of", lambda dataset, what, key, root: tmp_path / f"{dataset.name}-{what}")
    return tmp_path


def test_vectors_have_length_one_at_any_size_and_do_not_depend_on_the_company():
    torch.manual_seed(0)
    net = FaceNetwork(1, 8, 16).eval()
    pictures = torch.rand(3, 1, 128, 128) * 2 - 1
    with torch.no_grad():
        vectors, maps = net(pictures), net.maps(pictures)
        torch.testing.assert_close(net(pictures[1:2]), vectors[1:2])
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    assert [tuple(m.shape[1:]) for m in maps] == [(8, 32, 32), (16, 16, 16), (32, 8, 8), (64, 4, 4)]


def test_it_learns_who_is_who(cache):
    """From chance (one in a handful) to most; a net that was not trained is the check of the check."""
    settings = study.Settings(60, width=16, batch=16)
    part = turning.pairs(DATA, "train", 64)
    chosen = range(0, len(part), 3)
    side, front = (part.cache.batch([part.rows[place][k] for place in chosen]) for k in (0, 1))
    names = tuple(part.identities[place] for place in chosen)
    test = Trial(side, front, front[:, :1], torch.zeros(len(side), 68, 2), ("turned",) * len(side), names, whole=True)
    learned = study.rank1(study.face_network(DATA, settings, progress=False), test, Engine())
    torch.manual_seed(0)
    assert study.rank1(FaceNetwork(width=16).eval(), test, Engine()) < 0.5 < 0.7 < learned


def test_it_is_trained_once_kept_and_frozen(cache, monkeypatch):
    first = study.face_network(DATA, SHORT, progress=False)
    card = json.loads((study.folder_of(DATA, SHORT) / "weights.json").read_text())
    assert card["data"] == DATA and card["step"] == 3 and "val_rank1" in card and card["people"] > 4
    monkeypatch.setattr(study, "_train", lambda *rest: pytest.fail("it is there already"))
    again = study.face_network(DATA, SHORT, progress=False)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not any(p.requires_grad for p in again.parameters()) and not again.training
    other = dataclasses.replace(SHORT, seed=1)
    assert study.folder_of(DATA, other) != study.folder_of(DATA, SHORT)


def test_training_it_leaves_the_global_generator_alone(cache):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    study.face_network(DATA, SHORT, progress=False)
    assert torch.equal(torch.rand(3), expected)


def test_an_interrupted_training_goes_on_to_the_same_bits(cache, monkeypatch):
    whole = study.face_network(DATA, SHORT, progress=False)
    weights = study.folder_of(DATA, SHORT) / "weights.safetensors"
    expected = weights.read_bytes()
    weights.unlink()
    newest = sorted((weights.parent / "checkpoints").glob("*.ckpt"))[-1]
    newest.unlink()  # as if it had been stopped after step 2
    study.face_network(DATA, SHORT, progress=False)
    assert weights.read_bytes() == expected and whole is not None


def test_damaged_weights_are_made_again(cache):
    study.face_network(DATA, SHORT, progress=False)
    weights = study.folder_of(DATA, SHORT) / "weights.safetensors"
    expected = weights.read_bytes()
    weights.write_bytes(b"damaged")
    study.face_network(DATA, SHORT, progress=False)
    assert weights.read_bytes() == expected


def test_a_frontalizer_is_handed_it(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "runs_root", lambda: tmp_path / "runs")
    short = dict(size=32, width=8, blocks=1, steps=2, batch=4, critic_width=8, feature_net="none", channels=3)
    seen = []
    settings = lambda steps, channels, width: dataclasses.replace(SHORT, steps=steps, channels=channels)  # noqa: E731
    monkeypatch.setattr("facelab.studies.tasks.face_network.Settings", settings)
    for steps in (0, 3):
        cfg = training.configure("frontalize", "smoke", DATA, dict(short, face_steps=steps))
        _, model = training.train("frontalize", cfg, DATA, out=tmp_path / f"run{steps}", progress=False)
        seen.append(bool(model.embed))
        rows = (tmp_path / f"run{steps}" / "history.jsonl").read_text()
        assert ("identity_preserving" in rows) == bool(steps)
    assert seen == [False, True]
