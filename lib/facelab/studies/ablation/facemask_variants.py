"""The variants of face-mask removal: which critic, which loss, which knowledge of the hole, which way of putting on.

Taught in: lesson 06.
"""

from __future__ import annotations

from facelab.studies.ablation.variants import Variant

#: The base: small enough for three minutes on one core at 64 px. Both critics play, in the published stages.
BASE = dict(
    width=16, hole_width=16, blocks=4, outline_blocks=0, enlarge=2, critic_width=16, critic_downs=4, batch=12,
    feature_net="effnet-lite0", learning_rate=1e-3, critic_learning_rate=4e-4, ema=0.99,
)  # fmt: skip

VARIANTS = (
    Variant("base", "", about="both critics in the published stages, features, half of each batch is told the hole"),
    Variant("no region critic", "base", {"lambda_region": 0.0}, "the critic of the whole picture judges alone"),
    Variant("no whole critic", "base", {"lambda_whole": 0.0}, "the critic of the region judges alone"),
    Variant("no perceptual", "base", {"feature_net": "none"}, "L1, SSIM and critics, no features"),
    Variant(
        "published weights",
        "base",
        {"lambda_perceptual": 100.0, "lambda_whole": 0.3, "lambda_region": 0.7},
        "features louder, critics softer, in the published proportions",
        True,
    ),
    Variant(
        "L1 alone",
        "base",
        {"lambda_ssim": 0.0, "feature_net": "none", "lambda_whole": 0.0, "lambda_region": 0.0},
        "no structure, no features, no critics",
        True,
    ),
    Variant("never told", "base", {"teacher": 0.0}, "the editing net only ever sees the hole that was found"),
    Variant("always told", "base", {"teacher": 1.0}, "the editing net only ever sees the true hole"),
    Variant("attention", "base", {"attention": 4}, "self-attention behind the dilated blocks"),
    Variant("from nothing", "base", {"encoder": "none", "enlarge": 1}, "a hole net without ImageNet's eyes", True),
    Variant("upright", "base", {"fit": "upright"}, "facemasks as the source's first version put them on"),
    Variant("unpaired", "base", {"natural_every": 4}, "after every fourth step one more on pictures without truth"),
    Variant(
        "published networks",
        "base",
        {"model": "published", "encoder": "none", "enlarge": 1, "width": 32},
        "the networks of 2022 at half their width; losses, stages and rates are the base's",
        True,
    ),
)
