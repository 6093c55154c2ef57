"""The judge of holes on real facemasks."""

import torch

from facelab.restoration import Restoration
from facelab.studies import natural
from facelab.studies.natural import covers_facemask, hidden_share, margin, masked_study


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


def test_the_worst_is_furthest_on_the_wrong_side():
    """The lower the margin, the worse; below 0 where the rule fails, whichever of its halves fails."""
    good, thin = hole_with((20, 80, 52, 95)), hole_with((27, 73, 55, 72))
    nothing, everything = hole_with(), torch.ones(1, 1, 100, 100)
    values = [margin(hole).item() for hole in (good, thin, nothing, everything)]
    assert values[0] > values[1] > 0 > values[2] > values[3]
    assert [value >= 0 for value in values] == [covers_facemask(h).item() for h in (good, thin, nothing, everything)]


def test_the_study_of_photographs(monkeypatch):
    """Three photographs: one well covered, one found nowhere, one found everywhere; dlib sees what the stub says."""
    holes = torch.cat([hole_with((20, 80, 52, 95)), hole_with(), torch.ones(1, 1, 100, 100)])
    pictures = torch.linspace(-1, 1, 3).view(3, 1, 1, 1).expand(3, 3, 100, 100)

    class Part:
        def __init__(self, splits):
            self.count = {"val": 1, "test": 2, ("val", "test"): 3}[splits]

        __len__ = lambda self: self.count  # noqa: E731
        name = lambda self, place: f"{place}.jpg"  # noqa: E731
        take = lambda self, places: (pictures[places], None)  # noqa: E731

    monkeypatch.setattr(natural, "natural_photographs", lambda splits, size: Part(splits))
    monkeypatch.setattr(natural, "detect", lambda picture, doubtful: [1] if picture.mean() > 0.5 else [])
    record, (shown, image, hole, good) = masked_study(
        lambda given: Restoration(torch.ones_like(given), holes[: len(given)], given), 100, True
    )
    assert (record["count"], record["share"]) == (3, 0.3333) and good.tolist() == [True, False, False]
    assert record["parts"] == {"val": {"count": 1, "pass": 1}, "test": {"count": 2, "pass": 0}}
    assert record["failed"] == ["1.jpg", "2.jpg"]
    assert record["face_before"]["share"] == 0.3333 and record["face_after"]["share"] == 1.0
    assert torch.equal(shown, pictures) and torch.equal(hole, holes) and image.min() == 1


def test_the_border_of_the_rule():
    """45 % of 46 × 35 = 1,610 pixels are 724.5."""
    hole = torch.zeros(1, 1, 100, 100)
    flat = torch.zeros(35 * 46)
    for count, expected in ((724, False), (725, True)):
        flat.zero_()
        flat[:count] = 1
        hole[..., 55:90, 27:73] = flat.view(35, 46)
        assert covers_facemask(hole).item() is expected
