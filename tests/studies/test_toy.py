"""Games on the plane: what is known about them beforehand."""

import dataclasses
import math

import pytest
import torch

from facelab.errors import BadConfig
from facelab.metrics.critic import slopes
from facelab.seeding import generator
from facelab.studies import toy


@pytest.mark.parametrize("name", toy.DISTRIBUTIONS)
def test_the_truth_covers_itself(name):
    target = toy.DISTRIBUTIONS[name]
    found = toy.coverage(target.sample(2000, generator(0, name)), target)
    assert found.modes == len(target.centres) and found.quality > 0.99
    assert target.centres.abs().max() < 1.3


def test_coverage_tells_collapse_from_noise():
    ring = toy.DISTRIBUTIONS["ring"]
    one = ring.centres[:1] + 0.01 * torch.randn(500, 2, generator=generator(0))
    assert toy.coverage(one, ring) == (1, 1.0)
    far = torch.full((500, 2), 9.0)
    assert toy.coverage(far, ring) == (0, 0.0)
    half = torch.cat([ring.centres.repeat(20, 1), far[:160]])
    assert toy.coverage(half, ring) == (8, 0.5)


@pytest.mark.parametrize("leash", toy.LEASHES)
@pytest.mark.parametrize("loss", ["wgan", "minimax"])
def test_every_game_can_be_played(loss, leash):
    game = toy.play(toy.Toy(loss=loss, leash=leash, weight=0.1, steps=4, batch=16), looks=2, count=8)
    assert [moment.step for moment in game] == [0, 2, 4]
    assert all(torch.isfinite(moment.fake).all() and moment.fake.shape == (8, 2) for moment in game)
    assert not torch.equal(game[0].fake, game[-1].fake) and math.isnan(game[0].loss)


def test_the_same_settings_give_the_same_bits():
    cfg = toy.Toy(steps=6, batch=16, leash="gp", loss="wgan")
    torch.manual_seed(1)
    first = toy.play(cfg)[-1].fake
    torch.manual_seed(2)
    assert torch.equal(first, toy.play(cfg)[-1].fake)
    assert not torch.equal(first, toy.play(dataclasses.replace(cfg, seed=1))[-1].fake)


def test_with_any_leash_the_same_points_come_in_the_same_order(monkeypatch):
    seen, real = {}, toy.critic_step
    for leash in toy.LEASHES:

        def keep(D, opt, points, *more, leash=leash):
            seen.setdefault(leash, []).append(points)
            return real(D, opt, points, *more)

        monkeypatch.setattr(toy, "critic_step", keep)
        toy.play(toy.Toy(loss="wgan", leash=leash, weight=0.1, steps=3, batch=8, n_critic=2), count=4)
    for points in seen.values():
        assert len(points) == 6 and all(torch.equal(a, b) for a, b in zip(points, seen["none"], strict=True))


def test_critics_of_one_seed_begin_alike():
    start = lambda leash: toy.play(toy.Toy(leash=leash, steps=1, batch=4, width=8), count=2)[0].critic  # noqa: E731
    plain, held = start("none"), start("spectral")
    weights = [layer.parametrizations.weight.original for layer in held if hasattr(layer, "weight")]
    assert all(torch.equal(a, layer.weight) for a, layer in
               zip(weights, [layer for layer in plain if hasattr(layer, "weight")], strict=True))  # fmt: skip


def test_leashes_hold_what_they_say():
    real = toy.DISTRIBUTIONS["ring"].sample(256, generator(0))
    end = lambda **how: toy.play(toy.Toy(loss="wgan", n_critic=2, steps=150, batch=64, **how))[-1]  # noqa: E731
    penalised, clipped, held, free = end(leash="gp"), end(leash="clip", weight=0.05), end(leash="spectral"), end()
    assert 0.5 < slopes(penalised.critic, real).median() < 1.5
    assert max(param.abs().max() for param in clipped.critic.parameters()) <= 0.05
    assert slopes(held.critic, real).max() < 1.05  # four layers of norm 1
    assert slopes(free.critic, real).median() > 5


def test_instance_norm_divides_distance_from_the_hub_away():
    """Without offsets the score is the same all along a ray; a plain critic's is not."""
    torch.manual_seed(0)
    for leash, same in (("instance", True), ("none", False)):
        critic = toy.mlp(32, 2, 1, leash)
        torch.nn.init.zeros_(critic[0].bias)
        points = torch.randn(20, 2, generator=generator(0))
        near, far = critic(points), critic(5 * points)
        assert torch.allclose(near, far, atol=1e-3) == same


def test_the_generators_step_leaves_the_critic_alone_and_the_critics_the_generator():
    cfg = toy.Toy(leash="gp", loss="wgan")
    torch.manual_seed(0)
    G, D = toy.mlp(8, 1, 2), toy.mlp(8, 1, 1)
    opts = [torch.optim.SGD(net.parameters(), 0.1) for net in (G, D)]
    before = [[p.clone() for p in net.parameters()] for net in (G, D)]
    changed = lambda k: any(  # noqa: E731
        not torch.equal(a, b) for a, b in zip(before[k], (G, D)[k].parameters(), strict=True)
    )
    toy.generator_step(G, D, opts[0], torch.randn(4, 2), cfg)
    assert changed(0) and not changed(1) and all(p.grad is None for p in D.parameters())
    before[0] = [p.clone() for p in G.parameters()]
    toy.critic_step(D, opts[1], torch.randn(4, 2), torch.randn(4, 2), cfg, torch.rand)
    assert changed(1) and not changed(0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("data", "faces"), ("loss", "w"), ("leash", "rope"), ("weight", 0.0), ("learning_rate", math.inf), ("steps", 0)],
)
def test_impossible_games_are_refused_by_name(field, value):
    with pytest.raises(BadConfig, match=field):
        toy.Toy(**{field: value})
