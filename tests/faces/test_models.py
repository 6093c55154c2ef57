"""Model files are found without importing their package; what is missing says how to get it."""

import subprocess
import sys

import pytest

from facelab.errors import MissingPart
from facelab.faces import models


def test_files_are_located_without_importing_anything(dlib):
    code = (
        "import sys; from facelab.faces import models, detect, landmarks, descriptor, align;"
        "paths = [models.model_file(n) for n in models.FILES]; assert models.available();"
        "assert all(p.is_file() for p in paths);"
        "bad = {'dlib', 'face_recognition_models', 'pkg_resources'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_package_names_the_remedy(monkeypatch):
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match=r"facelab\[faces\]"):
        models.model_file("landmarks")
    assert not models.available()


def test_a_missing_file_is_named(monkeypatch):
    monkeypatch.setitem(models.FILES, "landmarks", "gone.dat")
    with pytest.raises(MissingPart, match=r"gone\.dat|face-recognition-models"):
        models.model_file("landmarks")


def test_missing_dlib_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingPart, match="dlib-bin"):
        models.dlib_module()
