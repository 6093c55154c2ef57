"""The image pool: what goes in, what comes out, and that it survives an interruption."""

import torch

from facelab.seeding import generator
from facelab.train.pool import from_pool
from facelab.train.state import State


def numbered(first, count=1):
    return torch.arange(first, first + count).float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def drawn(state, steps, size=5, first=0):
    return [int(from_pool(numbered(k), state, "pool", size)[0, 0, 0, 0]) for k in range(first, first + steps)]


def test_fakes_come_back_as_they_are_until_the_pool_is_full():
    state = State(generator=generator(0, "t"))
    assert drawn(state, 5) == [0, 1, 2, 3, 4]
    assert state.tensors["pool"].shape == (5, 1, 2, 2)
    assert drawn(state, 40, first=5) != list(range(5, 45))


def test_half_of_them_are_earlier_ones_and_nothing_is_lost_or_doubled():
    state, steps = State(generator=generator(0, "t")), 600
    out = drawn(state, steps)
    kept = state.tensors["pool"][:, 0, 0, 0].int().tolist()
    assert sorted(out[5:] + kept) == list(range(steps)) and len(kept) == 5
    earlier = sum(got < now for now, got in enumerate(out[5:], 5))
    assert 0.42 < earlier / (steps - 5) < 0.58
    old = [got for now, got in enumerate(out[5:], 5) if got < now]
    assert len(set(old) - set(range(5))) > 100, "those that went in come out"
    assert len([k for k in set(old) if old.count(k) > 1 and k >= 5]) == 0, "who came out once is gone"


def test_no_pool():
    state = State(generator=generator(0, "t"))
    assert drawn(state, 30, size=0) == list(range(30)) and not state.tensors


def test_a_batch_is_exchanged_picture_by_picture():
    state = State(generator=generator(0, "t"))
    from_pool(numbered(0, 5), state, "pool", 5)
    out = from_pool(numbered(100, 32), state, "pool", 5)
    assert out.shape == (32, 1, 2, 2) and 4 < int((out != numbered(100, 32)).all((1, 2, 3)).sum()) < 28


def test_an_interrupted_pool_goes_on_as_it_would_have():
    whole, cut = (State(generator=generator(0, "t")) for _ in range(2))
    wanted = drawn(whole, 40)
    first, saved = drawn(cut, 17), None
    saved = {k: v.clone() if k == "generator" else v for k, v in cut.state_dict().items()}
    saved["tensors"] = {name: value.clone() for name, value in saved["tensors"].items()}
    resumed = State(generator=generator(9, "other"))
    resumed.load_state_dict(saved)
    assert first + drawn(resumed, 23, first=17) == wanted
    forgotten = State(generator=generator(0, "t"))
    forgotten.load_state_dict(saved | {"tensors": {}})
    assert first + drawn(forgotten, 23, first=17) != wanted
