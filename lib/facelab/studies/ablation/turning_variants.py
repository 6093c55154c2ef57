"""The variants of frontalization: what each part of ours is for, and the source's four models beside it.

Taught in: lesson 07.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from facelab.studies.ablation.variants import SHARED, Variant
from facelab.systems.frontalize import Config

#: The base is ours. Everybody has the same pairs in the same order, and the same steps.
BASE = dict(
    model="flow", width=16, encoder="effnet-lite0", critic_width=16, batch=8, feature_net="effnet-lite0",
    face_steps=1000, face_told=True, face_width=16, lambda_identity_preserving=10.0, adversarial_from=0.7, ema=0.99,
)  # fmt: skip


def source(model: str, **more: Any) -> dict[str, Any]:
    """What one of the source's models, with its own loss terms, changes against the base; never the batches.

    Args:
        model: ``"ae"``, ``"pix2pix"``, ``"dcgan"`` or ``"cvae"``.
        **more: further settings.
    """
    ours = dataclasses.asdict(Config(**BASE))
    theirs = dataclasses.asdict(Config.for_profile("laptop", model=model, **more))
    return {name: value for name, value in theirs.items() if value != ours[name] and name not in SHARED}


VARIANTS = (
    Variant("base", "", about="ours: what is seen is fetched, from the mirror image too, and copied; a critic"),
    Variant("painted", "base", {"copy": False}, "what is seen is painted, too, and not copied"),
    Variant("own eyes", "base", {"encoder": "none"}, "no eyes that learned to see on ImageNet beside the encoder"),
    Variant("not asked", "base", {"ask": False}, "no questions: convolutions compute the flows"),
    Variant("not told", "base", {"face_told": False}, "the decoder is not told what the face network says"),
    Variant("no mirror", "base", {"mirror": False}, "skips are warped, but not from the mirror image"),
    Variant("no warp", "base", {"model": "unet"}, "a U-Net: skips stay where they were in the turned face"),
    Variant("no critic", "base", {"lambda_adv": 0.0}, "nobody judges"),
    Variant("critic sees side", "base", {"critic_side": True}, "the critic is shown the turned face, too"),
    Variant("no identity", "base", {"lambda_identity_preserving": 0.0}, "no identity-preserving term; still told"),
    Variant("no features", "no identity", {"feature_net": "none"}, "no perceptual term either"),
    Variant("no symmetry", "base", {"lambda_symmetry": 0.0}, "no symmetry term"),
    Variant("AE", "base", source("ae"), "the source's autoencoder with skips, frozen eyes: squared error alone", True),
    Variant("AE, own eyes", "AE", {"encoder": "none"}, "with an encoder of its own, trained with the rest"),
    Variant("pix2pix", "base", source("pix2pix"), "its pix2pix, frozen eyes: L1, a critic that sees the input", True),
    Variant("DCGAN", "base", source("dcgan"), "the source's DCGAN, with the L1 term that it lacks", True),
    Variant("DCGAN, no L1", "DCGAN", {"lambda_l1": 0.0}, "as the source has it: any face will do"),
    Variant("CVAE", "base", source("cvae"), "the source's CVAE: two numbers and an angle say everything", True),
    Variant("CVAE, 64", "CVAE", {"latent": 64}, "sixty-four numbers and an angle"),
)  # fmt: skip
