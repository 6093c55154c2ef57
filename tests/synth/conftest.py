"""People that the tests of rendered heads share."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facelab.synth import Person, person


@pytest.fixture(scope="session")
def even() -> Person:
    """Somebody whose two halves are alike: every shape mode at the mean, no hair, no beard."""
    shape = np.zeros_like(person(0).shape)
    return dataclasses.replace(person(0), shape=shape, style="bald", beard="none", melanin=0.2)
