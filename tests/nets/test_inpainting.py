"""The parts of the inpainters: partial convolutions against their equation, gates that close, guides at half size."""

import pytest
import torch
import torch.nn.functional as F

from facelab.nets.blocks import GatedUnit
from facelab.nets.inpainting import ContextEncoder, Painter, PartialUnit, halved
from facelab.nets.unet import useful_dilations
from facelab.seeding import generator, seed_all


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_a_partial_convolution_window_by_window(stride, dilation):
    """Liu et al. 2018, equations 1 and 2: a sum over what is seen, times taps over seen taps."""
    seed_all(0)
    unit = PartialUnit(3, 8, stride, dilation, bent=False)
    unit.norm = torch.nn.Identity()
    x = torch.randn(1, 3, 12, 12, generator=generator(0, "p"))
    seen = (torch.rand(1, 1, 12, 12, generator=generator(1, "p")) > 0.6).float()
    seen[..., 6:, 6:] = 0
    found, after = unit(x, seen)
    kernel, pad = unit.conv.kernel_size[0], unit.conv.padding[0]
    wide, where = F.pad(x * seen, [pad] * 4), F.pad(seen, [pad] * 4)
    for row in range(found.shape[2]):
        for column in range(found.shape[3]):
            ys, xs = (torch.arange(kernel) * dilation + place * stride for place in (row, column))
            window, count = wide[0][:, ys][:, :, xs], where[0, 0][ys][:, xs].sum()
            wanted = (unit.conv.weight * window).sum((1, 2, 3)) * (kernel**2 / count if count else 0)
            torch.testing.assert_close(found[0, :, row, column], wanted, atol=1e-5, rtol=1e-4)
            assert after[0, 0, row, column] == float(count > 0)
    changed, _ = unit(x + (1 - seen) * 7, seen)
    assert torch.equal(changed, found) and 0 < after.mean() < 1


def test_gates_can_close_and_open():
    seed_all(0)
    unit = GatedUnit(8, 16)
    x = torch.randn(2, 8, 10, 10, generator=generator(0, "g"))
    gate = torch.sigmoid(unit.gates(x))
    assert gate.min() < 0.1 and gate.max() > 0.9
    torch.testing.assert_close(unit(x), unit.values(x) * gate)
    torch.nn.init.constant_(unit.gates.norm.bias, -9.0)
    assert unit(x).abs().max() < 0.02


def test_guides_at_half_size():
    guide = torch.arange(2 * 4 * 4.0).view(1, 2, 4, 4)
    assert torch.equal(halved(guide, 2), guide)
    assert torch.equal(
        halved(guide, 4)[0, 0, :4, :4], torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1], [4, 4, 5, 5], [4, 4, 5, 5]])
    )
    assert halved(guide, 1).shape == (1, 8, 2, 2) and halved(guide, 1)[0, :4, 0, 0].tolist() == [0.0, 1.0, 4.0, 5.0]


def test_no_dilation_looks_past_the_middle():
    assert useful_dilations(6, 128) == (1, 2, 4, 8, 2, 1) and useful_dilations(3, 32) == (1, 2, 2)


def test_detail_is_what_neighbours_do_not_tell():
    seed_all(0)
    painter = Painter(1, 0, 1, 8, 1, 32)
    seen = []
    painter.body.stem.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    place = torch.linspace(-1, 1, 32)
    plane = (0.4 * place[:, None] + 0.2 * place[None])[None, None]
    for picture in (plane, plane + (torch.arange(32) % 2 * 0.2 - 0.1)):
        painter(picture, torch.zeros(1, 1, 32, 32))
    fine = [F.pixel_shuffle(x[:, 8:12], 2)[..., 2:-2, 2:-2] for x in seen]
    assert fine[0].abs().max() < 1e-4 and fine[1].abs().min() > 0.5


def test_a_context_encoder_sees_the_far_corner_through_its_door():
    seed_all(0)
    net = ContextEncoder(1, 8, 64).eval()
    picture = torch.zeros(1, 1, 64, 64, requires_grad=True)
    net(picture, torch.zeros(1, 1, 64, 64))[..., 0, 0].sum().backward()
    assert picture.grad[..., -8:, -8:].abs().max() > 0
