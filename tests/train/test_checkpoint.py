"""A checkpoint is complete and intact, or it is refused before anything in it is parsed."""

import hashlib
import io
import pickle
import random
import warnings
from collections import namedtuple

import numpy
import pytest
import torch

from facelab.errors import BadCheckpoint
from facelab.train import checkpoint
from facelab.train.optim import named


@pytest.fixture
def saved(tiny, tmp_path):
    model, opts, state = tiny.build()
    return checkpoint.save(tmp_path / checkpoint.name_of(3), model, opts, state)


def wrapped(payload: bytes) -> bytes:
    """A payload under a correct header, as somebody who knows the format could write it."""
    return checkpoint.MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def test_intact_file_loads(saved):
    assert checkpoint.read(saved)["state"]["total_steps"] == 10


def test_flipped_bytes_are_rejected(saved):
    whole = saved.read_bytes()
    chance = random.Random(0)
    places = [0, len(checkpoint.MAGIC), checkpoint.HEADER - 1, len(whole) - 1]
    for place in places + [chance.randrange(len(whole)) for _ in range(20)]:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        saved.write_bytes(broken)
        with pytest.raises(BadCheckpoint, match=saved.name):
            checkpoint.read(saved)
    saved.write_bytes(whole)
    checkpoint.read(saved)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_truncated_files_are_rejected(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadCheckpoint, match="older checkpoint"):
        checkpoint.read(saved)


def test_a_lying_header_is_rejected(saved):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: len(checkpoint.MAGIC)] + b"0" * 64 + whole[checkpoint.HEADER - 1 :])
    with pytest.raises(BadCheckpoint, match="SHA-256"):
        checkpoint.read(saved)


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return exec, (f"open({str(self.marker)!r}, 'w').write('ran')",)


@pytest.mark.parametrize("dressed", ["pickle", "torch file", "pickle under a header", "torch file under a header"])
def test_evil_pickle_is_refused_and_does_not_run(tmp_path, dressed):
    marker, path = tmp_path / "ran", tmp_path / checkpoint.name_of(1)
    buffer = io.BytesIO()
    torch.save({"model": Evil(marker)}, buffer)
    payload = buffer.getvalue() if "torch" in dressed else pickle.dumps({"model": Evil(marker)}, protocol=2)
    path.write_bytes(wrapped(payload) if "header" in dressed else payload)
    with pytest.raises(BadCheckpoint):
        checkpoint.read(path)
    assert not marker.exists()


def test_the_evil_pickle_is_a_real_one(tmp_path):
    pickle.loads(pickle.dumps(Evil(tmp_path / "ran")))
    assert (tmp_path / "ran").read_text() == "ran"


def test_foreign_but_harmless_content_is_refused(tmp_path):
    buffer = io.BytesIO()
    torch.save({"weights": torch.ones(2)}, buffer)
    path = tmp_path / "a.ckpt"
    path.write_bytes(wrapped(buffer.getvalue()))
    with pytest.raises(BadCheckpoint, match="not a training checkpoint"):
        checkpoint.read(path)
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        checkpoint.read(tmp_path / "missing.ckpt")


def test_latest_falls_back_and_says_so(tiny, tmp_path):
    assert checkpoint.latest(tmp_path / "nothing") is None
    model, opts, state = tiny.build()
    for step in (9, 10, 100000000):
        checkpoint.save(tmp_path / checkpoint.name_of(step), model, opts, state)
    assert checkpoint.latest(tmp_path).name == checkpoint.name_of(100000000)
    (tmp_path / checkpoint.name_of(100000000)).write_bytes(b"")
    with pytest.warns(UserWarning, match="step_100000000.ckpt.*falling back"):
        assert checkpoint.latest(tmp_path).name == checkpoint.name_of(10)
    for path in tmp_path.glob("*.ckpt"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning), pytest.raises(BadCheckpoint, match="none of its 3 checkpoints is intact"):
        checkpoint.latest(tmp_path)


def test_prune_keeps_the_newest(tiny, tmp_path):
    for step in range(1, 6):
        (tmp_path / checkpoint.name_of(step)).touch()
    (tmp_path / f".{checkpoint.name_of(6)}.abc.ckpt").touch()
    (tmp_path / "notes.txt").touch()
    checkpoint.prune(tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.txt", checkpoint.name_of(4), checkpoint.name_of(5)]


def test_a_failed_write_leaves_the_old_file(tiny, saved, monkeypatch):
    before = saved.read_bytes()
    model, opts, state = tiny.build(seed=5)
    monkeypatch.setattr("facelab.files.os.fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(saved, model, opts, state)
    assert saved.read_bytes() == before and [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_what_cannot_be_read_back_safely_is_not_written(tiny, tmp_path):
    model, opts, state = tiny.build()
    state.tensors["pool"] = numpy.ones(3)
    with pytest.raises(TypeError, match="state.tensors.pool is a ndarray"):
        checkpoint.save(tmp_path / "a.ckpt", model, opts, state)
    state.tensors["pool"] = numpy.float64(2.5)  # a NumPy number becomes a plain one
    assert checkpoint.read(checkpoint.save(tmp_path / "a.ckpt", model, opts, state))["state"]["tensors"]["pool"] == 2.5


def test_a_view_does_not_drag_its_storage_along(tiny, tmp_path):
    model, opts, state = tiny.build()
    bare = checkpoint.save(tmp_path / "bare.ckpt", model, opts, state).stat().st_size
    state.tensors["pool"] = torch.zeros(1_000_000)[:10]
    assert checkpoint.save(tmp_path / "view.ckpt", model, opts, state).stat().st_size < bare + 10_000


def refused(tiny, path, match, **changes):
    """Loading is refused and leaves every net, optimiser and generator as it was."""
    model, opts, state = tiny.build(seed=7, **{k: v for k, v in changes.items() if k in ("width", "dropout")})
    state.cfg = state.cfg | changes.get("cfg", {})
    opts = changes.get("opts", lambda model, opts: opts)(model, opts)
    before = tiny.snapshot(model, named(opts), state)
    with pytest.raises(BadCheckpoint, match=match):
        checkpoint.load(path, model, opts, state)
    assert tiny.differing(before, tiny.snapshot(model, named(opts), state)) == []


def test_other_runs_are_refused_and_change_nothing(tiny, saved):
    refused(tiny, saved, "width=8, now 24", width=24)
    refused(tiny, saved, r"net.depth=2, now 3", cfg={"net": {"depth": 3}})
    refused(tiny, saved, r"is \(8, 3, 3, 3\) there and \(24, 3, 3, 3\) here", width=24, cfg={"width": 8})
    refused(tiny, saved, "holds optimisers", opts=lambda model, opts: {"G": opts["G"]})
    smaller = lambda model, opts: opts | {"D": torch.optim.Adam([model.D.logit.bias])}  # noqa: E731
    refused(tiny, saved, "holds optimisers", opts=smaller)


def test_changeable_and_new_settings_are_let_through(tiny, saved):
    model, opts, state = tiny.build()
    state.cfg = state.cfg | {"width": 24}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checkpoint.load(saved, model, opts, state, changeable=("width",))
    state.cfg = state.cfg | {"width": 8, "colour": "blue"}
    with pytest.warns(UserWarning, match="one side only: colour"):
        checkpoint.load(saved, model, opts, state)


def test_optimisers_in_any_container(tiny):
    _, opts, _ = tiny.build()
    pair = namedtuple("Pair", "G D")(**opts)
    assert named(opts) == named(pair) == opts
    assert list(named(list(opts.values()))) == ["0", "1"]
    assert named(opts["G"]) == {"opt": opts["G"]}
    assert named(None) == {}
