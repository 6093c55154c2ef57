"""Things in front of faces: drawn from parameters, placed by landmarks, with the hole they make.

``occlude`` hides parts of a batch; ``KINDS`` offers each kind's ``sample`` and ``draw`` by name.
"""

from facelab.occlude.batch import Occluded, occlude
from facelab.occlude.catalogue import KINDS, TRAIN_KINDS, UNSEEN_KINDS, Kind

__all__ = ["KINDS", "Kind", "Occluded", "TRAIN_KINDS", "UNSEEN_KINDS", "occlude"]
