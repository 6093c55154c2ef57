"""Places that are asked: who answers, the flow that follows, and its mirror image."""

import torch

from facelab.losses.matching import asked_cross_entropy
from facelab.nets.correspondence import Correspondence, as_plan, flow_of
from facelab.nets.frontal import FrontalNet
from facelab.nets.warping import looks, mirrored_field, places, warp
from facelab.seeding import generator, seed_all

SIDE = 8


def answers_for(match: torch.Tensor, side: int = SIDE) -> torch.Tensor:
    """Logits of somebody who knows: each question is answered at its true place, the nearest one."""
    there = match[:, :2].flatten(2).transpose(1, 2) + places(side, side).flatten(1).T
    apart = (there[:, :, None] - places(side, side).flatten(1).T).norm(dim=3)
    return -200 * apart


def shifted(by: int, side: int = SIDE) -> torch.Tensor:
    """A match in which everything is seen so many places further to the right."""
    match = torch.zeros(1, 3, side, side)
    match[:, 0], match[:, 2] = by * 2 / side, 1.0
    return match


def test_the_mean_place_of_right_answers_is_the_true_flow():
    match = shifted(2)
    flow = flow_of(answers_for(match), (SIDE, SIDE))
    torch.testing.assert_close(flow[..., :-2], match[:, :2, :, :-2], atol=1e-4, rtol=0)
    wide = flow_of(torch.zeros(1, 4 * 6, 4 * 6), (4, 6))
    (
        torch.testing.assert_close(wide + places(4, 6)[None], torch.zeros(1, 2, 4, 6)),
        "nobody knows: the middle",
    )


def test_right_answers_cost_little_and_wrong_ones_much():
    match = shifted(2)
    right = asked_cross_entropy(answers_for(match), match)
    nobody = asked_cross_entropy(torch.zeros(1, SIDE**2, SIDE**2), match)
    wrong = asked_cross_entropy(answers_for(shifted(-2)), match)
    assert right < 0.01 and wrong > nobody
    torch.testing.assert_close(nobody, torch.tensor(float(SIDE**2)).log())


def test_a_truth_between_places_is_shared_by_them():
    match = shifted(1)
    match[:, 0] *= 0.5  # half a place
    even = torch.full((1, SIDE**2, SIDE**2), -50.0)
    for asked in range(SIDE**2):
        for said in (asked, asked + 1):
            if said < SIDE**2:
                even[0, asked, said] = 0.0
    inner = match.clone()
    inner[..., -1] = 0  # the last column would look beyond the picture
    torch.testing.assert_close(asked_cross_entropy(even, inner), torch.tensor(2.0).log(), atol=1e-3, rtol=0)


def test_unknown_places_and_those_beyond_the_picture_count_nothing():
    match, answers = shifted(2), torch.randn(1, SIDE**2, SIDE**2, generator=generator(0, "q")).requires_grad_(True)
    match[:, :, 4:] = 0
    asked_cross_entropy(answers, match).backward()
    moved = answers.grad.abs().sum(2).view(SIDE, SIDE) > 0
    assert moved[:4, : SIDE - 2].all() and not moved[4:].any() and not moved[:4, SIDE - 2 :].any()
    assert asked_cross_entropy(answers, torch.zeros(1, 3, SIDE, SIDE)) == 0


def test_a_plan_from_a_flow_looks_at_the_mirror_image_from_the_other_side():
    flow = torch.rand(2, 2, SIDE, SIDE, generator=generator(1, "q")) - 0.5
    gate = torch.rand(2, 1, SIDE, SIDE, generator=generator(4, "q"))
    here, mirror = looks(as_plan(flow, gate, 2))
    torch.testing.assert_close(here.flow, flow)
    torch.testing.assert_close(here.gate, torch.sigmoid(2 * gate))
    torch.testing.assert_close(mirror.gate, here.gate.flip(-1))
    match = torch.cat([flow, torch.ones(2, 1, SIDE, SIDE)], 1)
    torch.testing.assert_close(mirror.flow, mirrored_field(match)[:, :2])
    assert len(looks(as_plan(flow, gate, 1))) == 1
    picture = torch.rand(2, 1, SIDE, SIDE, generator=generator(2, "q"))
    torch.testing.assert_close(
        warp(picture.flip(-1), mirror.flow), warp(picture, here.flow).flip(-1), atol=1e-5, rtol=0
    )


def test_questions_find_what_moves():
    """A bright spot on noise; the place in the middle asks for it. Elsewhere nobody is asked."""
    seed_all(0)
    net = Correspondence((4, 4, 4), 8, 16)
    opt = torch.optim.Adam(net.parameters(), 1e-2)

    def draw(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        random = generator(step, "spot")
        at = torch.randint(0, 16, (8, 2), generator=random)
        fine = 0.3 * torch.randn(8, 4, 16, 16, generator=random)
        match = torch.zeros(8, 3, 16, 16)
        for k, (row, column) in enumerate(at.tolist()):
            fine[k, 0, row, column] += 3.0
            match[k, :, 8, 8] = torch.tensor([(column - 8) / 8, (row - 8) / 8, 1.0])
        return fine, torch.zeros(8, 8, 4, 4), match

    finer, mid = torch.zeros(8, 4, 32, 32), torch.zeros(8, 4, 8, 8)
    for step in range(60):
        fine, deep, match = draw(step)
        opt.zero_grad()
        asked_cross_entropy(net([finer, fine, mid], deep).answers, match).backward()
        opt.step()
    fine, deep, match = draw(1000)
    flow = flow_of(net([finer, fine, mid], deep).answers, (16, 16))
    assert (flow - match[:, :2])[:, :, 8, 8].abs().max() < 0.15, "about a place"


def test_a_flow_is_made_finer_by_what_lies_around():
    """Stripes that the coarse flow misses by half a place; only the finer map knows."""
    seed_all(0)
    net = Correspondence((4, 4, 4), 8, 16)
    maps = [torch.zeros(1, 4, side, side) for side in (32, 16, 8)]
    assert net(maps, torch.zeros(1, 8, 4, 4)).gate.abs().max() == 0, "undecided"
    opt = torch.optim.Adam(net.parameters(), 3e-3)

    def draw(step: int) -> tuple[torch.Tensor, ...]:
        random = generator(step, "fine")
        by = torch.randint(-1, 2, (8,), generator=random)
        keys = torch.zeros(8, 8, 32, 32)
        columns = torch.arange(32)
        for k, shift in enumerate(by.tolist()):
            for phase in range(8):
                keys[k, phase] = ((columns - shift) % 8 == phase).float()
        wish = torch.stack([((columns % 8) == phase).float().expand(32, 32) for phase in range(8)]).expand(
            8, -1, -1, -1
        )
        return torch.zeros(8, 2, 32, 32), wish, keys, by * 2 / 32

    for step in range(80):
        flow, wish, keys, by = draw(step)
        found, _ = net.refine(flow, wish, keys)
        opt.zero_grad()
        (found[:, 0] - by[:, None, None]).abs().mean().backward()
        opt.step()
    flow, wish, keys, by = draw(1000)
    found, _ = net.refine(flow, wish, keys)
    assert (found[:, 0] - by[:, None, None]).abs().mean() < 0.3 * by.abs().mean()


def test_answers_come_with_a_picture_of_any_size_unless_nobody_asks():
    seed_all(0)
    picture = torch.rand(1, 1, 64, 32, generator=generator(3, "q")) * 2 - 1
    painting = FrontalNet(1, 8, 1, 0, size=32).paint(picture)
    assert painting.answers.shape == (1, 128, 128) and painting.plan.shape == (1, 6, 64, 32)
    assert FrontalNet(1, 8, 1, 0, size=32, ask=False).paint(picture).answers is None
    assert FrontalNet(1, 8, 1, 0, size=32, warped=False).paint(picture)[1:] == (None, None)
