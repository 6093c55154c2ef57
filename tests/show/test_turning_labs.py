"""Labs of lesson 07: moving a control changes what it should, and nothing else."""

import pytest
import torch

from facelab.restoration import Restoration
from facelab.show.turning_labs import YAWS, degrees, plane_lab, turn_lab


def keep(pictures):
    return Restoration(pictures, None, pictures)


@pytest.fixture(scope="module")
def lab():
    return turn_lab({"a copy": keep, "its mirror image": lambda x: keep(x.flip(-1))}, [3, 4], 32)


def panels(lab):
    return lab._last[0]


def test_turning_the_head_changes_what_is_seen_and_not_the_true_front(lab):
    before = dict(panels(lab))
    lab.controls["yaw"].value = -45.0
    after = panels(lab)
    assert list(after) == ["seen", "a copy", "its mirror image", "true front"]
    assert not torch.equal(after["seen"], before["seen"])
    assert torch.equal(after["true front"], before["true front"])
    assert torch.equal(after["a copy"], after["seen"]), "models are asked about what is seen now"
    torch.testing.assert_close(after["its mirror image"], after["seen"].flip(-1))


@pytest.mark.parametrize(("control", "value"), [("pitch", 20.0), ("lamp", 60.0), ("light", "hard")])
def test_every_control_of_the_view_moves_what_is_seen(lab, control, value):
    before = dict(panels(lab))
    lab.controls[control].value = value
    assert not torch.equal(panels(lab)["seen"], before["seen"])
    assert torch.equal(panels(lab)["true front"], before["true front"])


def test_what_is_worn_and_who_wears_it_change_the_true_front_too(lab):
    for control, value in (("accessory", "sunglasses"), ("who", 4)):
        before = dict(panels(lab))
        lab.controls[control].value = value
        assert not torch.equal(panels(lab)["true front"], before["true front"])
    assert "dB" in lab.words.value


def decode(codes, angles):
    """A picture that says where in the plane it is, and at which angle."""
    level = torch.stack([codes[:, 0], codes[:, 1], angles.float() / 6 - 1], 1) / 3
    return level[:, :, None, None].expand(-1, -1, 8, 8)


def test_the_plane_is_walked_with_three_numbers():
    lab = plane_lab(decode, {"somebody": (1.5, -2.0)})
    assert torch.equal(panels(lab)["this place"], decode(torch.zeros(1, 2), torch.tensor([6]))[0])
    lab.controls["place"].value = "somebody"
    assert (lab.controls["across"].value, lab.controls["up"].value) == (1.5, -2.0)
    lab.controls["angle"].value = 0
    torch.testing.assert_close(panels(lab)["this place"], decode(torch.tensor([[1.5, -2.0]]), torch.tensor([0]))[0])
    assert f"{YAWS[0]:+d}" in lab.words.value and "−2.00" in lab.words.value, "with the minus of the sliders"


def test_straight_ahead_has_no_sign():
    assert [degrees(yaw) for yaw in (-45, 0, 45)] == ["−45°", "0°", "+45°"]
    assert [words for words, _ in plane_lab(decode).controls["angle"].options][6] == "0°"


def test_right_is_more_of_the_first_number_and_up_more_of_the_second():
    lab = plane_lab(decode)
    plane = next(picture for name, picture in panels(lab).items() if name.startswith("the plane"))
    assert plane[0, 4, -4] > plane[0, 4, 4], "the first number grows to the right"
    assert plane[1, 4, 4] > plane[1, -4, 4], "the second grows upwards"
    thirteen = panels(lab)["its thirteen angles"]
    assert thirteen.shape == (3, 32, 32) and (thirteen[:, -1, -1] == 1).all(), "three places stay empty"
