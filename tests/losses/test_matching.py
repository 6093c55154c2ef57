"""Flows that are told where a place is seen."""

import pytest
import torch

from facelab.losses.matching import HIDDEN, match_l1, seen_bce
from facelab.nets.warping import mirrored_field


def match_of(flow: float, seen: float, side: int = 4) -> torch.Tensor:
    return torch.cat([torch.full((1, 2, side, side), flow), torch.full((1, 1, side, side), seen)], 1)


def test_a_right_flow_costs_nothing_and_a_wrong_one_its_distance():
    match = match_of(0.25, 1.0)
    assert match_l1(torch.full((1, 2, 8, 8), 0.25), match) == 0
    assert match_l1(torch.full((1, 2, 8, 8), 0.35), match).item() == pytest.approx(0.2, abs=1e-6), "both axes"


def test_what_is_hidden_counts_less_and_what_is_unknown_nothing():
    match, flow = match_of(0.25, 1.0), torch.zeros(1, 2, 4, 4)
    match[:, 2, :2] = 0
    flow[:, :, 2:] = 0.25  # right where it is seen, off by 0.5 where it is hidden
    assert match_l1(flow, match).item() == pytest.approx(0.5 * HIDDEN / (1 + HIDDEN), abs=1e-6)
    match[:, :, :2] = 0
    assert match_l1(flow, match) == 0
    assert match_l1(flow, torch.zeros(1, 3, 4, 4)) == 0, "nothing known is no division by zero"


def test_gates_learn_what_is_seen():
    match = match_of(0.1, 1.0)
    match[:, 2, :2] = 0
    right = match[:, 2:].clamp(0.001, 0.999)
    assert seen_bce(right, match) < 0.01 < 0.6 < seen_bce(torch.full((1, 1, 8, 8), 0.5), match)
    gate = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    seen_bce(gate, match).backward()
    assert (gate.grad[:, :, :2] > 0).all() and (gate.grad[:, :, 2:] < 0).all()


def test_a_pair_that_nothing_is_known_of_teaches_no_gate():
    known, unknown = match_of(0.1, 1.0), torch.zeros(1, 3, 4, 4)
    gate = torch.full((2, 1, 4, 4), 0.7, requires_grad=True)
    loss = seen_bce(gate, torch.cat([known, unknown]))
    loss.backward()
    assert gate.grad[0].abs().sum() > 0 == gate.grad[1].abs().sum()
    torch.testing.assert_close(loss, seen_bce(gate[:1], known))
    assert seen_bce(gate, torch.zeros(2, 3, 4, 4)) == 0


def test_the_mirror_image_is_looked_at_from_the_other_side():
    match = torch.rand(2, 3, 4, 4)
    other = mirrored_field(match)
    torch.testing.assert_close(other[:, 0], -match[:, 0].flip(-1))
    torch.testing.assert_close(other[:, 1:], match[:, 1:].flip(-1))
    torch.testing.assert_close(mirrored_field(other), match)
