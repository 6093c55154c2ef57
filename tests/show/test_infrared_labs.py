"""Labs of lesson 08: every control changes what it should, and answers that are known come out."""

import io
import re
import time
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

from facelab.errors import BadConfig
from facelab.faces.align import align
from facelab.faces.equalise import equalised
from facelab.images import resize, to_channels
from facelab.metrics.image import psnr
from facelab.show import lab as machinery
from facelab.show.alignment_lab import cropped, edges
from facelab.show.infrared_labs import FACE, WHITE, alignment_lab, cycle_lab, light_lab
from facelab.show.stacked_lab import stacked
from facelab.synth.infrared import infrared
from facelab.synth.part import LABELS
from facelab.synth.render import render
from facelab.synth.view import CANONICAL_LIGHT, Light, View
from facelab.systems import vis2nir

PERSON = 3
VIEWS = [View(roll=roll, zoom=0.6, shift=(aside, 0.03)) for roll, aside in ((0.0, 0.0), (12.0, 0.06), (-9.0, -0.08))]


def panels(lab):
    return lab._last[0]


def named(lab, beginning):
    """The one picture whose label begins so."""
    (picture,) = [picture for label, picture in panels(lab).items() if label.startswith(beginning)]
    return picture


def said(lab):
    """All numbers with a point in the words, as they are written."""
    return re.findall(r"\d+\.\d+", lab.words.value.split("%'>", 1)[1])


def put(lab, **values):
    for name, value in values.items():
        lab.controls[name].value = value


@pytest.fixture(scope="module")
def portraits():
    seen = [render(PERSON + k, view, 96) for k, view in enumerate(VIEWS)]
    return torch.stack([each.image for each in seen]), torch.stack([each.landmarks for each in seen])


@pytest.fixture
def alignment(portraits):
    return alignment_lab(*portraits, 32)


STRAIGHT = dict(roll=0.0, zoom=1.0, right=0.0, down=0.0)
MEANS = {"mean of 3, one crop for all", "mean of 3, eyes aligned"}
TAKEN = {"the crop, eyes marked", "cut out, 32 px", "shown to the network", "brightness before, after"}


@pytest.mark.parametrize(
    ("control", "value", "changes"),
    [
        ("face", 1, TAKEN), ("roll", -20.0, TAKEN), ("zoom", 1.2, TAKEN), ("right", -0.1, TAKEN), ("down", 0.1, TAKEN),
        ("aligned", False, TAKEN - {"the crop, eyes marked"}),
        ("equalise", 0.3, MEANS | {"shown to the network", "brightness before, after"}),
    ],
)  # fmt: skip
def test_every_control_of_alignment_changes_what_it_should(alignment, control, value, changes):
    before, picture = dict(panels(alignment)), alignment.picture.value
    assert set(before) == TAKEN | MEANS
    put(alignment, **{control: value})
    moved = {name for name in before if not torch.equal(before[name], panels(alignment)[name])}
    assert moved == changes and alignment.picture.value != picture


def test_a_rolled_camera_makes_no_difference_once_eyes_are_aligned(alignment):
    put(alignment, equalise=0.0, **STRAIGHT)
    level, loose = named(alignment, "shown"), {}
    for aligned in (True, False):
        put(alignment, aligned=aligned, roll=0.0)
        loose[aligned] = named(alignment, "shown")
        put(alignment, roll=20.0, zoom=1.1, right=0.05)
        loose[aligned] = (named(alignment, "shown") - loose[aligned])[:, 4:-4, 4:-4].abs().mean() / 2
        put(alignment, **STRAIGHT)
    assert loose[True] < 0.02, "only interpolation is left"
    assert loose[False] > 4 * loose[True], "unaligned, the same roll is seen"
    put(alignment, aligned=True)
    assert torch.equal(named(alignment, "shown"), level)


def test_without_equalisation_the_network_is_shown_the_crop_itself(alignment, portraits):
    put(alignment, equalise=0.0, **STRAIGHT)
    photo, points = cropped(portraits[0][0], portraits[1][0])
    torch.testing.assert_close(photo, portraits[0][0], atol=1e-5, rtol=0)
    before = align(photo, points, 32)[0]
    assert torch.equal(named(alignment, "shown"), before) and torch.equal(named(alignment, "cut out"), before)
    put(alignment, equalise=1.0)
    assert torch.equal(named(alignment, "shown"), equalised(before[None])[0])
    assert not torch.equal(named(alignment, "cut out"), named(alignment, "shown"))
    put(alignment, equalise=0.0, aligned=False)
    assert torch.equal(named(alignment, "shown"), resize(photo, 32))


def test_landmarks_move_with_the_crop(portraits):
    photo, points = portraits[0][0], portraits[1][0]
    middle = torch.tensor([47.5, 47.5])
    crop = cropped(photo, middle.expand(68, 2), roll=25.0, zoom=1.3, right=0.1, down=-0.05)
    torch.testing.assert_close(crop.points[0], middle + torch.tensor([9.6, -4.8]))
    turned = cropped(photo, points, roll=90.0)
    torch.testing.assert_close(
        turned.image[:, 20:-20, 20:-20], photo.rot90(-1, (1, 2))[:, 20:-20, 20:-20], atol=1e-4, rtol=0
    )  # clockwise: the head leans to the image's right
    torch.testing.assert_close(turned.points, torch.stack([95 - points[:, 1], points[:, 0]], 1), atol=1e-3, rtol=0)
    wide = cropped(torch.cat([photo, photo], 2), points)
    assert wide.image.shape == (3, 96, 96) and (wide.points[0, 0] - points[0, 0]).item() == pytest.approx(-48)


def test_the_words_say_tilt_distance_spread_and_edges(alignment, portraits):
    put(alignment, equalise=1.0, **STRAIGHT)
    assert "tilted by 0°" in alignment.words.value
    put(alignment, roll=20.0)
    assert "tilted by +20°" in alignment.words.value and "aligned: <b>0°, 28%</b>" in alignment.words.value
    put(alignment, roll=-20.0, aligned=False)
    assert "tilted by −20°" in alignment.words.value and "so they are shown" in alignment.words.value
    spread = [to_channels(named(alignment, name), 1).std(correction=0) / 2 for name in ("cut out", "shown")]
    assert said(alignment)[:3] == [f"{each.item():.2f}" for each in spread] + [f"{12**-0.5:.2f}"]
    assert spread[0] < 0.6 * spread[1]
    loose, tight = (edges(named(alignment, name)) for name in sorted(MEANS, reverse=True))
    assert said(alignment)[3:] == [f"{100 * loose:.1f}", f"{100 * tight:.1f}"]


def test_the_mean_face_is_sharper_when_eyes_are_aligned_and_only_then(portraits):
    lab = alignment_lab(*portraits, 32)
    assert edges(named(lab, "mean of 3, eyes")) > 1.2 * edges(named(lab, "mean of 3, one"))
    same = [each[:1].repeat(3, *[1] * (each.dim() - 1)) for each in portraits]
    lab = alignment_lab(*same, 32)
    torch.testing.assert_close(named(lab, "mean of 3, eyes"), named(lab, "mean of 3, one"), atol=1e-4, rtol=0)


def test_a_face_without_eyes_is_refused(portraits):
    with pytest.raises(ValueError, match="no face can be aligned"):
        alignment_lab(portraits[0], torch.full((3, 68, 2), torch.nan))


@pytest.fixture(scope="module")
def faces():
    views = [View(light=Light(40.0 * k)) for k in range(2)]
    vis = torch.stack([render(PERSON + k, view, 32).image for k, view in enumerate(views)])
    return vis, torch.stack([infrared(PERSON + k, view, 32) for k, view in enumerate(views)])


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return vis2nir.build(vis2nir.Config.for_profile("smoke", width=4, blocks=1, critic_width=4))


@pytest.mark.parametrize("start", ["vis", "nir"])
def test_a_cycle_without_noise_is_there_and_back(model, faces, start):
    lab = cycle_lab(model, *faces)
    put(lab, start=start, face=1)
    given = faces[0] if start == "vis" else faces[1]
    wanted = vis2nir.there_and_back(model, given[1:], start)
    shown = list(panels(lab).values())
    for picture, expected in zip((shown[0], shown[1], shown[3]), wanted, strict=True):
        torch.testing.assert_close(picture, expected[0])
    truth = faces[1][1] if start == "vis" else vis2nir.as_seen(faces[0][1:], model.cfg)[0]
    assert torch.equal(named(lab, "truth"), truth) and torch.equal(shown[4], shown[5])
    error = (wanted.back - wanted.start).abs().mean(1) / 2
    torch.testing.assert_close((shown[4] + 1) / 2, (error / WHITE).clamp(max=1))
    numbers = [psnr(to_channels(given[1:], len(truth)), truth[None]), psnr(wanted.there, truth[None]),
               psnr(wanted.back, wanted.start), 100 * error.mean()]  # fmt: skip
    assert said(lab) == [f"{number.item():.1f}" for number in numbers]


@pytest.mark.parametrize("start", ["vis", "nir"])
def test_infrared_pictures_that_are_simulated_are_called_so_in_either_direction(model, faces, start):
    lab = cycle_lab(model, *faces, truth_is="simulated")
    put(lab, start=start)
    (label,) = [label for label in panels(lab) if "simulated" in label]
    assert torch.equal(panels(lab)[label], faces[1][0]) and label.startswith("truth" if start == "vis" else "y:")
    assert machinery._font().getlength(label) <= machinery.SIDE
    assert not [label for label in panels(cycle_lab(model, *faces)) if "simulated" in label]
    put(lab := cycle_lab(model, *faces, truth_is="another picture"), start=start)
    assert "not known" in lab.words.value and len(said(lab)) == 2, "another picture has no pixels to compare"


@pytest.mark.parametrize("start", ["vis", "nir"])
def test_noise_changes_what_lies_between_and_what_comes_back(model, faces, start):
    lab = cycle_lab(model, *faces)
    put(lab, start=start)
    before = list(panels(lab).values())
    put(lab, hide=0.05)
    after = list(panels(lab).values())
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True, False, True, False, False, True]
    assert (after[1] - before[1]).std() == pytest.approx(0.05, rel=0.15)
    net = model.best_generator().nir2vis if start == "vis" else model.best_generator().vis2nir
    with torch.no_grad():
        torch.testing.assert_close(after[3], net(after[1][None])[0])
    put(lab, hide=0.0)
    assert torch.equal(list(panels(lab).values())[3], before[3])


def test_the_cycle_leaves_the_networks_as_they_were(model, faces):
    model.best_generator().train()
    put(cycle_lab(model, *faces), hide=0.1)
    assert model.best_generator().training
    model.best_generator().eval()


class Maps(nn.Module):
    """Two translators that are plain functions."""

    def __init__(self, there, back):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        self.vis2nir, self.nir2vis = there, back

    def best_generator(self):
        return self


def hides(there, back):
    maps = Maps(there, back)
    maps.cfg = SimpleNamespace(model="cyclegan", channels=3, equalise=False)
    return maps


STEP, FAINT = 0.1, 0.02  # levels of brightness that are kept, and height of what is hidden between them


def hide_colour(x):
    return (to_channels(x, 1) / STEP).round() * STEP + FAINT * (x[:, :1] - x[:, 2:])


def read_colour(y):
    level = (y / STEP).round() * STEP
    return torch.cat([level + (y - level) / FAINT / 2, level, level - (y - level) / FAINT / 2], 1)


def test_what_is_hidden_in_faint_detail_does_not_survive_noise_and_what_is_not_does(faces):
    grows = {}
    for name, there, back in (("hider", hide_colour, read_colour), ("honest", lambda x: to_channels(x, 1),
                                                                    lambda y: to_channels(y, 3))):  # fmt: skip
        lab = cycle_lab(hides(there, back), *faces)
        calm = float(said(lab)[3])
        put(lab, hide=0.04)
        _, _, _, same, noise, _, noisy = map(float, said(lab))
        assert same == calm and 1.3 < noise < 1.9, "the mean of |normal| is 0.8 of 0.04, and half of that of the range"
        grows[name] = (noisy - calm) / noise
    assert grows["hider"] > 4 and grows["honest"] < 1.1


def test_without_infrared_pictures_there_is_one_direction_and_no_truth(model, faces):
    lab = cycle_lab(model, faces[0])
    assert [value for _, value in lab.controls["start"].options] == ["vis"] and len(panels(lab)) == 5
    assert "not known" in lab.words.value and len(said(lab)) == 2
    with pytest.raises(ValueError, match="1 infrared pictures of 2"):
        cycle_lab(model, faces[0], faces[1][:1])
    with pytest.raises(BadConfig, match="leads nowhere back"):
        cycle_lab(vis2nir.build(vis2nir.Config.for_profile("smoke", model="pix2pix", width=4)), faces[0])


def plain_light(lab):
    put(lab, azimuth=CANONICAL_LIGHT.azimuth, elevation=CANONICAL_LIGHT.elevation, ambient=CANONICAL_LIGHT.ambient)


def test_in_plain_light_nothing_changes():
    lab = light_lab([PERSON], 32)
    assert all(float(number) > 2 for number in said(lab)[:2]), "the lab opens with a lamp at the side"
    plain_light(lab)
    assert said(lab) == ["0.0"] * 3
    assert all((picture == 0).all() for name, picture in panels(lab).items() if name.endswith("change"))
    assert torch.equal(named(lab, "visible, room"), render(PERSON, View(), 32).image)


@pytest.mark.parametrize(("control", "value"), [("azimuth", -60.0), ("elevation", -30.0), ("ambient", 0.1)])
def test_the_rooms_lamp_moves_all_but_the_camera_with_its_own(control, value):
    lab = light_lab([PERSON], 32)
    plain_light(lab)
    before = dict(panels(lab))
    put(lab, **{control: value})
    moved = {name for name in before if not torch.equal(before[name], panels(lab)[name])}
    assert moved == {"visible, room's lamp", "850 nm, room's lamp", "visible: change", "850 nm, room: change"}
    light = Light(
        *(lab.controls[name].value for name in ("azimuth", "elevation")), ambient=lab.controls["ambient"].value
    )
    now, then = render(PERSON, View(light=light), 32), render(PERSON, View(), 32)
    face = torch.isin(now.labels, torch.tensor([LABELS.index(name) for name in FACE]))
    assert 0.1 < face.float().mean() < 0.8
    apart = [(to_channels(a - b, 1)[0][face].abs().mean() / 2).item()
             for a, b in ((now.image, then.image), (now.nir, then.nir))]  # fmt: skip
    assert said(lab) == [f"{100 * share:.1f}" for share in apart] + ["0.0"] and apart[1] > 0.02
    assert torch.equal(named(lab, "850 nm, camera's"), infrared(PERSON, View(light=light), 32))
    torch.testing.assert_close(named(lab, "850 nm, room: change"), (now.nir - then.nir).clamp(-1, 1))


def test_somebody_else_is_measured_against_himself():
    lab = light_lab([PERSON, PERSON + 1], 32)
    before = dict(panels(lab))
    put(lab, who=PERSON + 1)
    assert not torch.equal(before["850 nm, camera's lamp"], named(lab, "850 nm, camera's"))
    plain_light(lab)
    assert said(lab) == ["0.0"] * 3


def test_the_lamp_moves_at_once():
    lab, spent = light_lab([PERSON]), []
    for k in range(4):
        began = time.process_time()
        put(lab, azimuth=-20.0 * k)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.3


def labs(portraits, model, faces):
    yield alignment_lab(*portraits, 32)
    for start, truth_is in (("vis", "rendered"), ("nir", "simulated"), ("vis", "another picture")):
        lab = cycle_lab(model, *faces, truth_is=truth_is)
        put(lab, start=start)
        yield lab
    yield light_lab([PERSON], 32)


def test_every_lab_leaves_a_still_picture_and_no_label_is_cut(portraits, model, faces, monkeypatch):
    for lab in labs(portraits, model, faces):
        shown, replaced = [], []
        page = SimpleNamespace(update=replaced.append)
        monkeypatch.setattr(
            "IPython.display.display", lambda thing, to=shown, page=page, **_: (to.append(thing), page)[1]
        )
        lab._ipython_display_()
        still = Image.open(io.BytesIO(shown[1].data))
        living = Image.open(io.BytesIO(lab.picture.value))
        assert shown[1].width == 736 and lab.picture.layout.max_width == "736px", "fits into 900 px as it is"
        assert living.size == (1472, 2 * (machinery.HEAD + machinery.SIDE)) and still.height > living.height
        assert still.crop((0, 0, *living.size)).tobytes() == living.tobytes()
        assert all(machinery._font().getlength(label) <= machinery.SIDE for label in panels(lab)), list(panels(lab))
        assert all(len(control.description) <= 14 for control in lab.controls.values())
        name, control = next((n, c) for n, c in lab.controls.items() if n in ("roll", "hide", "azimuth"))
        put(lab, **{name: control.max})
        assert len(replaced) == 1 and replaced[0].data != shown[1].data


def test_pictures_stand_in_rows_and_a_short_row_stays_white():
    levels = [-1.0, -0.5, 0.0, 0.5]
    page = Image.open(io.BytesIO(stacked({str(level): torch.full((1, 64, 64), level) for level in levels}, 3)))
    line, column = machinery.HEAD + machinery.SIDE, machinery.SIDE + machinery.GAP
    at = lambda k: page.getpixel((k % 3 * column + 200, k // 3 * line + machinery.HEAD + 200))[0]  # noqa: E731
    assert [at(k) for k in range(6)] == [0, 64, 128, 191, 255, 255] and page.height == 2 * line
