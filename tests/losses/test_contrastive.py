"""People together, strangers apart: the loss in closed form, and what it pulls where."""

import math

import pytest
import torch
import torch.nn.functional as F

from facelab.losses.contrastive import supervised_contrastive
from facelab.seeding import generator


def test_orthogonal_people_in_closed_form():
    vectors = torch.eye(3).repeat(2, 1)  # three people, twice each, at right angles
    who = torch.tensor([0, 1, 2]).repeat(2)
    expected = math.log(math.exp(1 / 0.5) + 4) - 1 / 0.5  # one friend and four strangers
    assert supervised_contrastive(vectors, who, 0.5).item() == pytest.approx(expected, rel=1e-5)


def test_a_person_in_three_pictures_counts_both_others():
    vectors = F.normalize(torch.randn(5, 4, generator=generator(0, "c")), dim=1)
    who, total = torch.tensor([0, 0, 0, 1, 1]), 0.0
    for k in range(5):
        logs = {j: (vectors[k] @ vectors[j] / 0.2).item() for j in range(5) if j != k}
        norm = math.log(sum(math.exp(value) for value in logs.values()))
        friends = [j for j in logs if who[j] == who[k]]
        total += sum(norm - logs[j] for j in friends) / len(friends)
    assert supervised_contrastive(vectors, who, 0.2).item() == pytest.approx(total / 5, rel=1e-5)


def test_a_step_brings_friends_nearer_and_strangers_apart():
    raw = torch.randn(6, 8, generator=generator(1, "c")).requires_grad_(True)
    who = torch.tensor([0, 1, 2, 0, 1, 2])
    supervised_contrastive(F.normalize(raw, dim=1), who).backward()
    before, after = (F.normalize(x, dim=1) @ F.normalize(x, dim=1).T for x in (raw.detach(), raw.detach() - raw.grad))
    friends = (who[:, None] == who) & ~torch.eye(6, dtype=torch.bool)
    margin = lambda cosines: cosines[friends].mean() - cosines[who[:, None] != who].mean()  # noqa: E731
    assert margin(after) > margin(before)
