"""Critic penalties against closed forms."""

import pytest
import torch

from facelab.losses import penalties as pen

N, SHAPE = 6, (6, 3, 4, 4)


def rand(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def linear():
    """D(x) = w·x, whose input gradient is w everywhere."""
    weight = torch.randn(3 * 4 * 4, 1, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    return (lambda x: x.flatten(1) @ weight), weight


@pytest.mark.parametrize("name", ["gp", "dragan", "dragan-far", "dragan-notebook"])
def test_linear_critic(linear, name):
    critic, weight = linear
    value = pen.PENALTIES[name](critic, rand(*SHAPE), -rand(*SHAPE), rand)
    torch.testing.assert_close(value, (weight.norm() - 1).square())


@pytest.mark.parametrize("length", [0.03, 0.4, 1.7])
def test_one_pulls_towards_a_tenth_and_one_only_holds_back(linear, length):
    critic, weight = linear
    with torch.no_grad():
        weight *= length / weight.norm()
    value = {name: pen.PENALTIES[name](critic, rand(*SHAPE), -rand(*SHAPE), rand) for name in ("gp-tenth", "lp")}
    assert value["gp-tenth"].item() == pytest.approx((length - 0.1) ** 2, rel=1e-4)
    assert value["lp"].item() == pytest.approx(max(0.0, length - 1) ** 2, rel=1e-4)


def test_r1_of_a_linear_critic(linear):
    critic, weight = linear
    torch.testing.assert_close(pen.r1_penalty(critic, rand(*SHAPE), None, rand), 0.5 * weight.square().sum())


def test_patch_scores_are_averaged_like_the_loss_averages_them():
    conv = torch.nn.Conv2d(1, 1, 2, 2, bias=False)
    torch.nn.init.constant_(conv.weight, 1.0)
    images = torch.rand(3, 1, 4, 4)  # four patches: every pixel's slope is 1/4, sixteen pixels: length 1
    torch.testing.assert_close(pen.input_gradient_norm(conv, images), torch.ones(3))


def test_quadratic_critic_sees_the_line_between_real_and_fake():
    critic = lambda x: 0.5 * x.flatten(1).square().sum(1, keepdim=True)  # noqa: E731  gradient is x itself
    real, fake = torch.ones(2, 1, 1, 1) * 3, torch.ones(2, 1, 1, 1)
    mix = rand(2, 1, 1, 1)
    expected = ((mix * real + (1 - mix) * fake).flatten() - 1).square().mean()
    torch.testing.assert_close(pen.gradient_penalty(critic, real, fake, rand), expected)


def test_penalty_moves_only_the_critic(linear):
    critic, weight = linear
    real, fake = rand(*SHAPE).requires_grad_(True), rand(*SHAPE).requires_grad_(True)
    pen.gradient_penalty(critic, real, fake, rand).backward()
    assert weight.grad.abs().sum() > 0
    assert real.grad is None
    assert fake.grad is None


def noise_of(name, real):
    """What a penalty adds to the real images before it looks."""
    seen, source = [], torch.Generator().manual_seed(3)

    def critic(x):
        seen.append(x.detach() - real)
        return x.flatten(1).sum(1, keepdim=True)

    pen.PENALTIES[name](critic, real, None, lambda *s: torch.rand(*s, generator=source))
    return seen[0]


@pytest.mark.parametrize(("name", "deviation"), [("dragan", 0.25), ("dragan-far", 10**0.5)])
def test_the_noise_of_the_dragan_paper_is_normal(name, deviation):
    noise = noise_of(name, torch.zeros(64, 3, 16, 16)).flatten() / deviation
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)
    assert (noise.abs() < 1.96).float().mean().item() == pytest.approx(0.95, abs=0.01)
    assert (noise**4).mean().item() == pytest.approx(3, abs=0.15)  # uniform noise would have 1.8


def test_the_noise_never_is_infinite():
    assert torch.isfinite(pen._normal(torch.tensor([0.0, 2**-24, 0.5, 1 - 2**-24]))).all()


def test_the_noise_of_the_dragan_notebook_is_one_sided():
    real = torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    noise = noise_of("dragan-notebook", real) / real.std()
    assert noise.min() >= -1e-6
    assert noise.mean().item() == pytest.approx(0.125, abs=0.02)
    assert noise.max() <= 0.5


@pytest.mark.parametrize("name", sorted(set(pen.PENALTIES) - {"none"}))
def test_gradient_of_the_penalty_against_finite_differences(name):
    torch.manual_seed(0)
    layers = torch.nn.Flatten(), torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)
    net = torch.nn.Sequential(*layers).double()
    net[3].weight.data *= 20  # steeper than 1, so that every penalty has something to say
    real, fake = torch.rand(3, 1, 2, 2).double(), torch.rand(3, 1, 2, 2).double()
    fixed = lambda *s: torch.full(s, 0.3).double()  # noqa: E731
    penalty = pen.PENALTIES[name]
    penalty(net, real, fake, fixed).backward()
    weight, step = net[1].weight, 1e-6
    with torch.no_grad():
        weight[0, 0] += step
    up = penalty(net, real, fake, fixed).item()
    with torch.no_grad():
        weight[0, 0] -= 2 * step
    down = penalty(net, real, fake, fixed).item()
    assert abs(weight.grad[0, 0].item()) > 1e-3
    assert weight.grad[0, 0].item() == pytest.approx((up - down) / (2 * step), rel=1e-5)
