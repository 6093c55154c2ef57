"""OA-GAN: take an occluder off a face without being told where it is.

Source: Cai et al., "Semi-Supervised Natural Face De-Occlusion", IEEE TIFS 16, 2021, and its released code. By default
its faults are corrected: one joint critic step for adversarial term and penalty, the known holes supervise the hole
head, paired and natural batches have their own rhythm, features get the range they were trained on. And it is made
stronger: the finder has ImageNet's eyes and learns first, and restoring looks twice. ``Config.released`` gives back the
behaviour as released.
Taught in: lesson 04; its variants in lesson 05.
"""

from facelab.systems.oagan.config import Config
from facelab.systems.oagan.model import (
    NAME,
    OAGAN,
    Restoration,
    build,
    decided,
    found_hole,
    gate,
    guess,
    load,
    optimizers,
    restore,
)
from facelab.systems.oagan.step import (
    adversarial_terms,
    critic_step,
    find_step,
    free_hole,
    generator_step,
    natural_terms,
    paired_terms,
    train_step,
)

__all__ = [
    "NAME", "OAGAN", "Config", "Restoration", "adversarial_terms", "build", "critic_step", "decided", "find_step",
    "found_hole", "free_hole", "gate", "generator_step", "guess", "load", "natural_terms", "optimizers",
    "paired_terms", "restore", "train_step",
]  # fmt: skip
