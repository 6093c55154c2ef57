"""Random views and light: landmarks move along, and sharpness stays."""

import torch

from facelab.data.augment import random_frames, random_light, random_view, repeat_edges
from facelab.occlude.face import fill
from facelab.seeding import generator


def test_view_moves_landmarks_with_the_picture():
    """A bright dot at a landmark must be found again at the moved landmark."""
    size, random = 64, generator(0, "view")
    images, points = torch.full((16, 1, size, size), -1.0), torch.zeros(16, 68, 2)
    for i in range(16):
        x, y = 20 + i, 40 - i
        images[i, 0, y - 1 : y + 2, x - 1 : x + 2] = 1
        points[i] = torch.tensor([x, y], dtype=torch.float)
    moved, marks = random_view(images, points, random)
    for i in range(16):
        weight = (moved[i, 0] + 1).clamp(min=0)
        ys, xs = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        centre = torch.stack([(weight * xs).sum(), (weight * ys).sum()]) / weight.sum()
        torch.testing.assert_close(marks[i, 0], centre, atol=0.75, rtol=0)


def test_a_mirrored_face_keeps_its_left_eye_on_the_left():
    """Worn things are turned by the eyes: with old numbering on a mirrored face they would hang upside down."""
    _, moved = random_view(torch.zeros(32, 1, 64, 64), fill(None, 32, 64), generator(0, "m"), flip=1.0)
    assert (moved[:, 36:42, 0].mean(1) < moved[:, 42:48, 0].mean(1)).all()
    assert (moved[:, 36:48, 1].mean(1) < moved[:, 48:68, 1].mean(1)).all()


def test_without_movement_a_picture_is_itself_or_its_mirror_image():
    images = torch.rand(16, 3, 32, 32, generator=generator(0, "still")) * 2 - 1
    out, points = random_view(images, fill(None, 16, 32), generator(1, "still"), shift=0.0, scale=0.0, degrees=0.0)
    same = (out - images).abs().flatten(1).amax(1) < 1e-4
    mirrored = (out - images.flip(-1)).abs().flatten(1).amax(1) < 1e-4
    assert (same ^ mirrored).all() and 0 < same.sum() < 16
    torch.testing.assert_close(points[same], fill(None, 16, 32)[same], atol=1e-3, rtol=0)


def test_a_moved_picture_keeps_most_of_its_detail():
    """Read bilinearly, a turned picture loses a third of its gradient energy, and networks learn to paint so."""
    images = torch.nn.functional.avg_pool2d(torch.rand(8, 1, 66, 66, generator=generator(0, "detail")), 3, 1) * 4 - 2
    energy = lambda x: (x.diff(dim=-1)[..., :-1, :].square() + x.diff(dim=-2)[..., :-1].square()).mean()  # noqa: E731
    moved, _ = random_view(images, None, generator(1, "detail"), shift=0.05, scale=0.0, degrees=8.0)
    assert 0.75 < energy(moved) / energy(images) < 1.05


def test_no_overshoot_leaves_the_range():
    squares = (torch.arange(32) // 4 % 2 * 2.0 - 1).expand(4, 1, 32, 32)
    out, _ = random_view(squares, None, generator(0, "over"))
    assert out.min() >= -1 and out.max() <= 1


def test_light_changes_every_picture_and_stays_in_range():
    images = torch.rand(8, 3, 8, 8, generator=generator(0, "l")) * 2 - 1
    out = random_light(images, generator(1, "l"), 0.4)
    assert out.min() >= -1 and out.max() <= 1
    assert ((out - images).abs().flatten(1).amax(1) > 0.01).all()


def test_beyond_the_photographs_edge_its_last_pixels_are_repeated():
    images = torch.rand(2, 3, 6, 8, generator=generator(0, "edge"))
    frames = torch.tensor([[0, 5, 0, 7], [1, 4, 2, 6]])
    out = repeat_edges(images, frames)
    assert torch.equal(out[0], images[0]), "a frame as large as the picture changes nothing"
    assert torch.equal(out[1, :, 1:5, 2:7], images[1, :, 1:5, 2:7])
    assert torch.equal(out[1, :, 0, 2:7], images[1, :, 1, 2:7]) and torch.equal(out[1, :, 5], out[1, :, 4])
    assert torch.equal(out[1, :, 1:5, 0], images[1, :, 1:5, 2]) and torch.equal(out[1, :, :, 7], out[1, :, :, 6])


def test_frames_keep_the_middle_and_come_as_often_as_asked():
    frames = random_frames(400, (60, 80), generator(0, "frames"), 0.5)
    assert (frames[:, 0] <= 21).all() and (frames[:, 1] >= 59 - 21).all()
    assert (frames[:, 2] <= 28).all() and (frames[:, 3] >= 79 - 28).all()
    cut = (frames != torch.tensor([0, 59, 0, 79])).any(1).float().mean()
    assert 0.3 < cut < 0.5
    whole = random_frames(20, (60, 80), generator(0, "frames"), 0.0)
    assert (whole == torch.tensor([0, 59, 0, 79])).all()
