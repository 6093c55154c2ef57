"""Face-mask removal: the networks together, how they are read from a file, and how they restore."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from facelab.images import composite
from facelab.nets.features import feature_net
from facelab.nets.mask_removal import MaskRemover, PatchDiscriminator, PublishedRemover
from facelab.nets.oagan import OAGANDiscriminator
from facelab.restoration import Restoration, decided
from facelab.systems.mask_removal.config import Config
from facelab.train import ema
from facelab.train.optim import adam
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "mask_removal"


class MaskRemoval(nn.Module):
    """Generator, two critics, the generator's running average, and the frozen feature net, which is never saved."""

    def __init__(self, cfg: Config, pretrained: bool = True):
        super().__init__()
        if cfg.model == "published":
            self.G = PublishedRemover(cfg.channels, cfg.width, cfg.hole_width)
            critic = lambda: PatchDiscriminator(cfg.channels, cfg.critic_width)  # noqa: E731
        else:
            eyes = (cfg.hole_width, cfg.encoder, pretrained, cfg.blocks, cfg.outline_blocks, cfg.enlarge)
            self.G = MaskRemover(cfg.channels, cfg.width, *eyes, cfg.attention, cfg.size)
            critic = lambda: OAGANDiscriminator(cfg.channels, cfg.critic_width, cfg.critic_downs)  # noqa: E731
        self.D = nn.ModuleDict({"whole": critic(), "region": critic()})
        self.average = ema.copy_of(self.G) if cfg.ema else None
        # A list hides the feature net from saving: it is frozen, and not ours.
        self.features = [feature_net(cfg.feature_net)] if cfg.feature_net != "none" else []

    def best_generator(self) -> nn.Module:
        """The averaged generator where there is one."""
        return self.G if self.average is None else self.average


def build(cfg: Config) -> MaskRemoval:
    """Networks with fresh weights from torch's global generator; the hole net's encoder brings its ImageNet weights.

    Raises:
        MissingPart: the package with those is not installed.
    """
    return MaskRemoval(cfg)


def optimizers(model: MaskRemoval, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for the generator, and one for each critic: ``G``, ``whole``, ``region``."""
    betas = (cfg.beta1, cfg.beta2)
    critics = {name: adam(net.parameters(), cfg.critic_learning_rate, betas) for name, net in model.D.items()}
    return {"G": adam([p for p in model.G.parameters() if p.requires_grad], cfg.learning_rate, betas), **critics}


def found_hole(G: nn.Module, images: Tensor) -> Tensor:
    """Look twice, at the picture and at its mirror image, and decide.

    Args:
        G: a generator.
        images: (N, C, H, W) in [-1, 1].

    Returns:
        (N, 1, H, W) in [0, 1], 1 = hidden: the mean of both looks, :func:`decided`.
    """
    mirrored = torch.sigmoid(G.find(images.flip(-1)).float()).flip(-1)
    return decided((torch.sigmoid(G.find(images).float()) + mirrored) / 2)


@torch.no_grad()
def restore(model: MaskRemoval | nn.Module, images: Tensor, hole: Tensor | None = None) -> Restoration:
    """Find the facemask and paint the face behind it.

    Args:
        model: from :func:`build` or :func:`load`, or a bare generator.
        images: (N, C, H, W) in [-1, 1], H and W divisible by 16.
        hole: (N, 1, H, W), 1 = hidden, to fill a given hole; None lets the network find it, see :func:`found_hole`.

    Returns:
        ``image`` (N, C, H, W) in [-1, 1]: the pictures' own pixels where the hole is 0, the network's where it is 1;
        ``hole`` (N, 1, H, W), the one that was filled; ``raw`` (N, C, H, W), what the network painted everywhere.

    Source: Din et al. 2020, its two stages.
    Taught in: lesson 06.
    """
    G = model.best_generator() if isinstance(model, MaskRemoval) else model
    where = found_hole(G, images) if hole is None else hole
    raw = G.edit(images, where).float()
    return Restoration(composite(images, raw, where), where, raw)


def load(path_or_name: str | Path = NAME) -> tuple[MaskRemoval, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card)
    model = MaskRemoval(dataclasses.replace(cfg, feature_net="none", ema=0.0), pretrained=False)
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
