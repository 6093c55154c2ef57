"""HOG-guided inpainting: the networks together, how they are read from a file, and how they restore."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.images import composite
from facelab.nets.edgeconnect import PublishedPainter, PublishedPredictor, SpectralPatchDiscriminator
from facelab.nets.features import feature_net
from facelab.nets.inpainting import ContextEncoder, GuidePredictor, Painter, PartialPainter
from facelab.nets.oagan import OAGANDiscriminator
from facelab.nets.smooth_fill import smooth_fill
from facelab.restoration import Restoration
from facelab.systems.hog_inpaint.config import Config
from facelab.systems.hog_inpaint.guides import predicted_guide
from facelab.train import ema
from facelab.train.optim import adam
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "hog_inpaint"


class Generators(nn.Module):
    """``predictor`` (none where nothing guides) and ``painter``.

    No net is ever shown a hidden pixel: the picture it begins with is emptied, or filled smoothly from what is visible.
    """

    def __init__(self, cfg: Config):
        super().__init__()
        self.smooth = cfg.start == "smooth"
        self.painter, self.predictor = _painter(cfg), None
        if cfg.bins and cfg.model == "published":
            self.predictor = PublishedPredictor(cfg.bins, cfg.guide_cell, cfg.predictor_width, cfg.predictor_blocks)
        elif cfg.bins:
            shape = (cfg.predictor_width, cfg.predictor_blocks, cfg.size)
            self.predictor = GuidePredictor(cfg.bins, cfg.guide_cell, *shape)

    def predict(self, grey: Tensor, guide: Tensor, hole: Tensor) -> Tensor:
        """Visible grey (N, 1, H, W), visible guide, hole (N, 1, H, W) to logits of the whole guide."""
        return self.predictor(grey, guide, hole)

    def paint(self, images: Tensor, hole: Tensor, guide: Tensor | None) -> Tensor:
        """Visible pixels, hole and guide to whole pictures (N, C, H, W); what the hole hides is not looked at.

        From a smooth start the painter's answer is a change to it inside the hole, and may leave [-1, 1] by a little.
        """
        if not self.smooth:
            return torch.tanh(self.painter(images * (1 - hole), hole, guide).float())
        begun = smooth_fill(images, hole)
        return begun + hole * self.painter(begun, hole, guide).float()


def _painter(cfg: Config) -> nn.Module:
    if cfg.model == "published":
        return PublishedPainter(cfg.channels, cfg.bins, cfg.guide_cell, cfg.width, cfg.blocks)
    if cfg.model == "partial":
        return PartialPainter(cfg.channels, cfg.width, cfg.blocks, cfg.size)
    if cfg.model == "context":
        return ContextEncoder(cfg.channels, cfg.width, cfg.size)
    shape = (cfg.channels, cfg.bins, cfg.guide_cell, cfg.width, cfg.blocks, cfg.size)
    return Painter(*shape, gated=cfg.model == "gated", detail=cfg.detail)


class HogInpaint(nn.Module):
    """Generators, critics, the generators' running average, and the frozen feature net, which is never saved."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.cfg = cfg
        self.G = Generators(cfg)
        critics = {"picture": _critic(cfg)}
        critics |= {"region": _critic(cfg)} if cfg.region else {}
        if cfg.bins and cfg.lambda_guide_adv:
            critics["guide"] = SpectralPatchDiscriminator(1 + cfg.bins, cfg.critic_width)
        self.D = nn.ModuleDict(critics)
        self.average = ema.copy_of(self.G) if cfg.ema else None
        # A list hides the feature net from saving: it is frozen, and not ours.
        self.features = [feature_net(cfg.feature_net)] if cfg.feature_net != "none" else []

    def best_generator(self) -> nn.Module:
        """The averaged generators where there are any."""
        return self.G if self.average is None else self.average


def _critic(cfg: Config) -> nn.Module:
    inside = cfg.channels + cfg.critic_hole
    if cfg.critic_kind == "spectral":
        return SpectralPatchDiscriminator(inside, cfg.critic_width)
    return OAGANDiscriminator(inside, cfg.critic_width, cfg.critic_downs)


def build(cfg: Config) -> HogInpaint:
    """Networks with fresh weights from torch's global generator."""
    return HogInpaint(cfg)


def optimizers(model: HogInpaint, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for ``painter`` and ``predictor``, and one for each critic: ``D_picture`` and so on."""
    betas = (cfg.beta1, cfg.beta2)
    nets = {"painter": model.G.painter, "predictor": model.G.predictor}
    opts = {name: adam(net.parameters(), cfg.learning_rate, betas) for name, net in nets.items() if net is not None}
    critics = {f"D_{name}": net for name, net in model.D.items()}
    return opts | {name: adam(net.parameters(), cfg.critic_learning_rate, betas) for name, net in critics.items()}


@torch.no_grad()
def restore(model: HogInpaint, images: Tensor, hole: Tensor | None = None, guide: Tensor | None = None) -> Restoration:
    """Fill what is hidden.

    Args:
        model: from :func:`build` or :func:`load`.
        images: (N, C, H, W) in [-1, 1], H and W divisible by 8 and by the cell; for a context encoder of the size it
            was built for. What they hold in the hole is not looked at.
        hole: (N, 1, H, W), hidden where > 0; this system finds none by itself. A value between 0 and 1 blends the
            photograph and what was painted.
        guide: (N, K, H / cell, W / cell), to paint along another guide than the predicted one.

    Returns:
        ``image`` (N, C, H, W) in [-1, 1]: the pictures' own pixels where the hole is 0, the network's where it is 1;
        ``hole`` (N, 1, H, W), as given; ``raw`` (N, C, H, W), what the network painted: everywhere from an empty start,
        and from a smooth one in the hole, the picture itself around it.

    Raises:
        BadConfig: no hole was given, or it is of another size, or the size does not divide.

    Taught in: lesson 09.
    """
    if hole is None:
        raise BadConfig(
            "hole", None, f"a hole for each picture: {NAME} fills what you mark (on the command line --holes)"
        )
    _refuse_shapes(images, hole, max(8, model.cfg.guide_cell))
    G, hidden = model.best_generator(), (hole > 0).to(hole)
    guide = predicted_guide(G, images, hidden, model.cfg) if guide is None else guide
    raw = G.paint(images, hidden, guide).clamp(-1, 1)
    return Restoration(composite(images, raw, hole), hole, raw)


def _refuse_shapes(images: Tensor, hole: Tensor, step: int) -> None:
    size, wanted = tuple(images.shape[-2:]), (len(images), 1, *images.shape[-2:])
    if tuple(hole.shape) != wanted:
        raise BadConfig("hole", tuple(hole.shape), f"{wanted}, one channel at the pictures' own size")
    if any(side % step for side in size):
        raise BadConfig("images", size, f"sides that {step} divides; facelab restore takes any size")


def load(path_or_name: str | Path = NAME) -> tuple[HogInpaint, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card)
    model = HogInpaint(dataclasses.replace(cfg, feature_net="none", ema=0.0))
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
