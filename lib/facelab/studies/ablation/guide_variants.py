"""The variants of guided inpainting: what guides, what paints, and which loss.

Taught in: lesson 09.
"""

from __future__ import annotations

from facelab.studies.ablation.variants import Variant

#: The base: nothing guides. Everybody has the same steps, and every painter the same width.
BASE = dict(
    guide="none", cell=4, width=32, blocks=8, critic_width=16, critic_downs=4, batch=16, feature_net="effnet-lite0",
    learning_rate=1e-3, adversarial_from=0.7, ema=0.99,
)  # fmt: skip

VARIANTS = (
    Variant("base", "", about="no guide; L1, structure, features, and a critic in the last third"),
    Variant("guide", "base", {"guide": "hog"}, "along the predicted HOG, in cells of 4 pixels"),
    Variant("oracle", "guide", {"true_until": 1.0}, "along the true HOG, which nobody has: the most a guide can give"),
    Variant("block norm", "guide", {"norm": "blocks"}, "the HOG as Dalal and Triggs have it: contrast drops out"),
    Variant("block norm, oracle", "block norm", {"true_until": 1.0}, "along the true one"),
    Variant("coarse guide", "guide", {"cell": 8}, "cells of 8 pixels"),
    Variant("coarse oracle", "coarse guide", {"true_until": 1.0}, "along the true HOG in cells of 8 pixels"),
    Variant("predicted from the start", "guide", {"true_until": 0.0}, "no stage on the true guide"),
    Variant("joint", "guide", {"joint": True}, "the predictor goes on learning, from the painter's losses too"),
    Variant("judged guide", "guide", {"lambda_guide_adv": 0.1}, "a critic of picture and guide, a tenth as published"),
    Variant("Canny", "base", {"guide": "canny"}, "along predicted edges, learned by cross-entropy"),
    Variant("Canny oracle", "Canny", {"true_until": 1.0}, "along the true edges"),
    Variant("HOG loss", "base", {"lambda_hog": 100.0}, "no guide; the soft HOG of the result is compared instead"),
    Variant("critic sees hole", "base", {"critic_hole": True}, "the critic is shown the hole, as in DeepFill v2"),
    Variant("no detail", "base", {"detail": False}, "the painter is not shown what is fine, made louder"),
    Variant("empty start", "base", {"start": "empty"}, "the painter begins on grey, not with a smooth fill"),
    Variant("gated", "base", {"model": "gated"}, "gated convolutions, as in DeepFill v2"),
    Variant("partial", "empty start", {"model": "partial"}, "partial convolutions, which see visible pixels alone"),
    Variant(
        "context encoder", "empty start", {"model": "context", "region": True, "critic_downs": 3},
        "through a narrow door, judged by a global and a local critic", True,
    ),
    Variant(
        "L1 alone", "base", {"lambda_ssim": 0.0, "feature_net": "none", "lambda_adv": 0.0},
        "no structure, no features, no critic", True,
    ),
    Variant(
        "L1 alone, guide", "L1 alone", {"guide": "hog"}, "along the predicted HOG",
    ),
    Variant(
        "L1 alone, oracle", "L1 alone, guide", {"true_until": 1.0}, "along the true HOG",
    ),
)  # fmt: skip
