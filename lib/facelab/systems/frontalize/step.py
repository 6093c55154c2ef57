"""Frontalization: one training step, its critic's half, its generator's half, and every loss term by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from facelab.images import to_unit
from facelab.losses.adversarial import PAIRS
from facelab.losses.matching import asked_cross_entropy, match_l1, seen_bce
from facelab.losses.penalties import PENALTIES
from facelab.losses.perceptual import identity_preserving, perceptual_relative
from facelab.losses.reconstruction import kl_standard_normal, symmetry, total_variation
from facelab.losses.similarity import ssim_loss
from facelab.nets.frontal import Painting
from facelab.nets.frontal_cvae import FRONT
from facelab.nets.warping import looks, mirrored_field, sized
from facelab.systems.frontalize.config import OURS, Config
from facelab.systems.frontalize.model import Frontalize
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.schedule import cosine_decay
from facelab.train.state import State

Opts = dict[str, torch.optim.Optimizer]


def train_step(
    batch: dict[str, Tensor], model: Frontalize, opts: Opts, state: State, engine: Engine
) -> dict[str, float]:
    """One step of the generator, after one of the critic where it has joined.

    Args:
        batch: ``side front`` (N, C, S, S) in [-1, 1], the turned face and the same person's from the front; for the
            "cvae" also ``angle`` (N,) int64, which way ``side`` is turned; where the data knows it, ``match``
            (N, 3, h, w) of :func:`facelab.synth.match.match`.
        model, opts: from :func:`build` and :func:`optimizers`.
        state: its ``step`` decides about stages and learning rates.

    Returns:
        Each loss term by name, as floats; those of matches alone before ``paint_from``.
    """
    cfg: Config = state.cfg
    _set_rates(opts, cfg, state.progress)
    if cfg.model == "cvae":
        return generator_step(cvae_terms(batch, model, state, engine), model, opts["G"], state, engine)
    if matching_first(batch, cfg, state.progress):
        with engine.autocast():
            plan, answers = model.G.find(batch["side"])
        plan = sized(plan, batch["match"].shape[-2:])
        return generator_step(match_terms(batch, plan, answers, cfg), model, opts["G"], state, engine)
    with engine.autocast():
        fake, plan, answers = painted(model, batch["side"])
    logs = {}
    if playing(cfg, state.progress):
        logs = critic_step(batch, fake.detach(), model, opts["D"], state, engine)
    terms = paired_terms(batch, fake, model, cfg, engine) | match_terms(batch, plan, answers, cfg)
    if playing(cfg, state.progress):
        terms["adv"] = adversarial_term(batch, fake, model, cfg, engine)
    return logs | generator_step(terms, model, opts["G"], state, engine)


def _set_rates(opts: Opts, cfg: Config, progress: float) -> None:
    """Rates fall from ``decay_from`` on, the critic's not before it has joined."""
    for name, opt in opts.items():
        start = max(cfg.decay_from, cfg.adversarial_from) if name == "D" else cfg.decay_from
        rate = cfg.critic_learning_rate if name == "D" else cfg.learning_rate
        for group in opt.param_groups:
            group["lr"] = rate * cosine_decay(progress, start)


def matching_first(batch: dict[str, Tensor], cfg: Config, progress: float) -> bool:
    """Only flows learn yet: before ``paint_from`` of the run, where ours asks and the data knows the answers."""
    asks = cfg.model == "flow" and cfg.ask and cfg.lambda_match > 0
    return asks and "match" in batch and progress < cfg.paint_from


def playing(cfg: Config, progress: float) -> bool:
    """The critic has joined: after ``adversarial_from`` of the run."""
    return cfg.judged and progress >= cfg.adversarial_from


def judge(batch: dict[str, Tensor], model: Frontalize, cfg: Config) -> Callable[[Tensor], Tensor]:
    """Candidates (N, C, S, S) to logits; with ``critic_side`` the critic is shown the turned face beside each.

    It is never shown the target beside its candidate, as the source's was: it would compare the two, and at the end
    say nothing of faces.
    """
    if not cfg.critic_side:
        return model.D
    return lambda candidate: model.D(torch.cat([batch["side"], candidate], 1))


def critic_step(
    batch: dict[str, Tensor], fake: Tensor, model: Frontalize, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move the critic: real are the faces from the front, fake the generator's; the generator is not touched.

    Args:
        batch: ``side front`` (N, C, S, S).
        fake: (N, C, S, S), detached.
    """
    cfg: Config = state.cfg
    real, net = batch["front"], judge(batch, model, cfg)
    with engine.autocast():
        scores = net(real).float()
        loss = PAIRS[cfg.loss][0](scores, net(fake).float())
    logs = {"D": loss.item(), "real": scores.mean().item()}
    if cfg.penalty != "none" and state.step % cfg.penalty_every == 0:
        with engine.full_precision():
            rand = lambda *shape: engine.rand(shape, state.generator)  # noqa: E731
            loss = loss + PENALTIES[cfg.penalty](net, real, fake, rand) * cfg.lambda_penalty * cfg.penalty_every
    engine.backward(loss)
    engine.step(opt)
    return logs


def paired_terms(
    batch: dict[str, Tensor], fake: Tensor, model: Frontalize, cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """The weighted loss terms against the true face from the front, those with a weight.

    Args:
        batch: ``front`` (N, C, S, S).
        fake: (N, C, S, S) in [-1, 1], fp32; gradients run through it.

    Source: the terms of TP-GAN (Huang et al. 2017, section 3.2), and SSIM.
    """
    front = batch["front"]
    found = {
        "l1": lambda: (fake - front).abs().mean(),
        "mse": lambda: (fake - front).square().mean(),
        "ssim": lambda: ssim_loss(fake, front),
        "symmetry": lambda: symmetry(fake),
        "tv": lambda: total_variation(fake),
    }
    weights = {name: getattr(cfg, f"lambda_{name}") for name in found}
    terms = {name: weights[name] * term() for name, term in found.items() if weights[name]}
    return terms | feature_terms(fake, front, model, cfg, engine)


def painted(model: Frontalize, side: Tensor) -> Painting:
    """The generator's pictures in fp32, and what they were fetched by, for ours."""
    if model.cfg.model not in OURS:
        return Painting(model.G(side).float(), None, None)
    made = model.G.paint(side)
    return made._replace(image=made.image.float())


def match_terms(
    batch: dict[str, Tensor], plan: Tensor | None, answers: Tensor | None, cfg: Config
) -> dict[str, Tensor]:
    """Whether flows point to where places are seen, and gates open there; of the mirror image, too.

    Questions must be answered at the right places.

    Args:
        batch: ``match`` (N, 3, h, w), where the data knows it.
        plan, answers: of :class:`facelab.nets.frontal.Painting`; None without flows.
    """
    if plan is None or "match" not in batch or not cfg.lambda_match:
        return {}
    truths = (batch["match"], mirrored_field(batch["match"]))
    pairs = list(zip(looks(plan), truths, strict=False))
    off = sum(match_l1(look.flow, true) for look, true in pairs) / len(pairs)  # as much with one view as with two
    unsure = sum(seen_bce(look.gate, true) for look, true in pairs) / len(pairs)
    terms = {"match": cfg.lambda_match * off, "gate": 0.1 * cfg.lambda_match * unsure}
    if answers is not None:
        terms["asked"] = cfg.lambda_asked * asked_cross_entropy(answers, batch["match"])
    return terms


def feature_terms(fake: Tensor, front: Tensor, model: Frontalize, cfg: Config, engine: Engine) -> dict[str, Tensor]:
    """Perceptual and identity-preserving terms, those with a weight and a net to see with."""
    terms: dict[str, Tensor] = {}
    said = None
    if model.features and (cfg.lambda_perceptual or (cfg.lambda_identity_preserving and not model.embed)):
        mine, theirs = _seen_by(model.features[0], fake, front, engine)
        if cfg.lambda_perceptual:
            terms["perceptual"] = cfg.lambda_perceptual * perceptual_relative(mine, theirs)
        said = mine[-1].mean((2, 3)), theirs[-1].mean((2, 3))
    if model.embed and cfg.lambda_identity_preserving:
        said = _seen_by(model.embed[0], fake, front, engine)
    if said is not None and cfg.lambda_identity_preserving:
        terms["identity_preserving"] = cfg.lambda_identity_preserving * identity_preserving(*said)
    return terms


def _seen_by(net: nn.Module, fake: Tensor, front: Tensor, engine: Engine) -> tuple:
    """What a frozen net says of the generator's pictures, and of the true ones."""
    net.to(front.device)
    with engine.autocast():
        with torch.no_grad():
            target = net(front)
        return net(fake), target


def adversarial_term(batch: dict[str, Tensor], fake: Tensor, model: Frontalize, cfg: Config, engine: Engine) -> Tensor:
    """What the critic says of the generator's pictures, weighted, with its own weights frozen."""
    model.D.requires_grad_(False)
    with engine.autocast():
        scores = judge(batch, model, cfg)(fake)
    model.D.requires_grad_(True)
    return cfg.lambda_adv * PAIRS[cfg.loss][1](scores.float())


def cvae_terms(batch: dict[str, Tensor], model: Frontalize, state: State, engine: Engine) -> dict[str, Tensor]:
    """The "cvae" reproduces what it is shown, at its angle: the turned face and the one from the front.

    Returns:
        ``mse``, the squared error summed over the numbers of a picture in [0, 1], mean over pictures, and ``kl``, both
        weighted. The source took one mean over the whole batch, and KL twice.

    Source: Kingma and Welling 2014, equation 10, with fixed variance.
    """
    cfg, front = state.cfg, torch.full_like(batch["angle"], FRONT)
    pictures, angle = torch.cat([batch["side"], batch["front"]]), torch.cat([batch["angle"], front])
    with engine.autocast():
        mu, logvar = model.G.encode(pictures, angle)
        noise = [engine.randn((len(front), cfg.latent), state.generator) for _ in range(2)]
        again = model.G.decode(mu + (logvar / 2).exp() * torch.cat(noise), angle).float()
    square = (to_unit(again) - to_unit(pictures)).square().flatten(1).sum(1).mean()
    return {"mse": cfg.lambda_mse * square, "kl": cfg.lambda_kl * kl_standard_normal(mu, logvar)}


def generator_step(
    terms: dict[str, Tensor], model: Frontalize, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move G by the sum of its terms, then its average; the critic is not touched.

    Args:
        terms: weighted losses by name, at least one.

    Returns:
        The same as floats.
    """
    engine.backward(sum(terms.values()))
    engine.step(opt)
    if model.average is not None:
        ema.update(model.average, model.G, state.cfg.ema, state.step)
    return {name: term.item() for name, term in terms.items()}
