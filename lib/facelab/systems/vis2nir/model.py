"""VIS → NIR: the networks together, how they are read from a file, and how they translate."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.faces.equalise import equalised
from facelab.nets.cyclegan import PatchDiscriminator, ResnetGenerator
from facelab.nets.features import feature_net
from facelab.restoration import Restoration
from facelab.systems.vis2nir.config import PLAIN, Config
from facelab.train import ema
from facelab.train.optim import adam
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "vis2nir"


class Translators(nn.Module):
    """``vis2nir``, and with CycleGAN ``nir2vis``, which leads back."""

    def __init__(self, cfg: Config):
        super().__init__()
        rest = (cfg.width, cfg.blocks, cfg.norm, cfg.up, cfg.change)
        self.vis2nir = ResnetGenerator(cfg.channels, 1, *rest)
        self.nir2vis = ResnetGenerator(1, cfg.channels, *rest) if cfg.model == "cyclegan" else None


class Vis2Nir(nn.Module):
    """Translators, a critic a domain, the translators' running average, and the frozen feature net, never saved."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.cfg = cfg
        self.G = Translators(cfg)
        judge = lambda channels: PatchDiscriminator(channels, cfg.critic_width, cfg.reach, cfg.critic_norm, cfg.size)  # noqa: E731
        self.D = nn.ModuleDict({"nir": judge(1)} | ({"vis": judge(cfg.channels)} if cfg.model == "cyclegan" else {}))
        self.average = ema.copy_of(self.G) if cfg.ema else None
        # A list hides the feature net from saving: it is frozen, and not ours.
        self.features = [feature_net(cfg.feature_net)] if cfg.lambda_perceptual else []

    def best_generator(self) -> nn.Module:
        """The averaged translators where there are any."""
        return self.G if self.average is None else self.average


def build(cfg: Config) -> Vis2Nir:
    """Networks with fresh weights from torch's global generator."""
    return Vis2Nir(cfg)


def optimizers(model: Vis2Nir, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for all translators, ``G``, and for all critics, ``D``."""
    betas = (cfg.beta1, cfg.beta2)
    return {
        "G": adam(model.G.parameters(), cfg.learning_rate, betas),
        "D": adam(model.D.parameters(), cfg.critic_learning_rate, betas),
    }


def as_seen(images: Tensor, cfg: Config) -> Tensor:
    """Visible pictures (N, C, H, W) in [-1, 1] as the translators are shown them: equalised where they learned so."""
    return equalised(images) if cfg.equalise else images


def restore(model: Vis2Nir, images: Tensor) -> Restoration:
    """See faces in near infrared.

    Args:
        model: from :func:`build` or :func:`load`.
        images: (N, C, H, W) in [-1, 1], in visible light, not equalised; H and W divisible by 4. Networks that learned
            from aligned faces want their eyes where :func:`facelab.faces.align.align` puts them.

    Returns:
        ``image`` and ``raw`` (N, 1, H, W) in [-1, 1], the same, a whole new picture; no ``hole``.

    Raises:
        BadConfig: pictures of another number of channels, or a size that does not divide.

    Taught in: lesson 08.
    """
    _refuse_shapes(images, model.cfg)
    with ema.at_rest(model) as G:
        raw = G.vis2nir(as_seen(images, model.cfg)).float()
    return Restoration(raw, None, raw)


class Cycle(NamedTuple):
    """``start`` as the translators are shown it, ``there`` in the other domain, ``back`` again; (N, C or 1, H, W)."""

    start: Tensor
    there: Tensor
    back: Tensor


def there_and_back(model: Vis2Nir, images: Tensor, start: str = "vis") -> Cycle:
    """x, G(x) and F(G(x)).

    Args:
        model: a "cyclegan".
        images: (N, C, H, W) in [-1, 1], of the domain ``start``: "vis", or "nir" with one channel.

    Returns:
        The three pictures of each.

    Raises:
        BadConfig: another model, a domain that does not exist, or pictures that do not fit.

    Taught in: lesson 08.
    """
    _refuse_ways(model, start)
    _refuse_shapes(images, model.cfg, model.cfg.channels if start == "vis" else 1)
    seen = as_seen(images, model.cfg) if start == "vis" else images
    with ema.at_rest(model) as G:
        there = (G.vis2nir if start == "vis" else G.nir2vis)(seen).float()
    return Cycle(seen, there, lead_back(model, there, start))


def lead_back(model: Vis2Nir, there: Tensor, start: str = "vis") -> Tensor:
    """The second half of a cycle alone: what leads back is shown the pictures as they are, nothing is equalised.

    Args:
        model: a "cyclegan".
        there: (N, 1, H, W) in [-1, 1] of a cycle that started in "vis", (N, C, H, W) of one that started in "nir".
        start: the domain to come back to.

    Returns:
        (N, C or 1, H, W) in [-1, 1], of the domain ``start``.

    Raises:
        BadConfig: see :func:`there_and_back`.

    Taught in: lesson 08.
    """
    _refuse_ways(model, start)
    _refuse_shapes(there, model.cfg, 1 if start == "vis" else model.cfg.channels)
    with ema.at_rest(model) as G:
        return (G.nir2vis if start == "vis" else G.vis2nir)(there).float()


def _refuse_ways(model: Vis2Nir, start: str) -> None:
    if model.cfg.model != "cyclegan":
        raise BadConfig("model", model.cfg.model, "cyclegan: the other leads nowhere back")
    if start not in ("vis", "nir"):
        raise BadConfig("start", start, "vis or nir")


def _refuse_shapes(images: Tensor, cfg: Config, channels: int | None = None) -> None:
    wanted = channels or cfg.channels
    if images.dim() != 4 or images.shape[1] != wanted or any(side % 4 for side in images.shape[-2:]):
        raise BadConfig("images", tuple(images.shape), f"(N, {wanted}, H, W), H and W divisible by 4")


def load(path_or_name: str | Path = NAME) -> tuple[Vis2Nir, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card | {"config": PLAIN | card["config"]})  # what older cards do not say
    model = Vis2Nir(dataclasses.replace(cfg, lambda_perceptual=0.0, ema=0.0))
    model.cfg = cfg
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
