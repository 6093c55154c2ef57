"""Photographs made near infrared: known skins come back, pigments fade, light is new, and nothing breaks it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from facelab.images import to_channels
from facelab.synth import Light, View, infrared_photo, person
from facelab.synth.infrared_photo import _usual, decode, pigments, simulate_nir
from facelab.synth.infrared_shape import guided, shape_of
from facelab.synth.part import LABELS
from facelab.synth.render import render
from facelab.synth.shade import EXPOSURE, encode
from facelab.synth.spectra import HAIR, MELANIN, skin

SIZE = 64
ACTIVE = Light(elevation=5.0, strength=0.95, ambient=0.05)
"""A lamp at the camera: what the simulation's lamp is."""


@pytest.fixture(scope="module")
def face():
    """A rendered picture stands for a photograph: its landmarks are exact."""
    return render(5, View(backdrop=3), SIZE)


def relit(image, factor):
    """A photograph whose linear light is multiplied; it stays below white, where cameras clip."""
    linear = decode((image.double().numpy() + 1) / 2) * 0.5 * factor
    return torch.from_numpy(encode(linear / EXPOSURE)).float() * 2 - 1


def cheeks(face, size=SIZE):
    """(S, S) True on the face's skin."""
    shape = shape_of(face.landmarks, size)
    return (shape.face > 0.9) & (shape.features < 0.1)


def luminance(image):
    """Linear light (S, S)."""
    linear = decode((image.double().numpy() + 1) / 2)
    return linear[0] if len(linear) == 1 else np.tensordot([0.2126, 0.7152, 0.0722], linear, 1)


def alike(a, b, where):
    return float(np.corrcoef(np.asarray(a)[where], np.asarray(b)[where])[0, 1])


Y, X = np.mgrid[:SIZE, :SIZE] / (SIZE - 1) * 2 - 1


@pytest.mark.parametrize("melanin, blood", [(0.0, 0.0), (0.1, 0.8), (0.5, 0.3), (1.0, 0.1)])
def test_a_known_skin_in_a_known_light_is_recovered(melanin, blood):
    known, shading = skin(melanin, blood), np.exp(0.5 * X)
    logs = np.log(known[:3, None, None] * shading)
    found = pigments(logs)
    assert np.allclose(found, [0.5 * X, np.full_like(X, melanin), np.full_like(X, blood)])
    assert np.allclose(skin(found[1], found[2])[..., 3], known[3])
    yellow = pigments(logs + np.array([0.10, 0.0, -0.15])[:, None, None])
    assert abs(yellow[1].mean() - melanin) > 0.3, "a lamp's colour is read as melanin where it is not taken out"


def test_a_coloured_lamp_is_not_read_as_melanin():
    lamp, logs = np.array([0.09, 0.0, -0.14]), np.log(skin(0.3, 0.35)[:3])
    naive = pigments(logs + lamp)[1] - 0.3
    amounts, cast = _usual(logs + lamp, grey=False)
    assert abs(amounts[0] - 0.3) < 0.5 * abs(naive)
    assert np.corrcoef(cast, lamp - lamp.mean())[0, 1] > 0.9 and abs(cast.mean()) < 1e-9
    assert np.allclose(_usual(logs, grey=False)[0], (0.3, 0.35)), "skin as usual in white light stays as it is"


def test_skins_that_differ_in_melanin_come_out_nearly_alike():
    pale, dark = (render(dataclasses.replace(person(5), melanin=amount), size=SIZE) for amount in (0.05, 0.85))
    where = cheeks(pale)
    level = lambda image: float(to_channels(image, 1)[0].numpy()[where].mean()) / 2  # noqa: E731
    seen = level(pale.image) - level(dark.image)
    left = level(simulate_nir(pale.image, pale.landmarks)) - level(simulate_nir(dark.image, dark.landmarks))
    assert seen > 0.2 and 0.01 < left < 0.35 * seen, (seen, left)


def test_a_darker_patch_fades_where_its_colour_is_melanins(face):
    middle = face.landmarks[[2, 31, 41]].mean(0).numpy()
    at = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE))) - middle[:, None, None]
    patch = np.exp(-(((at**2).sum(0) / 20) ** 2))
    freckle = np.exp(-0.3 * MELANIN[:3, None, None] * patch)
    drop = float(np.log(luminance(relit(face.image, freckle)) / luminance(relit(face.image, 1.0)))[patch > 0.8].mean())
    soot = np.exp(drop * patch)
    before = luminance(simulate_nir(relit(face.image, 1.0), face.landmarks))
    after = [luminance(simulate_nir(relit(face.image, change), face.landmarks)) for change in (freckle, soot)]
    left = [float(np.log(to / before)[patch > 0.8].mean()) for to in after]
    assert drop < -0.5 and abs(left[0]) < 0.4 * abs(drop), (drop, left)
    assert left[1] < left[0] - 0.08, "what is as dark but grey stays darker: the colour decides, not the luminance"


def change_of(face, side):
    """How much a side light changes luminance, and the simulation; logarithms on the cheeks, their means taken out."""
    where = cheeks(face)
    lit = [relit(face.image, np.exp(side * X)) for side in (0.0, side)]
    off = [np.log(luminance(to)[where] / luminance(of)[where]) for of, to in (
        lit, [simulate_nir(image, face.landmarks) for image in lit])]  # fmt: skip
    return [float((change - change.mean()).std()) for change in off]


@pytest.mark.parametrize("side", [-0.6, 0.6])
def test_side_light_is_taken_out(face, side, monkeypatch):
    seen, left = change_of(face, side)
    assert seen > 0.15 and left < 0.3 * seen, (seen, left)
    monkeypatch.setattr(infrared_photo, "_visible", lambda shading, shape: np.full_like(shading, np.median(shading)))
    monkeypatch.setattr(infrared_photo, "_uneven", lambda left, shape: 0.0)
    assert change_of(face, side)[1] > 2 * left, "without looking for it, it stays"


def test_light_falls_from_the_camera_on_the_face(face):
    flat = torch.full((3, SIZE, SIZE), 0.2) + torch.tensor([0.2, 0.0, -0.2])[:, None, None]
    out = simulate_nir(flat, face.landmarks)[0]
    assert flat.std(dim=(1, 2)).max() == 0 and out.std() > 0.1, "one colour becomes many: it is no function of colour"
    nose, jaw = face.landmarks[30].round().long(), face.landmarks[3].round().long()
    assert out[nose[1], nose[0]] > out[jaw[1], jaw[0]] + 0.05 > out[:6, :6].mean() + 0.3
    assert alike(out, out.flip(1), cheeks(face)) > 0.5


def test_cheeks_are_exposed_and_the_background_is_dark(face):
    for backdrop in (0, 3, 4):
        seen = render(5, View(backdrop=backdrop), SIZE)
        out = (simulate_nir(seen.image, seen.landmarks)[0].numpy() + 1) / 2
        behind = (seen.labels == LABELS.index("background")).numpy()
        assert 0.48 < np.median(out[cheeks(seen)]) < 0.62
        assert np.median(out[behind]) < 0.32 and np.median(out[behind]) < 0.6 * np.median(out[cheeks(seen)])


@pytest.mark.parametrize("name", ["black", "dark brown", "brown", "light brown"])
def test_hair_grows_as_light_as_its_spectrum_says(name):
    luma = np.array([0.2126, 0.7152, 0.0722])
    hair, usual = np.array(HAIR[name]), skin(0.3, 0.35)
    ratio = np.exp(np.interp(np.log(luma @ hair[:3] / (luma @ usual[:3])), *infrared_photo._TONES))
    assert ratio == pytest.approx(hair[3] / usual[3]) and ratio > 1.3 * (luma @ hair[:3]) / (luma @ usual[:3])
    assert (np.diff(infrared_photo._TONES) > 0).all(), "what is lighter stays lighter"


def test_hair_and_lips_come_nearer_to_skin(face):
    out, where = luminance(simulate_nir(face.image, face.landmarks)), cheeks(face)
    black = render(dataclasses.replace(person(5), hair=np.array(HAIR["black"])), View(backdrop=3), SIZE)
    dark = luminance(simulate_nir(black.image, black.landmarks))
    for before, after, label, seen in (
        (luminance(black.image), dark, "hair", black),
        (luminance(face.image), out, "lips", face),
    ):
        part = (seen.labels == LABELS.index(label)).numpy()
        ratio = [np.median(of[part]) / np.median(of[where]) for of in (before, after)]
        assert part.sum() > 10 and ratio[0] + 0.05 < ratio[1] < 1.05, (label, ratio)


@pytest.mark.parametrize("light", [Light(), Light(azimuth=-40, elevation=20, ambient=0.35), Light(azimuth=60)])
def test_it_resembles_the_true_rendering_under_a_lamp_at_the_camera(light):
    found, plain, others = [], [], []
    truths = [render(number, View(light=ACTIVE), SIZE).nir[0].numpy() for number in range(1, 9)]
    for place, number in enumerate(range(1, 9)):
        seen = render(number, View(light=light, backdrop=number), SIZE)
        where = shape_of(seen.landmarks, SIZE).face > 0.5
        made = simulate_nir(seen.image, seen.landmarks)[0]
        found.append(alike(made, truths[place], where))
        plain.append(alike(to_channels(seen.image, 1)[0], truths[place], where))
        others.append(alike(made, truths[place - 1], where))
    assert np.mean(found) > 0.7 and np.mean(found) > np.mean(plain) + 0.04, (np.mean(found), np.mean(plain))
    assert np.mean(found) > np.mean(others) + 0.15, "not any face will do"


def test_the_same_photograph_gives_the_same_bits_and_another_other_noise(face):
    kept = face.image.clone()
    first, again = (simulate_nir(face.image, face.landmarks) for _ in range(2))
    assert torch.equal(first, again) and torch.equal(face.image, kept)
    assert first.shape == (1, SIZE, SIZE) and first.dtype == torch.float32 and first.abs().max() <= 1
    other = face.image.clone()
    other[0, 0, 0] += 1e-3
    apart = simulate_nir(other, face.landmarks) - first
    assert 0.005 < apart.std() < 0.05, "as much as noise"


def test_a_black_and_white_photograph_keeps_its_face_and_gets_the_lamp(face):
    grey = to_channels(face.image, 1).expand(3, -1, -1)
    out, colour = (simulate_nir(image, face.landmarks)[0] for image in (grey, face.image))
    assert alike(out, colour, shape_of(face.landmarks, SIZE).face > 0.5) > 0.85
    assert 0.48 < np.median((out.numpy()[cheeks(face)] + 1) / 2) < 0.62 and out[:6, :6].mean() < -0.4


@pytest.mark.parametrize("light", ["black", "white", "noise", "red", "dim"])
def test_any_picture_stays_in_range(face, light):
    noise = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    red = torch.tensor([1.0, -1.0, -1.0])[:, None, None].expand(3, SIZE, SIZE)
    pictures = {
        "black": noise * 0 - 1,
        "white": noise * 0 + 1,
        "noise": noise,
        "red": red,
        "dim": face.image * 0.1 - 0.9,
    }
    out = simulate_nir(pictures[light], face.landmarks)
    assert torch.isfinite(out).all() and out.abs().max() <= 1 and out.std() > 0.05


@pytest.mark.parametrize("shift", [(-40, 0), (40, 30), (0, -38), (-38, -30)])
def test_faces_at_the_border_and_beyond_stay_in_range(face, shift):
    out = simulate_nir(face.image.roll(shift[::-1], (1, 2)), face.landmarks + torch.tensor(shift))
    assert torch.isfinite(out).all() and out.abs().max() <= 1


def test_what_cannot_be_simulated_is_refused(face):
    lost = face.landmarks.clone()
    lost[3] = float("nan")
    for points in (lost, torch.zeros(68, 2)):
        with pytest.raises(ValueError, match="68 finite landmarks"):
            simulate_nir(face.image, points)
    with pytest.raises(ValueError, match="outside the picture"):
        simulate_nir(face.image, face.landmarks + 200)
    for image in (face.image[:1], face.image[:, :40], face.image[None]):
        with pytest.raises(ValueError, match="is needed"):
            simulate_nir(image, face.landmarks)


def test_guided_smoothing_keeps_edges_of_the_guide():
    random = np.random.default_rng(0)
    step = (X > 0).astype(float)
    noisy = step + 0.2 * random.standard_normal(step.shape)
    smooth, blind = guided(step, noisy, 4, 1e-3), guided(step * 0, noisy, 4, 1e-3)
    assert np.abs(smooth - step).mean() < 0.25 * np.abs(noisy - step).mean()
    edge = np.abs(X) < 0.1
    assert np.abs(blind - step)[edge].mean() > 3 * np.abs(smooth - step)[edge].mean(), "an even guide has no edges"
