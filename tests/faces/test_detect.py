"""Faces where they are known to be, and none where there is none."""

import torch
from skimage.data import coffee

from facelab.faces import detect as module
from facelab.faces import models
from facelab.faces.detect import detect
from facelab.faces.landmarks import find_landmarks
from facelab.images import resize


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_one_known_face(dlib, astronaut):
    assert detect(astronaut) == [(179, 83, 266, 170)]


def test_grey_is_as_good(dlib, astronaut):
    """In grey, the badge on the suit scores 0.02 as a face, and is the larger one."""
    assert detect(astronaut.mean(0, keepdim=True)) == [(179, 83, 266, 170)]


def test_boxes_follow_the_picture(dlib, astronaut):
    """Shifted, the box shifts; beside a larger face, it comes second."""
    small = resize(astronaut, 360)
    canvas = torch.zeros(3, 512, 900)
    canvas[:, :, :512] = astronaut
    canvas[:, 100:460, 530:890] = small
    first, second = detect(canvas)
    assert overlap(first, (179, 83, 266, 170)) > 0.8
    expected = [v * 360 / 512 + o for v, o in zip((179, 83, 266, 170), (530, 100, 530, 100), strict=True)]
    assert overlap(second, expected) > 0.7


def test_faces_below_the_detectors_window(dlib, orl, astronaut):
    """A face 60 pixels wide, in a tight crop, and one at half that size."""
    face = orl(1, 1)
    assert len(detect(face)) == 1
    half = detect(resize(face, (56, 46)))
    assert len(half) == 1 and overlap([2 * v for v in half[0]], detect(face)[0]) > 0.6


def test_a_photograph_without_a_face(dlib):
    cup = torch.from_numpy(coffee()[:300, :300]).permute(2, 0, 1).float() / 127.5 - 1
    assert detect(cup) == []
    assert find_landmarks(cup) is None
    assert detect(torch.zeros(1, 64, 64)) == []


def test_a_long_strip_does_not_fill_the_memory(monkeypatch):
    """Enlarged until its short side is 160 pixels, this one would have 427 million."""
    sizes = []
    monkeypatch.setattr(module, "resize", lambda image, size: sizes.append(size) or image[..., :8, :8])
    nothing = type("Nothing", (), {"run": lambda *args: ([], [], [])})()
    monkeypatch.setattr(models, "detector", lambda: nothing)
    assert detect(torch.zeros(1, 12, 200_000)) == []
    assert len(sizes) == 3 and all(height * width < 26_000_000 for height, width in sizes)
    sizes.clear()
    detect(torch.zeros(1, 112, 92))  # ordinary pictures are enlarged as before
    assert sizes == [(195, 160), (275, 240), (550, 480)]
