"""Losses: known values, limits, slopes."""

import math

import pytest
import torch

from facelab.losses import adversarial as adv
from facelab.losses import perceptual as perc
from facelab.losses import reconstruction as rec

ZERO = torch.zeros(2, 1, 3, 3)


@pytest.mark.parametrize(
    ("name", "d_at_zero", "g_at_zero"),
    [
        ("wgan", 0.0, 0.0),
        ("hinge", 2.0, 0.0),
        ("nonsaturating", 2 * math.log(2), math.log(2)),
        ("lsgan", 0.5, 1.0),
        ("minimax", 2 * math.log(2), -math.log(2)),
    ],
)
def test_values_at_logit_zero(name, d_at_zero, g_at_zero):
    loss_d, loss_g = adv.PAIRS[name]
    assert loss_d(ZERO, ZERO).item() == pytest.approx(d_at_zero, abs=1e-6)
    assert loss_g(ZERO).item() == pytest.approx(g_at_zero, abs=1e-6)


@pytest.mark.parametrize("name", list(adv.PAIRS))
@pytest.mark.parametrize("value", [-40.0, 40.0])
def test_finite_far_out(name, value):
    logits = torch.full((4, 1), value, requires_grad=True)
    loss_d, loss_g = adv.PAIRS[name]
    total = loss_d(logits, logits) + loss_g(logits)
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", list(adv.PAIRS))
def test_directions(name):
    """The critic wants real up and fake down; the generator wants fake up."""
    loss_d, loss_g = adv.PAIRS[name]
    real, fake = torch.zeros(3, 1, requires_grad=True), torch.zeros(3, 1, requires_grad=True)
    loss_d(real, fake + 0.1).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()
    fake = torch.zeros(3, 1, requires_grad=True)
    loss_g(fake).backward()
    assert (fake.grad < 0).all()


def test_nonsaturating_generator_does_not_saturate():
    logits = torch.full((5, 1), -40.0, requires_grad=True)
    adv.nonsaturating_g(logits).backward()
    torch.testing.assert_close(logits.grad, torch.full((5, 1), -1 / 5))


def test_minimax_generator_does_saturate():
    """Its slope at a confident critic is σ(D)/N: nothing."""
    logits = torch.full((5, 1), -40.0, requires_grad=True)
    adv.minimax_g(logits).backward()
    assert logits.grad.abs().max() < 1e-15
    logits = torch.zeros(5, 1, requires_grad=True)
    adv.minimax_g(logits).backward()
    torch.testing.assert_close(logits.grad, torch.full((5, 1), -0.5 / 5))


def test_masked_l1_knows_which_side_is_hidden():
    truth, pred = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    hole = torch.zeros(1, 1, 4, 4)
    hole[..., :2] = 1
    pred[..., :2] = 1.0  # wrong only inside the hole
    assert rec.masked_l1(pred, truth, hole).item() == pytest.approx(0.5)
    assert rec.masked_l1(pred, truth, 1 - hole).item() == 0.0


def test_hole_losses_prefer_the_true_hole_to_its_reverse():
    hole = (torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.7).float()
    right, wrong = (hole * 2 - 1) * 8, (1 - hole * 2) * 8
    assert rec.hole_bce(right, hole) < 0.01 < 5 < rec.hole_bce(wrong, hole)
    assert rec.hole_dice(torch.sigmoid(right), hole) < 0.01 < 0.8 < rec.hole_dice(torch.sigmoid(wrong), hole)


def test_total_variation_of_a_step():
    image = torch.zeros(2, 1, 4, 4)
    image[..., 2:] = 1
    assert rec.total_variation(image).item() == pytest.approx(4.0)  # four rows, one step each, mean over the batch


def test_gram_of_constant_channels():
    features = torch.stack([torch.full((2, 2), 1.0), torch.full((2, 2), 3.0)])[None]
    torch.testing.assert_close(perc.gram(features)[0], torch.tensor([[1.0, 3.0], [3.0, 9.0]]) * 4 / 8)


def test_style_forgets_place_and_perceptual_does_not():
    maps = [torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))]
    moved = [torch.roll(maps[0], 1, -1)]
    assert perc.style(maps, moved).item() == pytest.approx(0, abs=1e-6)
    assert perc.perceptual(maps, moved).item() > 0.1
