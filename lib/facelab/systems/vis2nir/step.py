"""VIS → NIR: one training step, its generators' half, its critics' half, and every loss term by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelab.images import to_channels
from facelab.losses.adversarial import PAIRS
from facelab.losses.perceptual import perceptual_relative
from facelab.losses.similarity import aspect
from facelab.systems.vis2nir.config import Config
from facelab.systems.vis2nir.model import Vis2Nir
from facelab.systems.vis2nir.passes import Translated, translated
from facelab.train import ema
from facelab.train.engine import Engine
from facelab.train.pool import from_pool
from facelab.train.schedule import linear_decay
from facelab.train.state import State

Opts = dict[str, torch.optim.Optimizer]


def train_step(batch: dict[str, Tensor], model: Vis2Nir, opts: Opts, state: State, engine: Engine) -> dict[str, float]:
    """One step of the translators, then one of the critics.

    Args:
        batch: ``vis`` (N, C, S, S) as :func:`facelab.systems.vis2nir.as_seen` gives them, and ``nir`` (N, 1, S, S), of
            other people; ``truth`` (N, 1, S, S), the counterparts of ``vis``, where ``lambda_pixel`` wants them.
        model, opts: from :func:`build` and :func:`optimizers`.
        state: its ``step`` decides about learning rates; it holds the image pools.
        engine: runs the passes, and the steps of both optimisers.

    Returns:
        Each loss term by name, as floats.

    Source: Zhu et al. 2017, sections 3 and 4. Taught in: lesson 08.
    """
    cfg: Config = state.cfg
    _set_rates(opts, cfg, state.progress)
    with engine.autocast():
        made = translated(model.G, batch, cfg, state.generator)
    terms = adversarial_terms(made, model, cfg, engine)
    if made.beyond is not None:
        terms["range"] = cfg.lambda_range * made.beyond
    if cfg.paired:
        terms |= paired_terms(batch, made, cfg)
    if made.vis is not None:
        terms |= cycle_terms(batch, made, model, cfg, engine)
    logs = generator_step(terms, model, opts["G"], state, engine)
    return logs | critic_step(batch, made, model, opts["D"], state, engine)


def _set_rates(opts: Opts, cfg: Config, progress: float) -> None:
    fall = linear_decay(progress, cfg.decay_from)
    for name, rate in (("G", cfg.learning_rate), ("D", cfg.critic_learning_rate)):
        for group in opts[name].param_groups:
            group["lr"] = rate * fall


def cycle_terms(
    batch: dict[str, Tensor], made: Translated, model: Vis2Nir, cfg: Config, engine: Engine
) -> dict[str, Tensor]:
    """The weighted terms of CycleGAN that need no critic, and the perceptual one; those with a weight.

    Args:
        batch: ``vis`` (N, C, S, S) and ``nir`` (N, 1, S, S).
        made: of these, from :func:`translated`.
        model: for its feature net. cfg: the weights.
        engine: runs the feature net.

    Returns:
        Scalars by name.

    Source: Zhu et al. 2017, equation 2 and section 5.2 (identity mapping); the study's perceptual cycle term, there
    squared differences on VGG16; that less than all pixels may come back is ours. Taught in: lesson 08.
    """
    vis, nir = batch["vis"], batch["nir"]
    apart = lambda made, wanted: (made - wanted).abs().mean()  # noqa: E731
    found = {
        "cyc": lambda: apart(aspect(made.vis_back, cfg.back), aspect(vis, cfg.back)) + apart(made.nir_back, nir),
        "identity_mapping": lambda: apart(made.nir_same, nir) + apart(made.vis_same, vis),
        "perceptual": lambda: _perceptual(made, vis, nir, model.features[0], engine),
    }
    weights = {name: getattr(cfg, f"lambda_{name}") for name in found}
    return {name: weights[name] * term() for name, term in found.items() if weights[name]}


def _perceptual(made: Translated, vis: Tensor, nir: Tensor, net: nn.Module, engine: Engine) -> Tensor:
    """How unlike what comes back is to a feature net, both ways."""
    net.to(vis.device)
    together = lambda a, b: torch.cat([to_channels(a, 3), to_channels(b, 3)])  # noqa: E731
    with engine.autocast():
        with torch.no_grad():
            wanted = net(together(vis, nir))
        return perceptual_relative(net(together(made.vis_back, made.nir_back)), wanted)


def paired_terms(batch: dict[str, Tensor], made: Translated, cfg: Config) -> dict[str, Tensor]:
    """Against the true counterparts: of pix2pix, and of a CycleGAN that is told them.

    Args:
        batch: ``truth`` (N, 1, S, S).
        made: from :func:`translated`. cfg: the weight.

    Returns:
        ``pixel``, a scalar: mean absolute difference, weighted.

    Source: Isola et al. 2017, section 3.1. Taught in: lesson 08.
    """
    return {"pixel": cfg.lambda_pixel * (made.nir - batch["truth"]).abs().mean()}


def adversarial_terms(made: Translated, model: Vis2Nir, cfg: Config, engine: Engine) -> dict[str, Tensor]:
    """What the critics say of what was translated, weighted, with their own weights frozen.

    Args:
        made: from :func:`translated`, not detached.
        model: for its critics. cfg: loss and weight.
        engine: runs the critics.

    Returns:
        ``adv_nir``, and with CycleGAN ``adv_vis``, scalars.

    Source: Zhu et al. 2017, equation 1; Mao et al. 2017, equation 9. Taught in: lesson 08.
    """
    terms = {}
    model.D.requires_grad_(False)
    for name, net in model.D.items():
        with engine.autocast():
            scores = net(getattr(made, name))
        terms[f"adv_{name}"] = cfg.lambda_adv * PAIRS[cfg.loss][1](scores.float())
    model.D.requires_grad_(True)
    return terms


def critic_step(
    batch: dict[str, Tensor], made: Translated, model: Vis2Nir, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move all critics: real are the batch's own pictures, fake what comes out of the pools; translators stay.

    Args:
        batch: ``nir`` (N, 1, S, S), and for CycleGAN ``vis`` (N, C, S, S).
        made: from :func:`translated`; detached here.
        model, opt: the networks, and the critics' optimiser.
        state: holds the pools. engine: runs the passes and the step.

    Returns:
        ``D_nir real_nir``, and with CycleGAN ``D_vis real_vis``: loss, and mean logit of real pictures.

    Source: Zhu et al. 2017, section 4 (the pool is Shrivastava et al. 2017's). Taught in: lesson 08.
    """
    cfg: Config = state.cfg
    losses, logs = [], {}
    for name, net in model.D.items():
        fake = from_pool(getattr(made, name).detach(), state, f"pool_{name}", cfg.pool)
        with engine.autocast():
            real, false = net(batch[name]).float(), net(fake).float()
        losses.append(PAIRS[cfg.loss][0](real, false))
        logs |= {f"D_{name}": losses[-1].item(), f"real_{name}": real.mean().item()}
    engine.backward(sum(losses))
    engine.step(opt)
    return logs


def generator_step(
    terms: dict[str, Tensor], model: Vis2Nir, opt: torch.optim.Optimizer, state: State, engine: Engine
) -> dict[str, float]:
    """Move the translators by the sum of their terms, then their average; the critics are not touched.

    Args:
        terms: weighted losses by name, at least one.
        model, opt: the networks, and the translators' optimiser.
        state: its ``step`` warms the average up. engine: runs the step.

    Returns:
        The same as floats.

    Taught in: lesson 08.
    """
    engine.backward(sum(terms.values()))
    engine.step(opt)
    if model.average is not None:
        ema.update(model.average, model.G, state.cfg.ema, state.step)
    return {name: term.item() for name, term in terms.items()}
