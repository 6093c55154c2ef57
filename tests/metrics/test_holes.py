"""Intersection over union on holes whose overlap can be counted."""

import pytest
import torch

from facelab.metrics.holes import iou


def test_known_overlaps():
    hole = torch.zeros(4, 1, 4, 4)
    hole[:3, :, :2] = 1  # 8 pixels
    pred = torch.zeros(4, 1, 4, 4)
    pred[0] = hole[0]  # equal
    pred[1, :, 1:3] = 1  # 4 shared of 12
    pred[2, :, 2:] = 1  # disjoint
    assert iou(pred, hole).tolist() == pytest.approx([1, 1 / 3, 0, 1])  # the last: both empty


def test_threshold_and_polarity():
    hole = torch.zeros(1, 1, 4, 4)
    hole[..., 0, :] = 1
    soft = hole * 0.4
    assert float(iou(soft, hole)) == 0
    assert float(iou(soft, hole, threshold=0.3)) == 1
    assert float(iou(1 - hole, hole)) == 0


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        iou(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4))
