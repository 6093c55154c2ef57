"""Face-mask removal: find a worn facemask, and paint the face behind it.

Source: Din et al., "A Novel GAN-Based Network for Unmasking of Masked Face", IEEE Access 8, 2020, as rebuilt in public
code of 2022. Its faults are corrected: the real sample of both critics is the bare face and not the masked one, the
region's critic sees the region, each critic has its own optimiser, feature losses are means, the hole net learns from
logits, and what is visible comes back untouched. And it is made cheaper: the hole net has ImageNet's eyes, and the
editing net works from half size with a deep dilated middle; lesson 06 compares the two at equal steps.
``Config.published`` gives back the published networks.
Taught in: lesson 06.
"""

from facelab.nets.region import region_of
from facelab.systems.mask_removal.config import Config
from facelab.systems.mask_removal.model import (
    NAME,
    MaskRemoval,
    Restoration,
    build,
    found_hole,
    load,
    optimizers,
    restore,
)
from facelab.systems.mask_removal.step import (
    critic_step,
    find_step,
    generator_step,
    natural_terms,
    paired_terms,
    train_step,
)

__all__ = [
    "NAME", "Config", "MaskRemoval", "Restoration", "build", "critic_step", "find_step", "found_hole",
    "generator_step", "load", "natural_terms", "optimizers", "paired_terms", "region_of", "restore", "train_step",
]  # fmt: skip
