"""The parts the networks are made of."""

import pytest
import torch

from facelab.nets.blocks import ConvUnit, DilatedBlock, SelfAttention, parameter_count
from facelab.nets.mask_removal import BatchInstanceNorm, Editor, FaceG, MaskG, PatchDiscriminator
from facelab.seeding import generator, seed_all


def gradients(block, x, bf16):
    block.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = block(x.to(memory_format=torch.channels_last))
    (out.float() * torch.linspace(-1, 1, out.shape[-1])).square().mean().backward()
    return {name: p.grad.clone() for name, p in block.named_parameters()}


@pytest.mark.parametrize("channels", [16, 24, 40])
@pytest.mark.parametrize("dilation", [1, 2, 8])
def test_dilated_blocks_have_the_same_gradients_in_bf16(channels, dilation):
    """A library's kernel gave arbitrary numbers here: finite or not, they must agree with full precision."""
    seed_all(0)
    block = DilatedBlock(channels, dilation).to(memory_format=torch.channels_last)
    x = torch.randn(12, channels, 32, 32, generator=generator(0, "x"))
    torch.ones(2_000_000).fill_(float("nan"))  # what freed memory may hold
    exact, rough = gradients(block, x, False), gradients(block, x, True)
    for name in exact:
        assert (rough[name] - exact[name]).norm() < 0.05 * exact[name].norm() + 1e-6, name


def test_only_what_must_be_is_computed_in_full():
    assert ConvUnit(24, 24, dilation=2).in_full and not ConvUnit(24, 24).in_full
    assert not ConvUnit(32, 32, dilation=2).in_full


def test_attention_begins_as_nothing_and_reaches_everywhere():
    seed_all(0)
    block = SelfAttention(16, 4)
    x = torch.randn(2, 16, 6, 5, generator=generator(0, "a"))
    assert torch.equal(block(x), x)
    torch.nn.init.normal_(block.answer.weight)
    far = x.clone()
    far[:, :, 0, 0] += 1
    moved = (block(far) - block(x)).abs().amax((0, 1))
    assert (moved > 0).all(), "every place hears of every other"
    torch.testing.assert_close(block(x.flip(-1)), block(x).flip(-1), rtol=1e-4, atol=1e-5)


def test_batch_instance_norm_runs_from_one_to_the_other():
    norm = BatchInstanceNorm(3)
    x = torch.randn(4, 3, 8, 8, generator=generator(0, "n")) * 3 + 1
    torch.testing.assert_close(norm(x), torch.nn.functional.batch_norm(x, None, None, training=True))
    with torch.no_grad():
        norm.rho.fill_(-2.0)
    torch.testing.assert_close(norm(x), torch.nn.functional.instance_norm(x))
    with torch.no_grad():
        norm.rho.fill_(0.25)
        norm.weight.fill_(2.0)
        norm.bias.fill_(1.0)
    mixed = 0.25 * torch.nn.functional.batch_norm(
        x, None, None, training=True
    ) + 0.75 * torch.nn.functional.instance_norm(x)
    torch.testing.assert_close(norm(x), 2 * mixed + 1)


def test_published_parameter_counts_and_shapes():
    with torch.device("meta"):
        assert parameter_count(MaskG(3, 32)) == 5_685_408 and parameter_count(FaceG(3, 64)) == 3_253_074
        judge = PatchDiscriminator(3, 64)
        assert judge(torch.zeros(1, 3, 128, 128)).shape == (1, 1, 14, 14)
        assert judge(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    small = MaskG(1, 8), FaceG(1, 8)
    assert small[0](torch.zeros(2, 1, 32, 32)).shape == (2, 1, 32, 32)
    out = small[1](torch.rand(2, 2, 32, 32, generator=generator(0, "f")))
    assert out.shape == (2, 1, 32, 32) and out.abs().max() <= 1


def test_a_share_that_was_pushed_beyond_one_comes_back():
    """Clipped in the graph it would have no gradient there, and stay batch norm for ever."""
    norm = BatchInstanceNorm(3)
    with torch.no_grad():
        norm.rho += 0.5
    (norm(torch.randn(4, 3, 6, 6)) * torch.randn(4, 3, 6, 6)).sum().backward()
    assert (norm.rho == 1).all() and (norm.rho.grad != 0).all()


@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_every_tap_of_a_dilated_block_sees_something(size):
    editor = Editor(1, 8, 7, size=size)
    editor(torch.randn(2, 2, size, size)).square().sum().backward()
    for block in editor.body.middle:
        assert (block.first.conv.weight.grad.abs().amax((0, 1)) > 0).all(), block.first.conv.dilation
    reach = max(block.first.conv.dilation[0] for block in editor.body.middle)
    assert size / 32 < 2 * reach <= size / 8
