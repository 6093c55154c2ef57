"""A face in visible light to the same face at 850 nm, learned from two heaps of pictures without pairs.

Source: CycleGAN (Zhu et al. 2017) as a Korean study of 2020 changed it for NIR faces: eyes aligned (A), the visible
pictures' luminance equalised (B), a perceptual term on what comes back (C). What it leaves open is decided here:
near-infrared has one channel from end to end; equalisation touches luminance only, and the visible domain only, both
when training and afterwards; features are those of a net that is fed as it was trained. What came out best here is
called ours: A, of which little more has to come back than an infrared picture can hold, with batch norm, and with a
term against saturation.
Taught in: lesson 08.
"""

from facelab.systems.vis2nir.config import MODELS, PERCEPTUAL, Config, studied
from facelab.systems.vis2nir.model import (
    NAME,
    Cycle,
    Restoration,
    Translators,
    Vis2Nir,
    as_seen,
    build,
    lead_back,
    load,
    optimizers,
    restore,
    there_and_back,
)
from facelab.systems.vis2nir.passes import Translated, translated
from facelab.systems.vis2nir.step import (
    adversarial_terms,
    critic_step,
    cycle_terms,
    generator_step,
    paired_terms,
    train_step,
)

__all__ = [
    "MODELS", "NAME", "PERCEPTUAL", "Config", "Cycle", "Restoration", "Translated", "Translators", "Vis2Nir",
    "adversarial_terms", "as_seen", "build", "critic_step", "cycle_terms", "generator_step", "lead_back", "load",
    "optimizers", "paired_terms", "restore", "studied", "there_and_back", "train_step", "translated",
]  # fmt: skip
