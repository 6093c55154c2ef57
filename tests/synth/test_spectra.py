"""What near infrared does to a face, and that no surface sends back more light than it gets."""

from __future__ import annotations

import numpy as np

from facelab.synth import spectra
from facelab.synth.shade import backdrop, encode, sensor, shade
from facelab.synth.view import Light

RED, GREEN, BLUE, NIR = range(4)


def test_at_850_nm_all_skins_are_about_as_light():
    pale, dark = spectra.skin(0.0, 0.3), spectra.skin(1.0, 0.3)
    ratio = pale / dark
    assert ratio[NIR] < 1.6 < 8 < ratio[RED] < ratio[GREEN] < ratio[BLUE]


def test_lips_fade_at_850_nm():
    contrast = 1 - spectra.skin(0.3, 1.8) / spectra.skin(0.3, 0.3)
    assert contrast[NIR] < 0.1 < 0.4 < contrast[GREEN] and contrast[RED] < contrast[GREEN]


def test_carotene_is_yellow_and_blood_is_red():
    plain = spectra.skin(0.2, 0.3)
    yellow, flushed = spectra.skin(0.2, 0.3, 1.0) / plain, spectra.skin(0.2, 1.0) / plain
    assert yellow[BLUE] < yellow[GREEN] <= yellow[RED] == 1 and flushed[GREEN] < flushed[RED]


def test_reflectances_are_possible_and_shapes_are_kept():
    many = spectra.skin(np.linspace(0, 1.2, 12).reshape(3, 4), np.zeros((3, 4)))
    assert many.shape == (3, 4, 4) and (np.diff(many[0], axis=0) < 0).all(), "melanin darkens in every band"
    tables = (spectra.HAIR, spectra.IRIS, spectra.LENS)
    everything = [many.reshape(-1, 4), *(np.array(list(table.values())) for table in tables)]
    everything += [spectra.SCLERA[None], spectra.PUPIL[None], spectra.TEETH[None], spectra.cloth(np.ones(3))[None]]
    for values in everything:
        assert values.shape[1] == len(spectra.BANDS) and values.min() > 0 and values.max() <= 1


def test_dark_cloth_and_dark_lenses_are_light_at_850_nm():
    black = spectra.cloth(np.full(3, 0.02))
    assert black[NIR] > 10 * black[RED] and spectra.LENS["dark"][NIR] > 5 * spectra.LENS["dark"][RED]


def lit(normal, light, albedo=0.5, gloss=0.0):
    one = np.ones(1, np.float32)
    eye = np.array([0.0, 0.0, 1.0])
    return shade(np.full((1, 4), albedo), np.array([normal], np.float32), gloss * one, one, 0 * one, eye, light)[0]


def test_light_is_linear_in_albedo_and_falls_as_the_surface_turns_away():
    lamp = Light(azimuth=0, elevation=0, strength=0.6, ambient=0.0)
    assert np.allclose(lit((0, 0, 1), lamp, 0.8), 2 * lit((0, 0, 1), lamp, 0.4), rtol=1e-5)
    towards, aside, away = (lit(n, lamp) for n in ((0, 0, 1), (0.8, 0, 0.6), (0, 0, -1)))
    assert (towards > aside).all() and (aside > away).all() and np.allclose(away, 0, atol=1e-6)
    edge = lit((0.98, 0, -0.2), lamp)
    assert edge[NIR] > edge[RED] > edge[BLUE] == edge[GREEN] == 0, "red and beyond go around the edge inside skin"


def test_warm_light_is_yellow():
    warm, cold = (lit((0, 0, 1), Light(warmth=w)) for w in (1, -1))
    assert warm[RED] > warm[GREEN] > warm[BLUE] and cold[RED] < cold[GREEN] < cold[BLUE]


def test_gloss_brightens_where_the_lamp_is_mirrored():
    lamp = Light(azimuth=0, elevation=0)
    assert (lit((0, 0, 1), lamp, gloss=0.3) > lit((0, 0, 1), lamp) + 0.02).all()


def test_the_curve_is_srgbs_until_it_rolls_off():
    from facelab.synth.shade import EXPOSURE

    linear = np.array([0.0, 0.002, 0.18, 0.6]) / EXPOSURE
    assert np.allclose(encode(linear), [0, 12.92 * 0.002, 0.46136, 0.79774], atol=1e-4)
    bright = encode(np.linspace(0, 50, 1000))
    assert (np.diff(bright) >= 0).all() and bright.max() <= 1


def test_backdrops_and_cameras_have_none_for_seed_0():
    assert np.ptp(backdrop(16, 0), axis=(0, 1)).max() == 0 and np.ptp(backdrop(16, 3), axis=(0, 1)).max() > 0.01
    assert backdrop(16, 3).shape == (16, 16, 4) and (backdrop(16, 3) == backdrop(16, 3)).all()
    picture = np.full((16, 16, 4), 0.5)
    assert (sensor(picture, 0) == picture).all() and sensor(picture, 2).std() > 0.001
