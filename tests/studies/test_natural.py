"""The judge of holes on real facemasks."""

import torch

from facelab.studies.natural import covers_facemask, hidden_share


def hole_with(*boxes, size=100):
    hole = torch.zeros(1, 1, size, size)
    for left, right, top, bottom in boxes:
        hole[..., top:bottom, left:right] = 1
    return hole


def test_share_of_a_box():
    assert hidden_share(hole_with((0, 50, 0, 100)), (0.25, 0.75, 0.0, 1.0)).item() == 0.5


def test_a_facemask_counts_and_others_do_not():
    facemask = hole_with((20, 80, 52, 95))
    sunglasses = hole_with((10, 90, 25, 45))
    assert covers_facemask(facemask).item()
    assert not covers_facemask(hole_with()).item()
    assert not covers_facemask(sunglasses).item()
    assert not covers_facemask(torch.ones(1, 1, 100, 100)).item(), "hiding everything must not count"
    assert not covers_facemask(1 - facemask).item(), "a reversed hole must not count"


def test_the_border_of_the_rule():
    """45 % of 46 × 35 = 1,610 pixels are 724.5."""
    hole = torch.zeros(1, 1, 100, 100)
    flat = torch.zeros(35 * 46)
    for count, expected in ((724, False), (725, True)):
        flat.zero_()
        flat[:count] = 1
        hole[..., 55:90, 27:73] = flat.view(35, 46)
        assert covers_facemask(hole).item() is expected
