"""Rendered heads: people who do not exist, seen from anywhere, in any light, with everything known about the picture.

A head is one grid of points (:mod:`~facelab.synth.head`), bent by some forty modes into somebody and by six into an
expression (:mod:`~facelab.synth.modes`), painted in four bands, one of them near infrared
(:mod:`~facelab.synth.spectra`, :mod:`~facelab.synth.paint`), given eyes, ears, hair and something to wear
(:mod:`~facelab.synth.scene`), projected (:mod:`~facelab.synth.view`) and drawn by a z-buffer in numpy
(:mod:`~facelab.synth.raster`). Nothing was learned from any real person's picture.

:func:`facelab.synth.render.render` makes a picture, :func:`facelab.synth.photo.turn` turns the head in a photograph;
these two know torch and are imported from their modules. ``facelab.data.synth`` makes a dataset of it.
Taught in: lesson 07.
"""

from facelab.synth.modes import MOVEMENTS
from facelab.synth.part import LABELS
from facelab.synth.person import BEARDS, STYLES, Person, person
from facelab.synth.view import Light, View, frontal
from facelab.synth.wear import ACCESSORIES

__all__ = [
    "ACCESSORIES", "BEARDS", "LABELS", "MOVEMENTS", "STYLES", "Light", "Person", "View", "frontal", "person",
]  # fmt: skip
