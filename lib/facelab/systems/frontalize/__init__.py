"""Frontalization: a face turned aside, and the same face from the front.

Source: a public Keras project of 2020 with four models (U-Net autoencoder, pix2pix, DCGAN, conditional VAE), and our
own. The project's faults are corrected: a critic is shown the turned face or nothing beside its candidate, and never
the target; both halves of the game use one loss on logits; a patch critic sees patches, and learns as fast as its
generator; features are normalised by the net that was trained on them; pictures are bounded by tanh; the conditional
VAE's loss is one a picture, with its KL term once; a DCGAN may be told the truth by an L1 term.
``Config.published`` gives back the published networks and settings.
Taught in: lesson 07.
"""

from facelab.nets.frontal_cvae import ANGLES, FRONT
from facelab.systems.frontalize.config import MODELS, Config
from facelab.systems.frontalize.model import (
    NAME,
    Frontalize,
    Restoration,
    build,
    decode,
    encode,
    found_angle,
    load,
    optimizers,
    restore,
)
from facelab.systems.frontalize.step import (
    adversarial_term,
    critic_step,
    cvae_terms,
    generator_step,
    matching_first,
    paired_terms,
    playing,
    train_step,
)

__all__ = [
    "ANGLES", "FRONT", "MODELS", "NAME", "Config", "Frontalize", "Restoration", "adversarial_term", "build",
    "critic_step", "cvae_terms", "decode", "encode", "found_angle", "generator_step", "load",
    "matching_first", "optimizers", "paired_terms", "playing", "restore", "train_step",
]  # fmt: skip
