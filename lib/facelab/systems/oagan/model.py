"""OA-GAN: the networks together, how they are read from a file, and how they restore."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from facelab.images import composite
from facelab.nets.features import feature_net
from facelab.nets.oagan import Guess, OAGANDiscriminator, OAGANGenerator, OAGANUNet
from facelab.restoration import Restoration, decided
from facelab.systems.oagan.config import Config
from facelab.train import ema
from facelab.train.optim import adam
from facelab.train.teacher import gate
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "oagan"


class OAGAN(nn.Module):
    """Generator, critic, the generator's running average, and the frozen feature net, which is never saved."""

    def __init__(self, cfg: Config, pretrained: bool = True):
        super().__init__()
        ours = (cfg.width, cfg.hole_width, cfg.encoder, pretrained, cfg.blocks, cfg.outline_blocks, cfg.enlarge)
        published = cfg.model == "published"
        self.G = OAGANGenerator(cfg.channels, cfg.width) if published else OAGANUNet(cfg.channels, *ours)
        self.D = OAGANDiscriminator(
            cfg.channels, cfg.critic_width, cfg.critic_downs, cfg.classes, cfg.size, cfg.critic_norm
        )
        self.average = ema.copy_of(self.G) if cfg.ema else None
        # A list hides the feature net from saving: it is frozen, and not ours.
        self.features = [feature_net(cfg.feature_net)] if cfg.feature_net != "none" else []

    def best_generator(self) -> nn.Module:
        """The averaged generator where there is one."""
        return self.G if self.average is None else self.average


def build(cfg: Config) -> OAGAN:
    """Networks with fresh weights from torch's global generator; the finder's encoder brings its ImageNet weights.

    Raises:
        MissingPart: the package with those is not installed.
    """
    return OAGAN(cfg)


def optimizers(model: OAGAN, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for ``G`` and ``D``; with the two-step penalty the critic's one Adam serves both steps, as released."""
    betas = (cfg.beta1, cfg.beta2)
    return {
        "G": adam([p for p in model.G.parameters() if p.requires_grad], cfg.learning_rate, betas),
        "D": adam(model.D.parameters(), cfg.critic_learning_rate, betas),
    }


def guess(G: nn.Module, occluded: Tensor, truth: Tensor | None, teacher: float) -> tuple[Guess, Tensor]:
    """Run the generator once; returns its guess (fp32) and the hole used at the gate and for the composite."""
    features, logits = G.find(occluded)
    hole = gate(torch.sigmoid(logits.float()), truth, teacher)
    return Guess(logits.float(), G.complete(occluded, features, hole).float()), hole


def found_hole(G: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Look twice, at the picture and at its mirror image, and decide.

    Args:
        G: a generator.
        images: (N, C, H, W) in [-1, 1].

    Returns:
        The features for ``G.complete``, and the hole (N, 1, H, W) in [0, 1], 1 = hidden: the mean of both looks,
        :func:`decided`.
    """
    features, logits = G.find(images)
    mirrored = G.find(images.flip(-1))[1].flip(-1)
    return features, decided((torch.sigmoid(logits.float()) + torch.sigmoid(mirrored.float())) / 2)


@torch.no_grad()
def restore(model: OAGAN | nn.Module, images: Tensor, hole: Tensor | None = None) -> Restoration:
    """Find the occluder and fill it.

    Args:
        model: from :func:`build` or :func:`load`, or a bare generator.
        images: (N, C, H, W) in [-1, 1], H and W divisible by 8.
        hole: (N, 1, H, W), 1 = hidden, to fill a given hole; None lets the network find it, see :func:`found_hole`.
    """
    G = model.best_generator() if isinstance(model, OAGAN) else model
    features, found = found_hole(G, images) if hole is None else (G.find(images)[0], hole)
    raw = G.complete(images, features, found).float()
    return Restoration(composite(images, raw, found), found, raw)


def load(path_or_name: str | Path = NAME) -> tuple[OAGAN, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card)
    model = OAGAN(dataclasses.replace(cfg, feature_net="none", ema=0.0), pretrained=False)
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
