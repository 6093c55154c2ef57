"""The average follows its closed form."""

import pytest
import torch
from torch import nn

from facelab.train import ema


def filled(value):
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        for tensor in [*net.parameters(), net[1].running_mean]:
            tensor.fill_(value)
    return net


def test_constant_target_has_a_closed_form():
    average, model = ema.copy_of(filled(0.0)), filled(1.0)
    for step in range(1, 6):
        ema.update(average, model, decay=0.9)
        for tensor in average.parameters():
            torch.testing.assert_close(tensor, torch.full_like(tensor, 1 - 0.9**step))
    assert torch.equal(average[1].running_mean, torch.ones(2)), "buffers are copied"


def test_warm_up_forgets_the_untrained_weights():
    assert ema.warm_decay(0.999, 0) == pytest.approx(0.1)
    assert ema.warm_decay(0.999, 90) == pytest.approx(0.91)
    assert ema.warm_decay(0.999, 10**6) == 0.999
    average = ema.copy_of(filled(0.0))
    ema.update(average, filled(1.0), 0.999, step=0)
    torch.testing.assert_close(average[0].weight, torch.full((2, 2), 0.9).requires_grad_(False), check_stride=False)


def test_the_copy_is_apart_and_never_trained():
    model = filled(0.5)
    average = ema.copy_of(model)
    assert not average.training and not any(p.requires_grad for p in average.parameters())
    ema.update(average, filled(1.0), 0.5)
    assert torch.equal(model[0].weight, torch.full((2, 2), 0.5)), "the model itself does not move"
