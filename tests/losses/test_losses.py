"""Losses: known values, limits, slopes."""

import math

import pytest
import torch

from facelab.errors import BadConfig
from facelab.images import to_channels
from facelab.losses import adversarial as adv
from facelab.losses import perceptual as perc
from facelab.losses import reconstruction as rec
from facelab.losses.perceptual import perceptual_relative, perceptual_square
from facelab.losses.similarity import ASPECTS, aspect, ssim_loss, structure
from facelab.metrics.image import ssim
from facelab.seeding import generator

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


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_ssim_loss_is_one_minus_the_metric(size):
    random = generator(0, "ssim", *size)
    a, b = (torch.rand(3, 3, *size, generator=random) * 2 - 1 for _ in "ab")
    near = (a + 0.2 * b).clamp(-1, 1)
    for other in (b, near, a):
        expected = 1 - ssim(other, a).mean().item()
        assert ssim_loss(other, a).item() == pytest.approx(expected, abs=2e-5)
    assert ssim_loss(a, a).item() == pytest.approx(0, abs=1e-6)


def test_structure_is_what_is_left_by_hand():
    """Each place by itself: a Gaussian window cut off at the edge, the mean taken off, the spread divided by."""
    picture = torch.rand(1, 3, 8, 16, generator=generator(0, "structure")) * 2 - 1
    light = to_channels(picture, 1)[0, 0].double()
    found = structure(picture, share=0.25, floor=0.2)[0, 0]
    for row, column in ((0, 0), (3, 9), (7, 4)):
        down, across = (torch.exp(-((torch.arange(side).double() - at) ** 2) / (2 * 2.0**2))
                        for side, at in ((8, row), (16, column)))  # fmt: skip
        window = down[:, None] * across / (down.sum() * across.sum())  # of a quarter of the height both ways
        mean = (window * light).sum()
        spread = (window * light**2).sum() - mean**2
        wanted = (light[row, column] - mean) / (spread + 0.2**2).sqrt()
        assert found[row, column].item() == pytest.approx(wanted.item(), abs=1e-5)


def test_structure_forgets_colour_brightness_and_smooth_light_and_keeps_lines():
    random = generator(1, "structure")
    lines = torch.nn.functional.interpolate(torch.rand(2, 1, 16, 16, generator=random) - 0.5, (64, 64), mode="bicubic")
    kept, across = structure(lines), torch.linspace(-0.4, 0.4, 64)
    apart = lambda other: float((structure(other) - kept).abs().mean())  # noqa: E731
    red = lines + torch.tensor([0.587, -0.299, 0.0]).view(1, 3, 1, 1) * 0.5  # the luminance stays
    forgotten = {"colour": red, "brightness": lines + 0.3, "light from a side": lines + across}
    for name, other in forgotten.items():
        assert apart(other) < 0.08, name
    assert apart(1.3 * lines) < 0.1, "contrast"
    assert apart(lines.flip(-1)) > 0.5 and apart(-lines) > 0.5
    torch.testing.assert_close(structure(lines.flip(-1)), kept.flip(-1))


def test_structure_of_a_plain_surface_is_nothing_and_its_slope_is_finite():
    plain = torch.full((1, 1, 32, 32), 0.5).requires_grad_(True)
    found = structure(plain)
    assert found.abs().max() < 1e-3
    found.abs().mean().backward()
    assert plain.grad.isfinite().all()
    noise = 0.01 * torch.randn(1, 1, 32, 32, generator=generator(2, "structure"))
    assert structure(plain.detach() + noise).abs().mean() < 0.1, "noise far below the floor stays small"


def test_pictures_are_compared_by_what_was_asked_for_or_not_at_all():
    picture = torch.rand(1, 3, 16, 16, generator=generator(3, "structure")) * 2 - 1
    shown = {name: aspect(picture, name) for name in ASPECTS}
    assert torch.equal(shown["pixels"], picture) and torch.equal(shown["luminance"], to_channels(picture, 1))
    assert torch.equal(shown["structure"], structure(picture))
    with pytest.raises(BadConfig, match="aspect"):
        aspect(picture, "colours")


def test_ssim_loss_pulls_towards_the_truth():
    truth = torch.rand(1, 1, 24, 24, generator=generator(0, "t")) * 2 - 1
    guess = torch.zeros_like(truth).requires_grad_(True)
    before = ssim_loss(guess, truth)
    before.backward()
    assert torch.isfinite(guess.grad).all()
    after = ssim_loss(guess.detach() - 20 * guess.grad, truth)
    assert after < before.detach()


def test_relative_feature_loss_does_not_depend_on_the_scale_of_the_net():
    random = generator(0, "maps")
    maps, target = ([torch.randn(2, 4, s, s, generator=random) for s in (8, 4)] for _ in "ab")
    larger = [[7 * m for m in stage] for stage in (maps, target)]
    assert perceptual_relative(*larger).item() == pytest.approx(perceptual_relative(maps, target).item(), rel=1e-5)
    assert perceptual_square(*larger).item() == pytest.approx(49 * perceptual_square(maps, target).item(), rel=1e-5)
    assert perceptual_relative([torch.zeros_like(t) for t in target], target).item() == pytest.approx(2, rel=1e-5)
    assert perceptual_relative(target, target).item() == 0
