"""Textures, colours, outlines and photographs: the parts an occluder is made of."""

import subprocess
import sys

import pytest
import torch

from facelab.occlude import geometry as g
from facelab.occlude.chance import Draws, hashed
from facelab.occlude.colour import SCHEMES, hsv, palettes
from facelab.occlude.photographs import PHOTOGRAPHS, folder, photographs
from facelab.occlude.surface import sample_surface
from facelab.occlude.texture import FAMILY_NAMES, fractal, paint

HASHED = [[0.6155931, 0.8256948, 0.0021337, 0.8122771], [0.331475, 0.6019865, 0.1160191, 0.8120157]]


def draws(count, seed=0):
    return Draws(torch.Generator().manual_seed(seed), count)


def test_hashed_numbers_are_the_same_everywhere():
    expected = hashed(torch.tensor([7, 123456]), 3, 4)
    alone = hashed(torch.tensor([123456]), 3, 4)
    assert torch.equal(expected[1:], alone), "a sample's numbers must not depend on its batch"
    torch.testing.assert_close(expected, torch.tensor(HASHED))


def test_hashed_numbers_are_uniform():
    many = hashed(torch.arange(200), 1, 500)
    assert abs(float(many.mean()) - 0.5) < 0.005 and abs(float(many.var()) - 1 / 12) < 0.002
    assert abs(float(torch.corrcoef(many[:2])[0, 1])) < 0.15


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_paints_and_depends_on_the_seed(family):
    surface = sample_surface(draws(6), (family,))
    tiles = paint(surface, 48)
    assert tiles.shape == (6, 3, 48, 48) and tiles.min() >= 0 and tiles.max() <= 1 and torch.isfinite(tiles).all()
    other = paint(surface | {"seed": surface["seed"] + 1}, 48)
    assert (tiles - other).abs().amax((1, 2, 3)).gt(0).all()


def test_fractal_noise_fills_its_range_and_gets_rougher():
    seed = torch.arange(10)
    smooth, rough = (fractal(seed, (1,), 64, torch.full((10, 1), value))[:, 0] for value in (0.2, 0.9))
    assert smooth.amin() >= 0 and smooth.amax() <= 1 + 1e-6

    def slope(field):
        return (field[:, :, 1:] - field[:, :, :-1]).abs().mean()

    assert slope(rough) > 2 * slope(smooth)


def test_hsv_against_the_standard_library():
    import colorsys

    values = torch.rand(20, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.tensor([colorsys.hsv_to_rgb(*row) for row in values.tolist()])
    torch.testing.assert_close(hsv(*values.T), expected, atol=1e-5, rtol=0)


def test_palettes_keep_to_their_scheme():
    grey, dark, light = (palettes(draws(200), (name,), (0.05,)) for name in ("grey", "dark", "light"))
    assert (grey.amax(-1) - grey.amin(-1)).max() < 1e-6
    assert dark.mean() < 0.25 < 0.7 < light.mean()
    skin = palettes(draws(200), ("skin",), (0.05,)).mean(1)
    assert (skin[:, 0] > skin[:, 2]).float().mean() > 0.95
    assert len(SCHEMES) == 8


def test_signed_distances_against_closed_forms():
    params = {k: torch.tensor([v]) for k, v in dict(x=32.0, y=32.0, width=20.0, height=10.0, angle=0.0).items()}
    p, q = g.local(params, (64, 64))
    hw, hh = g.halves(params)
    box = g.box(p, q, hw, hh)
    assert float(box[0, 32, 32]) == pytest.approx(-5, abs=1e-3) and float(box[0, 32, 50]) == pytest.approx(8, abs=1e-3)
    assert float(box[0, 41, 45]) == pytest.approx(5.0, abs=1e-3)  # 3-4-5 from the corner
    circle = g.oval(p, q, hw, hw)
    assert float(circle[0, 32, 47]) == pytest.approx(5, abs=0.02)
    square = torch.tensor([[[-10.0, -5.0], [10.0, -5.0], [10.0, 5.0], [-10.0, 5.0]]])
    inner, box = g.polygon(p, q, square)[:, :-1, :-1], box[:, :-1, :-1]  # the last row repeats its neighbour
    away = box.abs() > 2
    assert (torch.sign(inner) == torch.sign(box))[away].all()
    torch.testing.assert_close(inner[away], box[away], atol=0.6, rtol=0)


def test_turning_is_clockwise_on_the_screen():
    params = {k: torch.tensor([v]) for k, v in dict(x=0.0, y=0.0, angle=90.0).items()}
    p, q = g.local(params, (8, 8))
    assert float(p[0, 5, 0]) == pytest.approx(5, abs=1e-4) and float(q[0, 0, 5]) == pytest.approx(-5, abs=1e-4)


def test_cover_is_one_inside_and_half_on_the_line():
    edge = g.cover(torch.tensor([-3.0, 0.0, 3.0]))
    assert edge.tolist() == [1.0, 0.5, 0.0]


def test_photographs_are_found_without_importing_scikit_image():
    code = (
        "import sys; from facelab.occlude.photographs import photographs; photographs();"
        " sys.exit('skimage' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all((folder() / name).is_file() for name in PHOTOGRAPHS)
    assert all(p.shape[0] == 3 and p.min() >= 0 and p.max() <= 1 and p.std() > 0.02 for p in photographs())
