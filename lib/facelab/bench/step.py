"""One OA-GAN training step: ours against the plain way, and what keeping freed memory does for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch

from facelab.bench.timing import against_plain, interleaved
from facelab.machine import keep_freed_memory

SIZE, BATCH, WIDTH = 128, 8, 16


def bench_step(rounds: int) -> dict:
    """One OA-GAN training step, 128 px, batch 8, width 16: ours in bf16 and fp32 against the plain way in fp32."""
    from facelab.nets.features import feature_net
    from facelab.train.engine import Engine

    cfg, batch = _config(SIZE, BATCH), _batch(SIZE, BATCH)
    net = feature_net(cfg.feature_net)
    sides = {
        "plain fp32": _plain_side(cfg, batch, net),
        "ours fp32": _our_side(cfg, batch, Engine(precision="fp32")),
        "ours bf16": _our_side(cfg, batch, Engine(precision="bf16")),
    }
    return against_plain("OA-GAN training step", f"{SIZE} px, batch {BATCH}, width {WIDTH}, all losses", sides, rounds)


def bench_memory(rounds: int) -> dict:
    """The same step in fresh processes, freed memory returned to the system each time or kept by the process."""
    best, about = {}, {"what": "freed memory", "setting": f"{SIZE} px, batch {BATCH}, width {WIDTH}, ours bf16"}
    for name in ("kept", "returned") * rounds:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            found = process.submit(seconds_and_faults, name == "kept", SIZE, BATCH).result()
        if found is None:
            return about | {"skipped": "only glibc can be asked to keep memory"}
        best[name] = min(best.get(name, found), found)
    (slow, many), (fast, few) = best["returned"], best["kept"]
    return about | {
        "seconds": {"returned": slow, "kept": fast}, "page faults a step": {"returned": many, "kept": few},
        "ratio": {"kept": round(slow / fast, 2)},
    }  # fmt: skip


def seconds_and_faults(keep: bool, size: int, count: int, steps: int = 5) -> tuple[float, int] | None:
    """Measure our step in this process.

    Args:
        keep: call :func:`facelab.machine.keep_freed_memory` first, which lasts as long as the process.
        size, count: pixels and pictures of the batch.
        steps: measured ones, after three for warming up.

    Returns:
        Seconds of the fastest step and page faults of an average one; None where memory cannot be kept.
    """
    from facelab.train.engine import Engine

    if keep and not keep_freed_memory():
        return None
    step = _our_side(_config(size, count), _batch(size, count), Engine(precision="bf16"))
    step(), step()
    before = _page_faults()
    best = interleaved({"step": step}, steps)["step"]
    return round(best, 4), round((_page_faults() - before) / (steps + 1))


def _page_faults() -> int:
    import resource  # POSIX only, like the call it judges

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _config(size: int, count: int) -> Any:
    from facelab.systems import oagan

    return oagan.Config(
        model="published", size=size, channels=3, width=WIDTH, critic_width=WIDTH, critic_downs=6, batch=count,
        adversarial_from=0.0, teacher=0.0, ema=0.0, steps=10_000,
    )  # fmt: skip


def _batch(size: int, count: int) -> dict[str, torch.Tensor]:
    from facelab.seeding import generator

    random = generator(0, "bench")
    draw = lambda channels: torch.rand(count, channels, size, size, generator=random)  # noqa: E731
    return {"truth": draw(3) * 2 - 1, "occluded": draw(3) * 2 - 1, "clean": draw(3) * 2 - 1, "hole": draw(1).round()}


def _our_side(cfg, batch, engine) -> Callable[[], dict[str, float]]:
    from facelab.seeding import seed_all
    from facelab.systems import oagan
    from facelab.train.state import State

    seed_all(0)
    model = engine.prepare(oagan.build(cfg))
    opts, state = oagan.optimizers(model, cfg), State(total_steps=cfg.steps, cfg=cfg)
    batch = engine.to_device(batch)
    return lambda: oagan.train_step(batch, model, opts, state, engine)


def _plain_side(cfg, batch, net) -> Callable[[], dict[str, float]]:
    """The same losses as a first version would have them: fp32, default layout, loop Adam, nothing reused."""
    from facelab.seeding import seed_all
    from facelab.systems import oagan

    seed_all(0)
    model = oagan.build(dataclasses.replace(cfg, feature_net="none"))
    rates = ((model.G, cfg.learning_rate), (model.D, cfg.critic_learning_rate))
    opts = [torch.optim.Adam(n.parameters(), r, (cfg.beta1, cfg.beta2), foreach=False, fused=False) for n, r in rates]
    random = torch.Generator().manual_seed(0)
    return lambda: plain_step(batch, model, opts, cfg, net, random)


def plain_step(batch, model, opts, cfg, net, random) -> dict[str, float]:
    """WGAN-GP critic step, then generator step, written straight from the equations."""
    from facelab.losses.penalties import gradient_penalty

    G, D, (opt_G, opt_D) = model.G, model.D, opts
    occluded, clean = batch["occluded"], batch["clean"]

    def forward():
        out = G(occluded)
        where = torch.sigmoid(out.hole_logits)
        return out, occluded * (1 - where) + out.raw * where

    fake = forward()[1].detach()
    score = D(fake).mean() - D(clean).mean()
    draw = lambda *shape: torch.rand(*shape, generator=random)  # noqa: E731
    penalty = cfg.lambda_penalty * gradient_penalty(D, clean, fake, draw)
    opt_D.zero_grad()
    (score + penalty).backward()
    opt_D.step()
    out, fake = forward()
    terms = _plain_terms(batch, out, fake, cfg, net) | {"adv": -cfg.lambda_adv * D(fake).mean()}
    opt_G.zero_grad()
    sum(terms.values()).backward()
    opt_G.step()
    return {"D": score.item(), "penalty": penalty.item(), **{name: term.item() for name, term in terms.items()}}


def _plain_terms(batch, out, fake, cfg, net) -> dict[str, torch.Tensor]:
    from facelab.losses.perceptual import perceptual, style
    from facelab.losses.reconstruction import hole_bce, hole_dice

    truth, hole = batch["truth"], batch["hole"]
    probability, target = torch.sigmoid(out.hole_logits), net(truth)
    return {
        "hidden": cfg.lambda_hidden * (hole * (out.raw - truth).abs()).mean(),
        "visible": cfg.lambda_visible * ((1 - hole) * (out.raw - truth).abs()).mean(),
        "hole": cfg.lambda_hole * (hole_bce(out.hole_logits, hole) + 0.5 * hole_dice(probability, hole)),
        "perceptual": cfg.lambda_perceptual * sum(perceptual(net(x), target) for x in (out.raw, fake)),
        "style": cfg.lambda_style * sum(style(net(x), target) for x in (out.raw, fake)),
    }
