"""One CycleGAN training step: ours against the plain way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from facelab.bench.timing import against_plain

SIZE, BATCH, WIDTH = 128, 4, 32


def bench_cycle(rounds: int) -> dict:
    """One CycleGAN training step, 128 px, batch 4, width 32: ours in bf16 and fp32 against the plain way in fp32."""
    from facelab.train.engine import Engine

    cfg, batch = _config(SIZE, BATCH, WIDTH), _batch(SIZE, BATCH)
    sides = {
        "plain fp32": plain_side(cfg, batch),
        "ours fp32": our_side(cfg, batch, Engine(precision="fp32")),
        "ours bf16": our_side(cfg, batch, Engine(precision="bf16")),
    }
    return against_plain(
        "CycleGAN training step", f"{SIZE} px, batch {BATCH}, width {WIDTH}, 6 blocks, as published", sides, rounds
    )


def _config(size: int, count: int, width: int) -> Any:
    from facelab.systems import vis2nir

    changes = {"size": size, "batch": count, "width": width, "critic_width": width, "steps": 10_000}
    return vis2nir.Config.published("B", **changes)


def _batch(size: int, count: int) -> dict[str, torch.Tensor]:
    from facelab.seeding import generator

    random = generator(0, "bench")
    draw = lambda channels: torch.rand(count, channels, size, size, generator=random) * 2 - 1  # noqa: E731
    return {"vis": draw(3), "nir": draw(1)}


def our_side(cfg: Any, batch: dict, engine: Any) -> Callable[[], dict[str, float]]:
    """Our step on one batch, from fresh weights."""
    from facelab.seeding import generator, seed_all
    from facelab.systems import vis2nir
    from facelab.train.state import State

    seed_all(0)
    model = engine.prepare(vis2nir.build(cfg))
    state = State(total_steps=cfg.steps, cfg=cfg, generator=generator(0, "pool"))
    opts, batch = vis2nir.optimizers(model, cfg), engine.to_device(batch)
    return lambda: vis2nir.train_step(batch, model, opts, state, engine)


def plain_side(cfg: Any, batch: dict) -> Callable[[], dict[str, float]]:
    """The same losses as a first version would have them: fp32, default layout, loop Adam, one call a term."""
    from facelab.seeding import generator, seed_all
    from facelab.systems import vis2nir
    from facelab.train.state import State

    seed_all(0)
    model = vis2nir.build(cfg)
    plain = dict(betas=(cfg.beta1, cfg.beta2), foreach=False, fused=False)
    opts = [
        torch.optim.Adam(model.G.parameters(), cfg.learning_rate, **plain),
        *(torch.optim.Adam(net.parameters(), cfg.critic_learning_rate, **plain) for net in model.D.values()),
    ]
    state = State(total_steps=cfg.steps, cfg=cfg, generator=generator(0, "pool"))
    return lambda: plain_step(batch, model, opts, state)


def plain_step(batch: dict, model: Any, opts: list, state: Any) -> dict[str, float]:
    """The translators' step, then a step of each critic, written straight from the paper's equations."""
    from facelab.images import to_channels
    from facelab.train.pool import from_pool

    cfg, x, y = model.cfg, batch["vis"], batch["nir"]
    G, F, l1 = model.G.vis2nir, model.G.nir2vis, torch.nn.functional.l1_loss
    model.D.requires_grad_(False)
    fake_y, fake_x = G(x), F(y)
    terms = {"cyc": cfg.lambda_cyc * (l1(F(fake_y), x) + l1(G(fake_x), y))}
    same = l1(G(y.repeat(1, 3, 1, 1)), y) + l1(F(to_channels(x, 1)), x)
    terms["identity_mapping"] = cfg.lambda_identity_mapping * same
    fakes = {"nir": (y, fake_y), "vis": (x, fake_x)}
    terms |= {f"adv_{name}": ((model.D[name](fake) - 1) ** 2).mean() for name, (_, fake) in fakes.items()}
    opts[0].zero_grad()
    sum(terms.values()).backward()
    opts[0].step()
    model.D.requires_grad_(True)
    logs = {name: term.item() for name, term in terms.items()}
    for opt, (name, (real, fake)) in zip(opts[1:], fakes.items(), strict=True):
        old = from_pool(fake.detach(), state, f"pool_{name}", cfg.pool)
        loss = 0.5 * ((model.D[name](real) - 1) ** 2).mean() + 0.5 * (model.D[name](old) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        logs[f"D_{name}"] = loss.item()
    return logs
