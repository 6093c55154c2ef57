"""Irregular holes: as large as asked for, at the border or not, the same for the same seed."""

import pytest
import torch

from facelab.errors import BadConfig
from facelab.occlude.irregular import BUCKETS, MARGIN, irregular_holes
from facelab.seeding import generator


def rim(holes, width=1):
    inside = torch.zeros_like(holes)
    inside[..., width:-width, width:-width] = 1
    return (holes * (1 - inside)).amax((1, 2, 3))


@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize("size", [64, (48, 80)])
def test_the_hidden_share_lies_in_its_bucket(bucket, size):
    holes = irregular_holes(24, generator(0, "x"), size, bucket)
    assert holes.shape[1:] == (1, *((size, size) if isinstance(size, int) else size))
    assert set(holes.unique().tolist()) <= {0.0, 1.0}
    share, slack = holes.mean((1, 2, 3)), 1 / holes[0].numel()
    assert (share >= bucket[0] - slack).all() and (share <= bucket[1] + slack).all()
    assert share.std() > 0.01, "drawn evenly from the bucket"


def test_shares_can_be_named_one_by_one():
    wanted = torch.tensor([0.0, 0.01, 0.25, 0.5, 0.75])
    found = irregular_holes(5, generator(0, "x"), 100, wanted).mean((1, 2, 3))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    assert len(irregular_holes(0, generator(0, "x"), 32)) == 0
    for bad in ((0.2, 0.8), (-0.1, 0.3)):
        with pytest.raises(BadConfig, match="0.75"):
            irregular_holes(64, generator(0, "x"), 32, bad)


def test_the_border_is_touched_or_not_as_asked():
    draw = lambda border: irregular_holes(64, generator(0, "b"), 96, (0.02, 0.5), border)  # noqa: E731
    assert rim(draw(True)).min() == 1
    assert rim(draw(False), int(MARGIN * 96)).max() == 0
    assert 0.3 < rim(draw(None)).mean() < 0.7
    small = irregular_holes(200, generator(0, "small"), 128, (0.001, 0.003), True)
    assert rim(small).min() == 1, "however small"
    with pytest.raises(BadConfig, match="border"):
        irregular_holes(2, generator(0, "b"), 25, torch.tensor([0.1, 0.75]), False)
    with pytest.raises(BadConfig, match="one a hole"):
        irregular_holes(3, generator(0, "b"), 25, torch.tensor([0.1, 0.2]))
    assert rim(irregular_holes(8, generator(0, "b"), 25, torch.full((8,), 0.75))).min() == 1


def test_one_seed_one_hole():
    draw = lambda seed: irregular_holes(6, generator(seed, "x"), 64)  # noqa: E731
    assert torch.equal(draw(0), draw(0)) and not torch.equal(draw(0), draw(1))
    assert (draw(0)[0] - draw(0)[1]).abs().mean() > 0.01


def test_holes_are_patches_and_not_noise():
    """A hidden pixel has hidden neighbours; strokes are longer than wide."""
    holes = irregular_holes(64, generator(0, "x"), 96, (0.1, 0.3))
    alike = (holes[..., 1:] == holes[..., :-1]).float().mean()
    assert alike > 0.93
    eroded = -torch.nn.functional.max_pool2d(-holes, 13, 1, 6)
    assert 0.02 < (eroded.sum() / holes.sum()) < 0.5, "some is further than 6 pixels from what is visible, most is not"
