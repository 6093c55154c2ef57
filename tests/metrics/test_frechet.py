"""Fréchet distance against closed forms."""

import pytest
import torch
from scipy.linalg import sqrtm

from facelab import seeding
from facelab.metrics.frechet import frechet


def features(rows, dims, name="a"):
    return torch.randn(rows, dims, generator=seeding.generator(0, name), dtype=torch.float64)


def whitened(rows, dims, name="a"):
    """Features whose sample mean is 0 and whose sample covariance is exactly the identity."""
    x = features(rows, dims, name)
    x = x - x.mean(0)
    return torch.linalg.qr(x).Q * (rows - 1) ** 0.5


@pytest.mark.parametrize("rows, dims", [(40, 5), (5, 40)])
def test_identical_sets_are_at_distance_zero(rows, dims):
    a = features(rows, dims)
    assert frechet(a, a) == 0
    assert frechet(a, a[torch.randperm(rows, generator=seeding.generator(1))]) < 1e-9


@pytest.mark.parametrize("rows", [60, 4])
def test_a_shift_counts_squared(rows):
    a = features(rows, 6)
    assert frechet(a, a + torch.arange(6)) == pytest.approx(sum(i * i for i in range(6)), rel=1e-9)


def test_diagonal_gaussians():
    # tr(S + T - 2 (ST)^½) = Σ (σ - τ)² for diagonal S and T
    sigma, tau = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 0.5])
    a, b = whitened(50, 3) * sigma, whitened(70, 3, "b") * tau
    assert frechet(a, b) == pytest.approx(float((sigma - tau).square().sum()), rel=1e-6)


def test_general_gaussians_against_the_matrix_square_root():
    a, b = features(80, 6) @ features(6, 6, "mix"), features(50, 6, "b") @ features(6, 6, "mix2") + 1
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    root = torch.from_numpy(sqrtm((cov_a @ cov_b).numpy()).real)
    expected = (a.mean(0) - b.mean(0)).square().sum() + torch.trace(cov_a + cov_b - 2 * root)
    assert frechet(a, b) == pytest.approx(float(expected), rel=1e-8)
    assert frechet(b, a) == pytest.approx(frechet(a, b), rel=1e-10)


def test_unusable_sets_are_refused():
    a = features(10, 4)
    with pytest.raises(ValueError, match="N ≥ 2"):
        frechet(a[:1], a)
    with pytest.raises(ValueError, match="4 and 3"):
        frechet(a, a[:, :3])
    with pytest.raises(ValueError, match="not finite"):
        frechet(a * torch.nan, a)
