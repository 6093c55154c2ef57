"""facelab: learn adversarial image restoration by giving faces back.

Importing this package costs nothing: no torch, no matplotlib, no dlib. Import the module you need,
for example ``from facelab import images`` or ``from facelab.systems import oagan``.
"""

__version__ = "0.1.0"
