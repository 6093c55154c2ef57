"""Frontalization: the networks together, how they are read from a file, and how they turn a face to the front."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from facelab.errors import BadConfig
from facelab.nets.face_network import FaceNetwork
from facelab.nets.features import feature_net
from facelab.nets.frontal import FrontalNet
from facelab.nets.frontal_cvae import ANGLES, ConditionalVAE
from facelab.nets.frontal_published import (
    DCGANCritic,
    DCGANFrontalizer,
    FrontalAutoencoder,
    PatchCritic,
    Pix2Pix,
    patch_halvings,
)
from facelab.restoration import Restoration
from facelab.systems.frontalize.config import OURS, Config
from facelab.train import ema
from facelab.train.optim import adam
from facelab.train.weights import config_from_card, fill_module, read_weights

NAME = "frontalize"


class Frontalize(nn.Module):
    """Generator, critic where there is one, the generator's running average, and frozen nets that are never saved.

    Args:
        cfg: the settings.
        pretrained: read a frozen encoder's weights; False where all weights are read later.
        embed: a frozen face network, pictures (N, C, H, W) in [-1, 1] to vectors (N, D), for the identity-preserving
            term; None takes the feature net's last map, averaged.
    """

    def __init__(self, cfg: Config, pretrained: bool = True, embed: nn.Module | None = None):
        super().__init__()
        self.cfg = cfg
        self.G = _generator(cfg, pretrained, embed)
        self.D = _critic(cfg) if cfg.judged else None
        self.average = ema.copy_of(self.G) if cfg.ema else None
        # Lists hide these nets from saving: they are frozen, and not ours.
        self.features = [feature_net(cfg.feature_net)] if cfg.feature_net != "none" else []
        self.embed = [embed.eval().requires_grad_(False)] if embed is not None else []

    def best_generator(self) -> nn.Module:
        """The averaged generator where there is one."""
        return self.G if self.average is None else self.average


def _generator(cfg: Config, pretrained: bool, embed: nn.Module | None) -> nn.Module:
    if cfg.model in OURS:
        flow = cfg.model == "flow"
        face = (embed or FaceNetwork(cfg.channels, cfg.face_width)) if cfg.face_told else None
        return FrontalNet(
            cfg.channels, cfg.width, cfg.blocks, cfg.attention, flow, cfg.mirror, cfg.size, cfg.ask, face, cfg.copy,
            cfg.encoder, pretrained,
        )  # fmt: skip
    if cfg.model == "dcgan":
        return DCGANFrontalizer(cfg.channels, cfg.width, cfg.size)
    if cfg.model == "cvae":
        return ConditionalVAE(cfg.channels, cfg.width, cfg.size, cfg.latent)
    kind = {"ae": FrontalAutoencoder, "pix2pix": Pix2Pix}[cfg.model]
    return kind(cfg.channels, cfg.width, cfg.size, cfg.encoder, pretrained)


def _critic(cfg: Config) -> nn.Module:
    inside = cfg.channels * (2 if cfg.critic_side else 1)
    if cfg.model == "dcgan":
        return DCGANCritic(inside, cfg.critic_width, cfg.size)
    return PatchCritic(inside, cfg.critic_width, patch_halvings(cfg.size), norm=cfg.model not in OURS)


def build(cfg: Config, embed: nn.Module | None = None) -> Frontalize:
    """Networks with fresh weights from torch's global generator; a frozen encoder brings its own.

    Args:
        cfg: the settings.
        embed: see :class:`Frontalize`.

    Raises:
        MissingPart: the weights of a frozen net are not here.
    """
    return Frontalize(cfg, embed=embed)


def optimizers(model: Frontalize, cfg: Config) -> dict[str, torch.optim.Optimizer]:
    """Adam for the generator, and one for the critic where there is one: ``G``, ``D``."""
    learning = [p for p in model.G.parameters() if p.requires_grad]
    opts = {"G": adam(learning, cfg.learning_rate, (cfg.beta1, cfg.beta2))}
    if model.D is not None:
        opts["D"] = adam(model.D.parameters(), cfg.critic_learning_rate, (cfg.critic_beta1, cfg.beta2))
    return opts


def restore(model: Frontalize, images: Tensor, angle: Tensor | None = None) -> Restoration:
    """Turn faces to the front.

    Args:
        model: from :func:`build` or :func:`load`.
        images: (N, C, S, S) in [-1, 1]; S is the configuration's size for "dcgan" and "cvae", else a multiple of
            :attr:`facelab.systems.frontalize.Config.multiple`: 16, and 32 for pictures of 128 px.
        angle: (N,) int64, 0..12, +90 - 15 k degrees, which the "cvae" uses and the others do not; None lets it find
            out, see :func:`found_angle`.

    Returns:
        ``image`` and ``raw`` (N, C, S, S) in [-1, 1], the same, a whole new picture; no ``hole``.

    Raises:
        BadConfig: pictures of another size or number of channels, or angles that are none.

    Taught in: lesson 07.
    """
    _refuse_shapes(images, model.cfg)
    with ema.at_rest(model) as G:
        if model.cfg.model == "cvae":
            raw = G(images, found_angle(model, images) if angle is None else _checked(angle, len(images)))
        else:
            raw = G(images)
    return Restoration(raw.float(), None, raw.float())


def encode(model: Frontalize, images: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Where a "cvae" puts faces.

    Args:
        model: of that kind.
        images: (N, C, size, size) in [-1, 1].
        angle: (N,) int64, 0..12, which way they are turned.

    Returns:
        ``mu`` and ``logvar`` (N, latent), mean and log variance.

    Raises:
        BadConfig: another model, or pictures or angles that do not fit.
    """
    _refuse_others(model)
    _refuse_shapes(images, model.cfg)
    with ema.at_rest(model) as G:
        return G.encode(images, _checked(angle, len(images)))


def decode(model: Frontalize, z: Tensor, angle: Tensor) -> Tensor:
    """The faces a "cvae" has at places of its plane.

    Args:
        model: of that kind.
        z: (N, latent).
        angle: (N,) int64, 0..12, which way they shall be turned.

    Returns:
        (N, C, size, size) in [-1, 1].

    Raises:
        BadConfig: another model, or codes or angles that do not fit.
    """
    _refuse_others(model)
    if z.dim() != 2 or z.shape[1] != model.cfg.latent:
        raise BadConfig("z", tuple(z.shape), f"(N, {model.cfg.latent}), a code a face")
    with ema.at_rest(model) as G:
        return G.decode(z, _checked(angle, len(z))).float()


def found_angle(model: Frontalize, images: Tensor) -> Tensor:
    """Which way faces are turned: the angle under which a "cvae" reproduces the picture best.

    Args:
        model: of that kind.
        images: (N, C, size, size) in [-1, 1].

    Returns:
        (N,) int64, 0..12.
    """
    errors = []
    for k in range(ANGLES):
        angle = torch.full((len(images),), k, device=images.device)
        again = decode(model, encode(model, images, angle)[0], angle)
        errors.append((again - images).square().flatten(1).mean(1))
    return torch.stack(errors).argmin(0)


def _refuse_others(model: Frontalize) -> None:
    if model.cfg.model != "cvae":
        raise BadConfig("model", model.cfg.model, "cvae: the others have no codes")


def _checked(angle: Tensor, count: int) -> Tensor:
    if angle.shape != (count,) or angle.is_floating_point() or not ((angle >= 0) & (angle < ANGLES)).all():
        raise BadConfig("angle", angle.tolist(), f"{count} whole numbers from 0 (+90 degrees) to {ANGLES - 1} (-90)")
    return angle.long()


def _refuse_shapes(images: Tensor, cfg: Config) -> None:
    channels, (height, width) = images.shape[1], images.shape[-2:]
    if channels != cfg.channels:
        raise BadConfig("images", tuple(images.shape), f"{cfg.channels} channels, as these networks have")
    if cfg.one_size and (height, width) != (cfg.size, cfg.size):
        raise BadConfig("images", (height, width), f"{cfg.size} × {cfg.size} pixels: {cfg.model} takes no other size")
    if height % cfg.multiple or width % cfg.multiple:
        raise BadConfig("images", (height, width), f"sides that {cfg.multiple} divides; facelab restore takes any size")


def load(path_or_name: str | Path = NAME) -> tuple[Frontalize, Config]:
    """Read shipped or trained weights: a name (``weights/NAME.safetensors``) or a file.

    Raises:
        BadWeights: missing, damaged, or made for another network.
    """
    parts, card = read_weights(path_or_name)
    cfg = config_from_card(Config, card)
    model = Frontalize(dataclasses.replace(cfg, feature_net="none", ema=0.0), pretrained=False)
    fill_module(model.G, parts, "G", path_or_name)
    return model.eval(), cfg
