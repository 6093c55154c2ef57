"""Critics return logits, never probabilities: the losses do the squashing."""

import pytest
import torch

from facelab.nets.oagan import OAGANDiscriminator
from facelab.seeding import generator


@pytest.mark.parametrize("factor", [-3.0, 1000.0])
def test_the_score_is_linear_in_its_last_layer(factor):
    critic = OAGANDiscriminator(channels=1, width=4, downs=3, size=32)
    picture = torch.randn(2, 1, 32, 32, generator=generator(0, "logits"))
    with torch.no_grad():
        before = critic(picture)
        critic.score.weight.mul_(factor)
        torch.testing.assert_close(critic(picture), factor * before, rtol=1e-4, atol=1e-4)
    assert (before < 0).any() or (factor * before < 0).any()
