"""HOG-guided inpainting: one training step, its predictor's part, its critics' and its painter's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from facelab.hog import gradients, guide_from, normalise_light, soft_histograms
from facelab.images import composite, to_channels
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.losses.perceptual import perceptual, perceptual_relative, style
from facelab.losses.similarity import ssim_loss
from facelab.nets.region import region_of
from facelab.systems.hog_inpaint.config import Config
from facelab.systems.hog_inpaint.guides import (
    completed,
    enlarged,
    guide_loss,
    known_guide,
    told,
    true_guide,
    unknown_places,
)
from facelab.systems.hog_inpaint.model import HogInpaint
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.schedule import cosine_decay
from facelab.train.state import State

Opts = dict[str, torch.optim.Optimizer]


def train_step(
    batch: dict[str, Tensor], model: HogInpaint, opts: Opts, state: State, engine: Engine
) -> dict[str, float]:
    """One step: the predictor while it learns, then each critic that plays, then the painter.

    Predictor and painter go through the published stages side by side: while the predictor learns, the painter is
    given the true guide, so neither hears of the other; after ``true_until`` it is given the predicted one.

    Args:
        batch: ``truth`` (N, C, H, W), ``hole`` (N, 1, H, W).
        model, opts: from :func:`build` and :func:`optimizers`.
        state: its ``step`` decides about stages and learning rates.

    Returns:
        Each loss term by name, as floats.
    """
    cfg: Config = state.cfg
    _set_rates(opts, cfg, state.progress)
    wanted, known = true_guide(batch["truth"], cfg), known_guide(batch["truth"], batch["hole"], cfg)
    logs = {}
    if cfg.bins and state.progress < cfg.predict_until:
        logs |= guide_step(batch, known, wanted, model, opts, state, engine)
    given, logits = guide_of_stage(batch, known, wanted, model, state, engine)
    logs |= paint_step(batch, given, logits, wanted, model, opts, state, engine)
    if model.average is not None:
        ema.update(model.average, model.G, cfg.ema, state.step)
    return logs


def _set_rates(opts: Opts, cfg: Config, progress: float) -> None:
    """Rates fall from ``decay_from`` on, a critic's not before it has joined, the predictor's within its own time."""
    own = progress / cfg.predict_until if cfg.predict_until and not cfg.joint else progress
    for name, opt in opts.items():
        start, place = cfg.decay_from, own if name in ("predictor", "D_guide") else progress
        start = max(start, cfg.adversarial_from) if name in ("D_picture", "D_region") else start
        rate = cfg.critic_learning_rate if name.startswith("D_") else cfg.learning_rate
        for group in opt.param_groups:
            group["lr"] = rate * cosine_decay(min(place, 1.0), start)


def guide_of_stage(
    batch: dict[str, Tensor], known: Tensor | None, wanted: Tensor | None, model: HogInpaint, state: State,
    engine: Engine,
) -> tuple[Tensor | None, Tensor | None]:  # fmt: skip
    """What the painter is guided by: the visible guide, and where it is empty the true or the predicted one.

    Returns:
        The guide, and the logits that the predictor has to answer for: in a joint stage alone.
    """
    cfg: Config = state.cfg
    if known is None or wanted is None:
        return None, None
    if state.progress < cfg.true_until:
        return told(known, wanted, batch["hole"], cfg), None
    with torch.set_grad_enabled(cfg.joint), engine.autocast():
        guide, logits = completed(model.G, batch["truth"], batch["hole"], known, cfg)
    return guide, logits if cfg.joint else None


def guide_step(
    batch: dict[str, Tensor], known: Tensor, wanted: Tensor, model: HogInpaint, opts: Opts, state: State, engine: Engine
) -> dict[str, float]:
    """Move the predictor, after its critic where that has a weight; the painter is not touched.

    Args:
        known, wanted: guides of the visible and of the whole face.
    """
    cfg: Config = state.cfg
    with engine.autocast():
        guide, logits = completed(model.G, batch["truth"], batch["hole"], known, cfg)
    terms = {"guide": cfg.lambda_guide * guide_loss(logits, wanted, unknown_places(batch["hole"], cfg), cfg)}
    logs: dict[str, float] = {}
    if "guide" in model.D:
        grey = to_channels(batch["truth"], 1)
        real, fake = (torch.cat([grey, enlarged(g, cfg)], 1) for g in (wanted, guide))
        logs |= critic_step("guide", real, fake.detach(), model, opts, state, engine)
        terms["adv_guide"] = cfg.lambda_guide_adv * _says("guide", fake, model, cfg, engine)
    engine.backward(sum(terms.values()))
    engine.step(opts["predictor"])
    return logs | {name: term.item() for name, term in terms.items()}


def paint_step(
    batch: dict[str, Tensor], guide: Tensor | None, logits: Tensor | None, wanted: Tensor | None, model: HogInpaint,
    opts: Opts, state: State, engine: Engine,
) -> dict[str, float]:  # fmt: skip
    """Move each critic that plays, then the painter; the predictor too where the run is joint and painted along it.

    Args:
        guide, logits: from :func:`guide_of_stage`.
        wanted: the whole face's guide.
    """
    cfg: Config = state.cfg
    truth, hole = batch["truth"], batch["hole"]
    with engine.autocast():
        raw = model.G.paint(truth, hole, guide).float()
    restored, logs = composite(truth, raw, hole), {}
    for name in playing(cfg, state.progress):
        real, fake, where = _seen_by(name, hole, truth, restored.detach(), hole)
        logs |= critic_step(name, real, fake, model, opts, state, engine, where)
    terms = paint_terms(batch, raw, restored, model, cfg, engine)
    for name in playing(cfg, state.progress):
        seen, where = _seen_by(name, hole, restored, hole)
        terms[f"adv_{name}"] = cfg.lambda_adv * _says(name, seen, model, cfg, engine, where)
    if logits is not None and wanted is not None:
        terms["guide"] = cfg.lambda_guide * guide_loss(logits, wanted, unknown_places(batch["hole"], cfg), cfg)
    engine.backward(sum(terms.values()))
    engine.step(opts["painter"])
    if logits is not None:
        engine.step(opts["predictor"])
    return logs | {name: term.item() for name, term in terms.items()}


def playing(cfg: Config, progress: float) -> list[str]:
    """The critics of the picture that have joined."""
    if progress < cfg.adversarial_from or not cfg.lambda_adv:
        return []
    return ["picture", "region"] if cfg.region else ["picture"]


def _seen_by(name: str, hole: Tensor, *pictures: Tensor) -> list[Tensor]:
    """What one critic looks at: the pictures whole, or cut to the region of the hole."""
    return [region_of(x, hole) if name == "region" else x for x in pictures]


def critic_step(
    name: str, real: Tensor, fake: Tensor, model: HogInpaint, opts: Opts, state: State, engine: Engine,
    hole: Tensor | None = None,
) -> dict[str, float]:  # fmt: skip
    """Move one critic; no generator is touched.

    Args:
        name: ``"picture"``, ``"region"`` or ``"guide"``.
        real: (N, C, H, W), what it shall like. fake: the same shape, detached, what it shall not.
        hole: (N, 1, H, W), for a critic that is shown it, beside the real picture, too.
    """
    cfg, net = state.cfg, _judge(name, model, state.cfg, hole)
    with engine.autocast():
        scores = net(real).float()
        loss = PAIRS[cfg.loss][0](scores, net(fake).float())
    logs = {f"D_{name}": loss.item(), f"real_{name}": scores.mean().item()}
    if cfg.penalty != "none" and name != "guide" and state.step % cfg.penalty_every == 0:
        with engine.full_precision():
            rand = lambda *shape: engine.rand(shape, state.generator)  # noqa: E731
            loss = loss + PENALTIES[cfg.penalty](net, real, fake, rand) * cfg.lambda_penalty * cfg.penalty_every
    engine.backward(loss)
    engine.step(opts[f"D_{name}"])
    return logs


def _judge(name: str, model: HogInpaint, cfg: Config, hole: Tensor | None) -> Callable[[Tensor], Tensor]:
    """Pictures to logits; a critic that sees the hole is asked about pictures alone, by a penalty, too."""
    if hole is None or name == "guide" or not cfg.critic_hole:
        return model.D[name]
    return lambda pictures: model.D[name](torch.cat([pictures, hole], 1))


def _says(
    name: str, fake: Tensor, model: HogInpaint, cfg: Config, engine: Engine, hole: Tensor | None = None
) -> Tensor:
    """The generator's loss before one critic, whose own weights are frozen."""
    model.D.requires_grad_(False)
    with engine.autocast():
        scores = _judge(name, model, cfg, hole)(fake)
    model.D.requires_grad_(True)
    return PAIRS[cfg.loss][1](scores.float())


def paint_terms(
    batch: dict[str, Tensor], raw: Tensor, restored: Tensor, model: HogInpaint, cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """The weighted loss terms against the truth: L1, SSIM, features, their style, and edge directions.

    Args:
        raw: (N, C, H, W), what was painted.
        restored: its composite: only this is ever shown, so all terms but L1 look at it and at nothing else.
    """
    truth, hole = batch["truth"], batch["hole"]
    weight = hole + cfg.visible * (1 - hole)
    terms = {"l1": cfg.lambda_l1 * (weight * (raw - truth).abs()).mean()}
    if cfg.lambda_ssim:
        terms["ssim"] = cfg.lambda_ssim * ssim_loss(restored, truth)
    if cfg.lambda_hog:
        slopes = [gradients(normalise_light(to_channels(x, 1))) for x in (restored, truth)]
        mine, theirs = (guide_from(soft_histograms(*s, cfg.orientations, cfg.cell), norm=cfg.norm) for s in slopes)
        terms["hog"] = cfg.lambda_hog * (mine - theirs).abs().mean()
    if model.features and (cfg.lambda_perceptual or cfg.lambda_style):
        terms |= feature_terms(restored, truth, model, cfg, engine)
    return terms


def feature_terms(restored: Tensor, truth: Tensor, model: HogInpaint, cfg: Config, engine: Engine) -> dict[str, Tensor]:
    """Perceptual and style terms on the maps of the feature net, those with a weight."""
    net = model.features[0].to(truth.device)
    with engine.autocast():
        with torch.no_grad():
            target = net(truth)
        maps = net(restored)
    compare = perceptual if cfg.perceptual == "absolute" else perceptual_relative
    terms = {"perceptual": cfg.lambda_perceptual * compare(maps, target)} if cfg.lambda_perceptual else {}
    return terms | ({"style": cfg.lambda_style * style(maps, target)} if cfg.lambda_style else {})
