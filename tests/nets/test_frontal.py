"""The frontalizers' networks: flows that shift and rest, mirrored skips, published sizes, what each critic can see."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from facelab.errors import BadWeights, MissingPart
from facelab.nets.blocks import parameter_count
from facelab.nets.frontal import PLACES, FaceCode, FrontalNet, Placed, fourier_places
from facelab.nets.frontal_cvae import ConditionalVAE, one_hot
from facelab.nets.frontal_eyes import eyes, vgg16_layers
from facelab.nets.frontal_published import (
    DCGANCritic,
    DCGANFrontalizer,
    FrontalAutoencoder,
    PatchCritic,
    Pix2Pix,
    levels_of,
    patch_halvings,
)
from facelab.nets.warping import WarpedSkip, fetched, warp
from facelab.seeding import generator, seed_all


def noise(*shape, name="n"):
    return torch.rand(*shape, generator=generator(0, name)) * 2 - 1


def smooth(count=2, channels=3, size=32):
    return F.interpolate(noise(count, channels, 8, 8), size, mode="bicubic").clamp(-1, 1)


# ---------------------------------------------------------------- flows


def test_a_flow_of_zero_changes_nothing():
    maps = noise(2, 5, 8, 12)
    torch.testing.assert_close(warp(maps, torch.zeros(2, 2, 8, 12)), maps, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("right", "below"), [(3, 0), (0, 2), (-1, -4)])
def test_a_flow_fetches_what_lies_so_far_away(right, below):
    """Two are the picture's side: a pixel is 2 / side. Positive is to the right and downwards."""
    maps = noise(1, 2, 16, 16)
    flow = torch.tensor([2 * right / 16, 2 * below / 16]).view(1, 2, 1, 1).expand(1, 2, 16, 16)
    wanted = torch.roll(maps, (-below, -right), (2, 3))
    inner = slice(4, 12)
    torch.testing.assert_close(warp(maps, flow)[..., inner, inner], wanted[..., inner, inner], atol=1e-5, rtol=0)
    assert not torch.allclose(warp(maps, -flow)[..., inner, inner], wanted[..., inner, inner])


def test_beyond_the_edge_lies_the_edge():
    maps = noise(1, 1, 8, 8)
    far = warp(maps, torch.full((1, 2, 8, 8), 5.0))
    torch.testing.assert_close(far, maps[..., -1:, -1:].expand_as(far))


def test_flows_learn_the_way_back():
    """A picture that was shifted is fetched back by a flow that gradient descent found."""
    picture = smooth(1, 1)
    shifted = torch.roll(picture, 2, 3)
    flow = torch.zeros(1, 2, 1, 1, requires_grad=True)
    opt = torch.optim.Adam([flow], 0.01)
    for _ in range(80):
        loss = (warp(shifted, flow.expand(1, 2, 32, 32)) - picture)[..., 4:-4, 4:-4].square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    assert flow[0, 0].item() == pytest.approx(2 * 2 / 32, abs=0.01) and abs(flow[0, 1].item()) < 0.01


def test_warping_stays_in_full_precision():
    maps, flow = noise(1, 4, 8, 8).bfloat16().requires_grad_(True), torch.zeros(1, 2, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        out = warp(maps, flow)
    out.square().sum().backward()
    assert out.dtype == torch.float32 and flow.grad.abs().max() > 0 and torch.isfinite(maps.grad).all()


def test_a_plan_has_a_view_of_the_mirror_image():
    maps = noise(1, 2, 8, 8)
    plan = torch.zeros(1, 6, 8, 8)
    plan[:, 2], plan[:, 5] = -90.0, 90.0  # the gate of the picture shut, that of its mirror image open
    here, mirrored = fetched(maps, plan).chunk(2, 1)
    assert here.abs().max() == 0
    torch.testing.assert_close(mirrored, maps.flip(-1), atol=1e-5, rtol=0)
    assert fetched(maps, plan[:, :3]).shape == maps.shape, "without a mirror there is one view"


def test_the_net_begins_at_rest():
    seed_all(0)
    net, pictures = FrontalNet(3, 8, 1, 4, size=32, ask=False).eval(), smooth()
    here, mirrored = net.explain(pictures)
    for look in (here, mirrored):
        assert look.flow.shape == (2, 2, 32, 32) and look.gate.shape == (2, 1, 32, 32)
        assert look.flow.abs().max() == 0 and (look.gate == 0.5).all()
    for maps in net.encode(pictures):
        plan = torch.zeros(2, 6, *maps.shape[-2:])
        torch.testing.assert_close(fetched(maps, plan), torch.cat([maps, maps.flip(-1)], 1) / 2, atol=1e-5, rtol=1e-4)


def test_a_hand_set_flow_shifts_what_the_net_fetches():
    """The flow of every level comes from its bias: with tanh(s · b) = 2 · 4 / 32 all come from 4 px on the right."""
    seed_all(0)
    net = FrontalNet(1, 8, 1, 0, mirror=False, size=32, ask=False).eval()
    net.skips[-1].head.bias.data[0] = torch.atanh(torch.tensor(8 / 32)) / net.skips[-1].scale
    (look,) = net.explain(smooth(1, 1))
    torch.testing.assert_close(look.flow[:, 0], torch.full((1, 32, 32), 8 / 32))
    assert look.flow[:, 1].abs().max() == 0
    picture = smooth(1, 1)
    inner, plan = slice(6, 26), net.paint(picture).plan
    plan[:, 2] = 90.0
    wanted = torch.roll(picture, -4, 3)
    torch.testing.assert_close(fetched(picture, plan)[..., inner], wanted[..., inner], atol=1e-4, rtol=0)


def test_finer_levels_add_to_what_the_coarser_one_said():
    seed_all(0)
    net = FrontalNet(1, 8, 1, 0, mirror=False, size=32, ask=False).eval()
    for skip, amount in zip(net.skips, (0.1, 0.2, 0.3, 0.4), strict=True):
        skip.head.bias.data[1] = amount / skip.scale
    (look,) = net.explain(smooth(1, 1))
    torch.testing.assert_close(look.flow[:, 1], torch.full((1, 32, 32), 1.0).tanh())


def test_a_first_step_moves_a_wide_net_no_further_than_a_narrow_one():
    """As a plain convolution, a head of many taps would throw its flow across the picture with Adam's first step."""
    moved = []
    for width in (8, 64):
        seed_all(0)
        skip = WarpedSkip(width, mirror=False)
        opt, x = torch.optim.Adam(skip.parameters(), 2e-3), noise(1, width, 8, 8).abs()
        skip(x, None).sum().backward()
        opt.step()
        moved.append(skip(x, None).abs().max().item())
    assert max(moved) < 0.1 and moved[1] < 1.5 * moved[0]


def test_every_part_of_ours_learns():
    seed_all(0)
    net = FrontalNet(1, 8, 1, 4, size=32)
    opt = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(3):  # what begins at zero hands gradients on from its second step
        opt.zero_grad()
        (net(smooth(2, 1)) - smooth(2, 1).flip(-1)).square().mean().backward()
        opt.step()
    silent = [name for name, p in net.named_parameters() if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


@pytest.mark.parametrize("warped", [True, False])
def test_the_middle_sees_the_whole_face(warped):
    seed_all(0)
    net = FrontalNet(1, 8, 1, 4, warped=warped, size=64)
    picture = noise(1, 1, 64, 64).requires_grad_(True)
    net(picture)[..., 2, 2].sum().backward()
    assert picture.grad[..., -4:, -4:].abs().max() > 0


def test_the_twin_without_warps_has_plain_skips_and_nothing_to_explain():
    seed_all(0)
    flow, plain = (FrontalNet(3, 24, warped=warped) for warped in (True, False))
    assert plain.explain(smooth(1, 3, 64)) == [] and plain.skips is None
    assert 0.8 < parameter_count(plain) / parameter_count(flow) < 1
    assert 2 * parameter_count(flow) < 12_000_000, "it shall fit into a weight file"
    assert len(FrontalNet(3, 8, mirror=False, size=32).explain(smooth(1))) == 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 48, 64])
def test_ours_takes_any_multiple_of_16(channels, size):
    seed_all(0)
    out = FrontalNet(channels, 8, 1, 4, size=32)(smooth(1, channels, size))
    assert out.shape == (1, channels, size, size) and out.abs().max() <= 1


def test_what_is_known_of_the_whole_face_scales_and_shifts_features():
    seed_all(0)
    block, x, codes = Placed(8, 8, 5), noise(2, 8, 4, 4), noise(2, 5)
    assert torch.equal(block(x, codes), block(x, -codes)), "it begins by listening to no code"
    torch.nn.init.normal_(block.say.weight)
    assert not torch.allclose(block(x, codes), block(x, -codes))
    torch.testing.assert_close(block(x, codes)[1:], block(x[1:], codes[1:]))


def test_the_code_says_what_is_where():
    """A mean over all places would say the same of a face and of its mirror image."""
    seed_all(0)
    say, x = FaceCode(8, 5), noise(1, 8, 4, 8)
    assert not torch.allclose(say(x), say(x.flip(-1)))


def test_every_place_is_told_apart_whatever_the_size():
    for height, width in ((4, 4), (16, 32)):
        places = fourier_places(height, width)
        assert places.shape == (1, PLACES, height, width)
        flat = places[0].flatten(1).T
        assert torch.cdist(flat, flat).fill_diagonal_(9).min() > 0.05
    small, large = fourier_places(4, 4), fourier_places(8, 8)
    torch.testing.assert_close(small[:, :2], torch.nn.functional.avg_pool2d(large[:, :2], 2))


def test_a_large_picture_is_looked_at_small_and_painted_large():
    """The plan of a picture twice as large is the small one's; what is painted is as fine as the picture."""
    seed_all(0)
    large, small = FrontalNet(1, 8, 1, 0, size=128), FrontalNet(1, 8, 1, 0, size=64)
    torch.nn.init.normal_(large.match.correct.weight, 0, 0.1)
    small.load_state_dict(large.state_dict())  # a network for one size goes on with another
    picture = smooth(1, 1, 128)
    plan = large.paint(picture)[1]
    assert plan.shape[-2:] == (128, 128)
    coarse = small.paint(torch.nn.functional.avg_pool2d(picture, 2))[1]
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(plan, 2), coarse, atol=0.02, rtol=0.05)
    assert large(picture).shape == picture.shape


# ---------------------------------------------------------------- the source's networks


def conv(inside, outside, kernel):
    """Weights of a convolution with bias, transposed or not."""
    return inside * outside * kernel**2 + outside


def test_published_sizes_of_the_u_nets():
    """By hand, from the source's tables: 128 px, 3 channels, VGG-16 with skips of 128, 256, 512, 512 channels."""
    vgg = sum(conv(*pair, 3) for pair in (
        (3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512), *[(512, 512)] * 5,
    ))  # fmt: skip
    assert vgg == 14_714_688 == parameter_count(vgg16_layers())
    ae = FrontalAutoencoder(encoder="vggface", width=64, pretrained=False)
    grown = [(512, 512), (1024, 512), (1024, 512), (768, 256), (384, 128), (128, 3)]
    norms = 2 * (512 + 512 + 512 + 256)
    assert parameter_count(ae.encoder) == vgg
    assert parameter_count(ae) - vgg == sum(conv(*pair, 3) for pair in grown) + norms == 14_017_283
    pix = Pix2Pix(encoder="vggface", width=64, pretrained=False)
    grown = [(512, 512), (1024, 512), (1024, 256), (512, 128), (256, 3)]
    norms = 2 * (512 + 512 + 256 + 128)
    assert parameter_count(pix) - vgg == sum(conv(*pair, 4) for pair in grown) + norms == 17_842_307


def test_published_sizes_of_the_dcgan():
    down = [3, 16, 32, 64, 128, 256, 512, 512]
    up = [512, 512, 256, 128, 64, 32, 16, 3]
    wanted = sum(conv(a, b, 4) for w in (down, up) for a, b in zip(w, w[1:], strict=False))
    norms = 2 * sum(down[1:-1]) + 2 * sum(up[1:-1])
    assert parameter_count(DCGANFrontalizer(size=128)) == wanted + norms == 13_983_651
    judge = [3, 16, 32, 64, 128, 256, 512]
    wanted = sum(conv(a, b, 4) for a, b in zip(judge, [*judge[1:], 1], strict=True)) + 2 * sum(judge[1:])
    assert parameter_count(DCGANCritic(size=128)) == wanted == 2_805_457


def test_published_size_of_the_cvae():
    """Label 13 to 3×128×128; k3-16, k3-32; 32,768 to 64 to 2 and 2; 15 to 32,768; k3-32, k3-32, k3-16, k3-3."""
    dense = lambda a, b: a * b + b  # noqa: E731
    encoder = dense(13, 49_152) + conv(6, 16, 3) + conv(16, 32, 3) + dense(32_768, 64) + 2 * dense(64, 2)
    decoder = dense(15, 32_768) + 2 * conv(32, 32, 3) + conv(32, 16, 3) + conv(16, 3, 3)
    assert parameter_count(ConditionalVAE(size=128)) == encoder + decoder == 3_338_967


def test_small_pictures_have_fewer_levels():
    assert [levels_of(size) for size in (32, 48, 64, 96, 112, 128, 256)] == [3, 3, 4, 4, 4, 5, 5]
    assert [patch_halvings(size) for size in (32, 64, 112, 128, 256)] == [1, 2, 2, 3, 3]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64])
def test_shapes_and_range(channels, size):
    seed_all(0)
    pictures = smooth(2, channels, size)
    nets = [kind(channels, 8, size) for kind in (FrontalAutoencoder, Pix2Pix, DCGANFrontalizer)]
    outs = [net(pictures) for net in nets]
    vae = ConditionalVAE(channels, 8, size, 3)
    mu, logvar = vae.encode(pictures, torch.tensor([0, 12]))
    assert mu.shape == logvar.shape == (2, 3)
    outs += [vae.decode(mu, torch.tensor([6, 6])), vae(pictures, torch.tensor([0, 12]))]
    assert torch.equal(outs[-1], outs[-2]), "all of them are turned to the front"
    for out in outs:
        assert out.shape == pictures.shape and out.abs().max() <= 1
    assert DCGANCritic(channels, 4, size)(pictures).shape == (2, 1, 1, 1)


@pytest.mark.parametrize("kind", [FrontalAutoencoder, Pix2Pix, DCGANFrontalizer])
def test_pictures_stay_in_range_however_loud_the_last_layer(kind):
    """The autoencoder's output was linear."""
    seed_all(0)
    net = kind(1, 8, 32)
    last = [layer for layer in net.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d)][-1]
    last.weight.data.mul_(1e4)
    out = net(smooth(2, 1))
    assert 0.9 < out.abs().max() <= 1


@pytest.mark.parametrize("kind", [FrontalAutoencoder, Pix2Pix, DCGANFrontalizer])
def test_a_batch_of_one_trains(kind):
    seed_all(0)
    kind(1, 8, 32).train()(smooth(1, 1)).square().mean().backward()


@pytest.mark.parametrize(("halvings", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_patch_critic_sees_patches(halvings, patch):
    """The source's had one strided layer: 10 pixels."""
    seed_all(0)
    critic = PatchCritic(1, 4, halvings)
    picture = noise(1, 1, 160, 160).requires_grad_(True)
    scores = critic(picture)
    assert scores.shape == (1, 1, 160 // 2**halvings - 2, 160 // 2**halvings - 2)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    seen = picture.grad[0, 0] != 0
    assert seen.any(0).sum() == seen.any(1).sum() == patch


def test_critics_give_logits():
    for critic in (PatchCritic(1, 4, 1), DCGANCritic(1, 4, 32)):
        scores = []
        for factor in (1.0, -1000.0):
            critic.body[-1].weight.data.mul_(factor)
            scores.append(critic(noise(2, 1, 32, 32)))
        assert torch.cat(scores).min() < 0 < 1 < torch.cat(scores).abs().max()


# ---------------------------------------------------------------- encoders


@pytest.mark.parametrize("size", [32, 64, 128])
def test_borrowed_eyes_see_twice_the_overview_and_add_to_every_map(size):
    torch.manual_seed(0)
    net, pictures = FrontalNet(3, 8, 1, 4, size=size, encoder="effnet-lite0").eval(), smooth(2, 3, size)
    looked = []
    net.borrowed.eyes.register_forward_pre_hook(lambda _, given: looked.append(given[0].shape[-1]))
    with torch.no_grad():
        maps = net.encode(pictures)
        for read in net.borrowed.read:
            read.weight.zero_()
        without = net.encode(pictures)
    assert looked == [2 * min(size, 64)] * 2
    assert [part.shape[-1] for part in maps] == [min(size, 64) // stride for stride in (2, 4, 8, 16)]
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(maps, without, strict=True))


@pytest.mark.parametrize(
    ("name", "channels"), [("effnet-lite0", (16, 24, 40, 112, 112)), ("none", (16, 32, 64, 64, 64))]
)
@pytest.mark.parametrize("levels", [3, 4, 5])
def test_encoders_give_a_map_a_level(name, channels, levels):
    seed_all(0)
    look = eyes(name, 3, 8, levels)
    maps = look(smooth(1, 3, 64))
    assert look.channels == channels[:levels]
    assert [tuple(m.shape[1:]) for m in maps] == [(c, 32 >> k, 32 >> k) for k, c in enumerate(channels[:levels])]
    assert any(p.requires_grad for p in look.parameters()) == (name == "none")


def test_vgg_is_cut_where_the_source_cuts_it():
    look = eyes("vggface", 3, 8, 5, pretrained=False)
    shapes = [tuple(m.shape[1:]) for m in look(smooth(1, 3, 128))]
    assert shapes == [(128, 64, 64), (256, 32, 32), (512, 16, 16), (512, 8, 8), (512, 4, 4)]
    first, last = look.net.stages[0], look.net.stages[-1]
    assert isinstance(first[-1], torch.nn.ReLU) and isinstance(last[-1], torch.nn.MaxPool2d)


def test_vggface_is_read_from_a_file_and_given_bgr(tmp_path, monkeypatch):
    """Its input is BGR from 0 to 255 less the means; the source gave it RGB in [-1, 1]."""
    seed_all(0)
    layers = vgg16_layers()
    file = tmp_path / "face.safetensors"
    save_file({f"features.{name}": value for name, value in layers.state_dict().items()}, file)
    monkeypatch.setenv("FACELAB_VGGFACE", str(file))
    picture = smooth(1, 3, 32)
    byte = (picture + 1) * 127.5
    bgr = byte.flip(1) - torch.tensor([93.5940, 104.7624, 129.1863]).view(1, 3, 1, 1)
    torch.testing.assert_close(eyes("vggface", 3, 8, 3)(picture)[0], layers[:9](bgr), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(eyes("vggface", 3, 8, 3)(picture)[0], layers[:9](picture), rtol=0.1, atol=0.1)
    torch.save({f"features.{name}": value for name, value in layers.state_dict().items()}, tmp_path / "face.pth")
    monkeypatch.setenv("FACELAB_VGGFACE", str(tmp_path / "face.pth"))
    assert torch.equal(eyes("vggface", 3, 8, 3).net.stages[0][1].weight, layers[0].weight)


def test_a_missing_or_wrong_file_is_named(tmp_path, monkeypatch):
    file = tmp_path / "face.safetensors"
    monkeypatch.setenv("FACELAB_VGGFACE", str(file))
    with pytest.raises(MissingPart, match="FACELAB_VGGFACE"):
        eyes("vggface", 3, 8, 3)
    for content in ({"x": torch.zeros(1)}, {f"features.{n}": v[:1] for n, v in vgg16_layers().state_dict().items()}):
        save_file(content, file)
        with pytest.raises(BadWeights, match="features"):
            eyes("vggface", 3, 8, 3)
    file.write_bytes(b"no weights")
    with pytest.raises(BadWeights, match="no file of weights"):
        eyes("vggface", 3, 8, 3)


def test_the_conditional_vae_hears_the_angle_on_both_sides():
    seed_all(0)
    vae, picture = ConditionalVAE(1, 8, 32), smooth(1, 1)
    codes = torch.cat([vae.encode(picture, torch.tensor([k]))[0] for k in range(13)])
    pictures = torch.cat([vae.decode(codes[:1], torch.tensor([k])) for k in range(13)])
    assert codes.std(0).min() > 0 and pictures.std(0).max() > 0
    assert torch.equal(one_hot(torch.tensor([0, 12])).argmax(1), torch.tensor([0, 12]))
