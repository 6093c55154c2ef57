"""The small identifier: what its logits are, and that it can learn a batch by heart."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from facelab.nets.identifier import SCALE, CosineHead, small_identifier
from facelab.seeding import generator


def test_logits_are_scaled_cosines():
    head = CosineHead(3, 2, scale=10.0)
    with torch.no_grad():
        head.directions.copy_(torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 4.0]]))
        logits = head(torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, -1.0]]))
    torch.testing.assert_close(logits, torch.tensor([[10.0, 0.0], [0.0, -8.0]]))


def test_shapes_at_any_size_and_no_influence_of_the_company():
    torch.manual_seed(0)
    net = small_identifier(7, width=8)
    pictures = torch.rand(4, 1, 48, 48, generator=generator(0, "identifier")) * 2 - 1
    with torch.no_grad():
        logits = net(pictures)
        torch.testing.assert_close(net(pictures[2:3]), logits[2:3], atol=1e-4, rtol=1e-4)
    assert logits.shape == (4, 7) and logits.abs().max() <= SCALE * 1.0001
    assert small_identifier(5, channels=3, width=8)(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


def test_one_batch_is_learned_by_heart():
    torch.manual_seed(0)
    net, who = small_identifier(4, width=8), torch.arange(8) % 4
    pictures = torch.rand(8, 1, 64, 64, generator=generator(1, "identifier")) * 2 - 1
    opt = torch.optim.Adam(net.parameters(), 2e-3)
    losses = []
    for _ in range(30):
        opt.zero_grad()
        losses.append(F.cross_entropy(net(pictures), who))
        losses[-1].backward()
        opt.step()
    assert losses[0] > 0.5 and losses[-1] < 0.05 and torch.equal(net(pictures).argmax(1), who)
