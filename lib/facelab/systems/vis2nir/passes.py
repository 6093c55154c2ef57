"""VIS → NIR: both translators, there and back, as training needs them.

Taught in: lesson 08.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facelab.images import to_channels
from facelab.nets.cyclegan import beyond_range
from facelab.systems.vis2nir.config import Config


class Translated(NamedTuple):
    """What the translators make of a batch, (N, C or 1, H, W) in [-1, 1], fp32.

    ``nir`` of visible faces and ``vis`` of infrared ones; ``vis_back`` and ``nir_back``, translated again; ``nir_same``
    and ``vis_same``, of pictures that are in the domain already. All but ``nir`` are None for pix2pix; the last two
    without an identity mapping term. ``beyond``, a scalar, is the sum over all calls of a translator of
    :func:`facelab.nets.cyclegan.beyond_range`; None where no weight asks for it.
    """

    nir: Tensor
    vis: Tensor | None = None
    vis_back: Tensor | None = None
    nir_back: Tensor | None = None
    nir_same: Tensor | None = None
    vis_same: Tensor | None = None
    beyond: Tensor | None = None


def translated(
    G: nn.Module, batch: dict[str, Tensor], cfg: Config, random: torch.Generator | None = None
) -> Translated:
    """Both ways and back. What one net is shown at the same time goes through it in one batch, which is faster.

    Args:
        G: the :class:`facelab.systems.vis2nir.Translators`.
        batch: ``vis`` (N, C, S, S) and ``nir`` (N, 1, S, S) in [-1, 1].
        cfg: whether there is an identity mapping term, and how much grain.
        random: on the CPU, for the grain; None: torch's global one.

    Returns:
        See :class:`Translated`.

    Source for the grain: Bashkirova et al. 2019, "Adversarial Self-Defense for Cycle-Consistent GANs", section 3.
    Taught in: lesson 08.
    """
    beyond: list[Tensor] | None = [] if cfg.lambda_range else None
    ask = lambda net, images: _asked(net, images, beyond)  # noqa: E731
    out_of = lambda: sum(beyond) if beyond else None  # noqa: E731
    if G.nir2vis is None:
        return Translated(ask(G.vis2nir, batch["vis"]).float(), beyond=out_of())
    vis, nir = batch["vis"], batch["nir"]
    if not cfg.lambda_identity_mapping:
        there_nir, there_vis, same = ask(G.vis2nir, vis), ask(G.nir2vis, nir), (None, None)
    else:
        both = ask(G.vis2nir, torch.cat([vis, to_channels(nir, vis.shape[1])]))
        there_nir, nir_same = both.split([len(vis), len(nir)])
        there_vis, vis_same = ask(G.nir2vis, torch.cat([nir, to_channels(vis, 1)])).split([len(nir), len(vis)])
        same = nir_same.float(), vis_same.float()
    vis_back = ask(G.nir2vis, _grainy(there_nir, cfg, random))
    nir_back = ask(G.vis2nir, _grainy(there_vis, cfg, random))
    return Translated(there_nir.float(), there_vis.float(), vis_back.float(), nir_back.float(), *same, out_of())


def _asked(net: nn.Module, images: Tensor, beyond: list[Tensor] | None) -> Tensor:
    """What a translator makes; how far it goes beyond the range is noted down where there is a list for it."""
    if beyond is None:
        return net(images)
    raw = net.before_tanh(images)
    beyond.append(beyond_range(raw))
    return torch.tanh(raw)


def _grainy(images: Tensor, cfg: Config, random: torch.Generator | None) -> Tensor:
    """What a translator has hidden in a picture below ``cfg.grain`` is not found again."""
    if not cfg.grain:
        return images
    return (images + cfg.grain * torch.randn(images.shape, generator=random).to(images)).clamp(-1, 1)
