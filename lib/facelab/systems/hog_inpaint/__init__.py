"""HOG-guided inpainting: predict the edge directions of the whole face first, then paint it along them.

Source: "A Novel Face Inpainting Approach Based on Guided Deep Learning", as a review of face restoration has it, in
words and pictures, with the losses and weights of EdgeConnect's second stage. Its faults are corrected: the predictor
is never shown the truth, the guide of a masked picture has none of the hole's outline in it, the predicted guide
answers to the HOG of the truth and not to the truth itself, the painter is given picture, hole and guide, and the
critic's loss has its logarithm.
``Config.published`` gives back the published networks and weights.
Taught in: lesson 09.
"""

from facelab.systems.hog_inpaint.config import Config
from facelab.systems.hog_inpaint.guides import known_guide, oracle_guide, predicted_guide, true_guide
from facelab.systems.hog_inpaint.model import (
    NAME,
    HogInpaint,
    Restoration,
    build,
    load,
    optimizers,
    restore,
)
from facelab.systems.hog_inpaint.step import (
    critic_step,
    guide_step,
    paint_step,
    paint_terms,
    train_step,
)

__all__ = [
    "NAME", "Config", "HogInpaint", "Restoration", "build", "critic_step", "guide_step", "known_guide", "load",
    "optimizers", "oracle_guide", "paint_step", "paint_terms", "predicted_guide", "restore", "train_step", "true_guide",
]  # fmt: skip
