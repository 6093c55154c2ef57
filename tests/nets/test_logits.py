"""Critics return logits, never probabilities: the losses do the squashing."""

import pytest
import torch

from facelab.nets.oagan import OAGANDiscriminator
from facelab.seeding import generator, seed_all


class Squashed(OAGANDiscriminator):
    """The mistake: probabilities."""

    def forward(self, image):
        return super().forward(image).sigmoid()


def scores(kind, factor):
    """Scores (2, 1, 4, 4) of one critic, and those after its last layer was multiplied by ``factor``."""
    seed_all(0)
    critic = kind(channels=1, width=4, downs=3, size=32)
    picture = torch.randn(2, 1, 32, 32, generator=generator(0, "logits"))
    with torch.no_grad():
        before = critic(picture)
        critic.score.weight.mul_(factor)
        return before, critic(picture)


def is_linear(kind, factor):
    before, after = scores(kind, factor)
    return torch.allclose(after, factor * before, rtol=1e-4, atol=1e-4)


def leaves_0_to_1(kind):
    after = torch.cat([scores(kind, factor)[1] for factor in (-1000.0, 1000.0)])
    return bool(after.min() < 0 and after.max() > 1)


@pytest.mark.parametrize("factor", [-3.0, 1000.0])
def test_the_score_is_linear_in_its_last_layer(factor):
    assert is_linear(OAGANDiscriminator, factor) and not is_linear(Squashed, factor)


def test_scores_go_where_no_probability_can():
    assert leaves_0_to_1(OAGANDiscriminator) and not leaves_0_to_1(Squashed)
