"""``facelab bench``: this machine, ours against the plain way, always as ratios paired in one run.

Absolute times belong to one machine and one afternoon; the two sides of a ratio are measured in turn (A, B, A, B …)
and each side's minimum counts. Speed is never asserted in tests.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

from facelab import files
from facelab.errors import BadConfig

SIZE, BATCH, WIDTH = 128, 8, 16


def interleaved(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Minimum seconds of each side over ``rounds`` rounds in turn, after one unmeasured round."""
    best = dict.fromkeys(sides, float("inf"))
    for number in range(rounds + 1):
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            if number:
                best[name] = min(best[name], time.perf_counter() - started)
    return best


def bench_step(rounds: int) -> dict:
    """One OA-GAN training step, 128 px, batch 8, width 16: ours in bf16 and fp32 against the plain way in fp32."""
    from facelab.nets.features import feature_net
    from facelab.systems import oagan
    from facelab.train.engine import Engine, cpu_has_bf16

    cfg = oagan.Config(
        model="published", size=SIZE, channels=3, width=WIDTH, critic_width=WIDTH, critic_downs=6, batch=BATCH,
        adversarial_from=0.0, teacher=0.0, ema=0.0, steps=10_000,
    )  # fmt: skip
    batch = _batch()
    net = feature_net(cfg.feature_net)
    sides = {
        "plain fp32": _plain_side(cfg, batch, net),
        "ours fp32": _our_side(cfg, batch, Engine(precision="fp32")),
        "ours bf16": _our_side(cfg, batch, Engine(precision="bf16")),
    }
    best = interleaved(sides, rounds)
    return {
        "what": "OA-GAN training step", "setting": f"{SIZE} px, batch {BATCH}, width {WIDTH}, all losses",
        "seconds": {name: round(value, 4) for name, value in best.items()},
        "ratio": {name: round(best["plain fp32"] / best[name], 2) for name in ("ours fp32", "ours bf16")},
        "bf16 in hardware": cpu_has_bf16(),
    }  # fmt: skip


def _batch() -> dict[str, torch.Tensor]:
    from facelab.seeding import generator

    random = generator(0, "bench")
    draw = lambda channels: torch.rand(BATCH, channels, SIZE, SIZE, generator=random)  # noqa: E731
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


def bench_loader(rounds: int, data: str = "orl") -> dict:
    """Sixty-four pictures as a batch: decoded from their files, or gathered from the byte cache."""
    from facelab import images
    from facelab.data.cache import cached
    from facelab.data.catalogue import open_dataset

    dataset = open_dataset(data)
    cache = cached(dataset, SIZE)
    rows = list(range(0, len(cache), max(1, len(cache) // 64)))[:64]
    decode = lambda: torch.stack([images.resize(dataset[int(cache.indices[row])], SIZE) for row in rows])  # noqa: E731
    best = interleaved({"files": decode, "cache": lambda: cache.batch(rows)}, rounds)
    setting = f"{len(rows)} pictures at {SIZE} px"
    return {"what": f"loading {data}", "setting": setting, **_speeds(best, len(rows), "files")}


def bench_occluders(rounds: int) -> dict:
    """Occluders drawn on a batch of 64 pictures at 64 px, all training kinds."""
    from facelab.occlude import occlude
    from facelab.seeding import generator

    faces = torch.rand(64, 3, 64, 64) * 2 - 1
    best = interleaved({"occlude": lambda: occlude(faces, None, generator(0, "bench"))}, rounds)
    return {"what": "drawing occluders", "setting": "batches of 64 at 64 px", **_speeds(best, 64)}


def bench_ssim(rounds: int) -> dict:
    """SSIM of 64 picture pairs at 128 px against scikit-image with the same convention."""
    import numpy as np
    from skimage.metrics import structural_similarity

    from facelab.metrics.image import ssim

    a, b = torch.rand(2, 64, 3, SIZE, SIZE) * 2 - 1
    pairs = [((x + 1) / 2).permute(1, 2, 0).numpy() for x in a], [((x + 1) / 2).permute(1, 2, 0).numpy() for x in b]
    options = dict(channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    theirs = lambda: np.array([structural_similarity(x, y, **options) for x, y in zip(*pairs, strict=True)])  # noqa: E731
    best = interleaved({"scikit-image": theirs, "ours": lambda: ssim(a, b)}, rounds)
    difference = float(np.abs(theirs() - ssim(a, b).numpy()).max())
    speeds = _speeds(best, 64, "scikit-image")
    return {"what": "SSIM", "setting": "64 pairs at 128 px", **speeds, "largest difference": difference}


def _speeds(best: dict[str, float], count: int, against: str | None = None) -> dict:
    out = {"pictures per second": {name: round(count / value) for name, value in best.items()}}
    if against:
        out["ratio"] = {name: round(best[against] / value, 2) for name, value in best.items() if name != against}
    return out


BENCHES = {"step": bench_step, "loader": bench_loader, "occluders": bench_occluders, "ssim": bench_ssim}


def machine() -> dict:
    """What the figures belong to."""
    from facelab.train.engine import cpu_has_bf16

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "torch": torch.__version__, "threads": torch.get_num_threads(), "bf16 in hardware": cpu_has_bf16(),
        "load average before": round(load, 2),
    }  # fmt: skip


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab bench``."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(BENCHES) + " (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds, taken in turn (default: 5)")
    parser.add_argument("--out", help="write the results as JSON here")


def bench_command(args: argparse.Namespace) -> int:
    """Run the benches and print one block each."""
    unknown = [name for name in args.names if name not in BENCHES]
    if unknown or args.rounds < 1:
        raise BadConfig("bench", unknown or args.rounds, "names of " + ", ".join(BENCHES) + ", and 1 or more rounds")
    results = {"machine": machine(), "benches": {}}
    print(json.dumps(results["machine"]))
    if results["machine"]["load average before"] > 1:
        print("other work is running on this machine: trust the ratios, not the seconds")
    for name in args.names or BENCHES:
        results["benches"][name] = BENCHES[name](args.rounds)
        print(json.dumps(results["benches"][name], indent=1))
    if args.out:
        files.write_text(Path(args.out), json.dumps(results, indent=1) + "\n")
    return 0
