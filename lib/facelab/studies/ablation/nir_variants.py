"""The variants of VIS → NIR: what the study adds step by step, the bound of pairs, what CycleGAN is made of, and ours.

All are judged on aligned pictures. Those are rendered about 1.75 times as fine as wanted and then made smaller, which
smooths the sensor's grain; the crops that *base* learns from are made in the same way, so that A and *base* differ by
where the eyes are and by nothing else.
Taught in: lesson 08.
"""

from __future__ import annotations

from facelab.studies.ablation.variants import Variant
from facelab.systems.vis2nir import PERCEPTUAL

#: The base: CycleGAN on crops as they come. Small enough for six minutes on one core at 64 px.
BASE = dict(
    width=32, critic_width=32, batch=2, align=False, equalise=False, norm="instance", back="pixels", lambda_cyc=3.0,
    lambda_range=0.0, lambda_perceptual=0.0, lambda_identity_mapping=0.0, feature_net="effnet-lite0",
    learning_rate=1e-3, critic_learning_rate=5e-4, ema=0.99,
)  # fmt: skip

VARIANTS = (
    Variant("base", "", about="CycleGAN on crops as they come"),
    Variant("A", "base", {"align": True}, "eyes at one place"),
    Variant("B", "A", {"equalise": True}, "the luminance of visible pictures equalised, too"),
    Variant("C", "B", {"lambda_perceptual": PERCEPTUAL}, "and a perceptual term on what comes back"),
    Variant("C, loud", "B", {"lambda_perceptual": 10 * PERCEPTUAL}, "the same term ten times as loud"),
    Variant("A, perceptual", "A", {"lambda_perceptual": PERCEPTUAL}, "the perceptual term without equalisation"),
    Variant(
        "pix2pix", "A", {"model": "pix2pix", "lambda_pixel": 100.0},
        "one translator, told the true counterpart of each picture: what pairs would give", True,
    ),
    Variant("told", "A", {"lambda_pixel": 10.0}, "CycleGAN, told the true counterparts: pixel consistency"),
    Variant("batch norm", "A", {"norm": "batch"}, "batch norm in the translators"),
    Variant("bare critics", "A", {"critic_norm": "none"}, "critics without a norm; instance norm hides brightness"),
    Variant("pixel critic", "A", {"reach": 1}, "critics that see one pixel at a time"),
    Variant("patches of 70", "A", {"reach": 70}, "critics whose patches are as large as published: larger than 64 px"),
    Variant("whole-picture critic", "A", {"reach": 0}, "critics with one logit a picture"),
    Variant("fractional strides", "A", {"up": "transposed"}, "transposed convolutions, as published"),
    Variant("painted anew", "A", {"change": False}, "translators paint the picture, as published, and change none"),
    Variant("grain", "A", {"grain": 0.05}, "noise over what was translated, before it goes back: nothing hides in it"),
    Variant("cycle of 10", "A", {"lambda_cyc": 10.0}, "what comes back counts as much as published"),
    Variant("cycle of 1", "A", {"lambda_cyc": 1.0}, "what comes back counts a third"),
    Variant("luminance back", "cycle of 1", {"back": "luminance"}, "and colour need not come back"),
    Variant("structure back", "cycle of 1", {"back": "structure"}, "and neither colour nor smooth light need"),
    Variant("structure, batch norm", "structure back", {"norm": "batch"}, "and batch norm in the translators"),
    Variant("in range", "A", {"lambda_range": 1.0}, "a term against pixels that saturate the tanh"),
    Variant("ours", "structure, batch norm", {"lambda_range": 1.0}, "and a term against saturation"),
    Variant("identity mapping", "A", {"lambda_identity_mapping": 1.5}, "what is in the domain already shall stay"),
    Variant("no pool", "A", {"pool": 0}, "critics see the newest fakes alone"),
    Variant("no cycle", "A", {"lambda_cyc": 0.0}, "nothing has to come back"),
)  # fmt: skip
