"""What is seen is copied, and its light changes slowly or not at all."""

import torch
from torch import nn

from facelab.nets.correspondence import Found
from facelab.nets.frontal import FrontalNet
from facelab.nets.relighting import BRIGHTER, LIFT, Relight, copied, decided
from facelab.nets.warping import brought
from facelab.seeding import generator

OPEN, SHUT = 10.0, -10.0  # of a plan; tanh makes 1 and -1 of them


def draw(*shape, name="picture"):
    return torch.rand(*shape, generator=generator(0, name)) * 2 - 1


def plan_of(own, other, size=16):
    plan = torch.zeros(2, 6, size, size)
    plan[:, 2], plan[:, 5] = own, other
    return plan


class Knows(nn.Module):
    """Stands for questions: every place is seen where it lies, or nowhere."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def forward(self, maps, deep):
        zero = torch.zeros(len(deep), 1, *maps[0].shape[-2:])
        return Found(torch.cat([zero, zero], 1), zero + self.gate, torch.zeros(1))


def test_what_the_picture_shows_is_taken_from_it_and_the_rest_from_its_mirror_image():
    picture = draw(2, 3, 16, 16)
    cases = {(OPEN, OPEN): picture, (SHUT, OPEN): picture.flip(-1), (SHUT, SHUT): torch.zeros_like(picture)}
    for gates, expected in cases.items():
        copy, seen = copied(brought(picture, plan_of(*gates)), plan_of(*gates))
        torch.testing.assert_close(copy, expected, atol=1e-5, rtol=0)
        assert bool((seen > 0.999).all()) == (OPEN in gates)


def test_shares_add_up_and_a_half_open_gate_leaves_half_to_the_mirror_image():
    picture, plan = draw(2, 1, 16, 16), plan_of(0.0, 0.0)
    copy, seen = copied(brought(picture, plan), plan)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.75))
    torch.testing.assert_close(copy, 0.5 * picture + 0.25 * picture.flip(-1), atol=1e-5, rtol=0)


def test_without_a_mirror_image_there_is_one_view():
    picture, plan = draw(2, 3, 16, 16), plan_of(OPEN, OPEN)[:, :3]
    copy, seen = copied(brought(picture, plan), plan)
    torch.testing.assert_close(copy, picture, atol=1e-5, rtol=0)
    assert seen.shape == (2, 1, 16, 16)


def test_light_begins_at_rest_and_is_a_gain_and_an_offset():
    copy, seen, grid = draw(2, 3, 16, 16), torch.full((2, 1, 16, 16), 0.5), draw(2, 8, 4, 4, name="grid")
    net = Relight(8, 3)
    assert torch.equal(net(copy, seen, grid), copy)
    nn.init.constant_(net.say.bias[:3], 50.0)
    nn.init.constant_(net.say.bias[3:], -50.0)
    torch.testing.assert_close(net(copy, seen, grid), 2 * copy + seen - LIFT * seen)
    nn.init.constant_(net.say.bias[:3], -50.0)
    torch.testing.assert_close(net(copy, seen, grid), 0.5 * copy - 0.5 * seen - LIFT * seen)
    assert abs(BRIGHTER - 0.6931) < 1e-3


def test_light_cannot_blur():
    """A fine pattern keeps its contrast under any light but for the gain: neighbours change alike."""
    stripes = (torch.arange(32) % 2 - 0.5).expand(1, 3, 32, 32)
    net = Relight(8, 3)
    nn.init.normal_(net.say.weight, 0.0, 9.0, generator=generator(0, "light"))  # as wild as it likes
    lit = net(stripes, torch.ones(1, 1, 32, 32), draw(1, 8, 4, 4, name="grid"))
    steps = (lit[..., 1:] - lit[..., :-1]) * (stripes[..., 1:] - stripes[..., :-1])  # 1 where nothing changes
    assert 0.3 < steps.min().item() < 0.7 < 1.5 < steps.max().item()


def test_gates_are_driven_apart_and_no_loss_on_the_picture_moves_them_or_flows():
    torch.testing.assert_close(
        decided(torch.tensor([0.0, 0.3, 0.5, 1.0])), torch.tensor([0.0, 0.073, 0.5, 1.0]), atol=1e-3, rtol=0
    )
    plan = plan_of(0.3, 0.2).requires_grad_(True)
    copy, _ = copied(brought(draw(2, 3, 16, 16), plan), plan)
    assert not copy.requires_grad


def test_what_is_seen_is_never_painted_and_what_is_not_seen_is():
    torch.manual_seed(0)
    net = FrontalNet(3, 8, blocks=1, attention=0, size=32).eval()
    picture = draw(2, 3, 32, 32)
    net.match = Knows(OPEN)
    with torch.no_grad():
        seen = net(picture)
        net.match = Knows(SHUT)
        hidden = net(picture)
        painter = FrontalNet(3, 8, blocks=1, attention=0, size=32, copy=False).eval()
        painter.load_state_dict(net.state_dict(), strict=False)
        painter.match = Knows(OPEN)
        painted = painter(picture)
    torch.testing.assert_close(seen, picture, atol=1e-4, rtol=0)
    assert (hidden - picture).abs().mean() > 0.2 < (painted - picture).abs().mean()


def test_answers_stay_in_range_under_any_light():
    torch.manual_seed(0)
    net = FrontalNet(3, 8, blocks=1, attention=0, size=32).eval()
    nn.init.constant_(net.relight.say.bias, 9.0)
    with torch.no_grad():
        assert net(draw(2, 3, 32, 32)).abs().max() == 1
