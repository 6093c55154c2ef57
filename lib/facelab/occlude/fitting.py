"""Where a worn facemask sits: six points of a flat mask, six points of a face, and the homography between them.

Taught in: lesson 06.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from facelab.faces.landmarks import yaw
from facelab.occlude.face import measures

TURNED = 13.0  # degrees: beyond it a face counts as turned; the source's limit


def anchors(points: Tensor) -> Tensor:
    """Six places on a face that a facemask is tied to.

    Args:
        points: (N, 68, 2) landmarks, pixels, without gaps.

    Returns:
        (N, 6, 2) pixels: on the upper line the jaw at the picture's left at the height of the nose's tip, the bridge of
        the nose, the jaw at its right; below the jaw at the left at the height of the lower lip, the chin, the jaw at
        the right.

    Source: MaskTheFace, its points a to f. Heights are measured along the face's own axis, so that a tilted head has
    them, too; where a jaw does not reach up to the nose's tip its first point is taken.
    """
    face = measures(points)
    down = _down(face["roll"])
    height = (points * down[:, None]).sum(-1)
    left, right = points[:, 0:9], points[:, 8:17].flip(1)
    depth = (height[:, 0:9], height[:, 8:17].flip(1))
    out = []
    for level in (height[:, 30], height[:, 57]):  # tip of the nose, lower lip
        out.append([_at(side, along, level) for side, along in zip((left, right), depth, strict=True)])
    (a, c), (f, d) = out
    bridge = (points[:, 28] + points[:, 29]) / 2
    return torch.stack([a, bridge, c, f, points[:, 8], d], 1)


def _down(roll: Tensor) -> Tensor:
    """(N, 2): the direction from the eyes to the chin, from the roll in degrees."""
    turn = torch.deg2rad(roll)
    return torch.stack([-torch.sin(turn), torch.cos(turn)], -1)


def _at(side: Tensor, along: Tensor, level: Tensor) -> Tensor:
    """Where a polyline (N, K, 2), whose heights ``along`` (N, K) grow, crosses a level (N,); its ends at most."""
    along = along.cummax(1).values
    after = torch.searchsorted(along.contiguous(), level[:, None].contiguous()).clamp(1, along.shape[1] - 1)
    before = after - 1
    low, high = along.gather(1, before), along.gather(1, after)
    share = ((level[:, None] - low) / (high - low).clamp(min=1e-6)).clamp(0, 1)
    pick = lambda index: side.gather(1, index[..., None].expand(-1, -1, 2))[:, 0]  # noqa: E731
    return torch.lerp(pick(before), pick(after), share)


def pose(points: Tensor) -> Tensor:
    """Which of the three pose ranges each face is in.

    Args:
        points: (N, 68, 2) landmarks, pixels.

    Returns:
        (N,) -1 turned to the image's left, 0 frontal, 1 turned to its right.
    """
    angle = yaw(points)
    return (angle > TURNED).long() - (angle < -TURNED).long()


def upright(on_face: Tensor) -> Tensor:
    """The six places a mask would have that is only moved to the face and scaled: the source's first version.

    Args:
        on_face: (N, 6, 2) of :func:`anchors`, pixels.

    Returns:
        (N, 6, 2): the face's own widths and heights, symmetric and never turned. Of a face that looks straight into the
        camera with its head upright they are the very places of :func:`anchors`.
    """
    a, bridge, c, f, chin, d = on_face.unbind(1)
    side = lambda one, other: torch.stack([(other - one).norm(dim=-1) / 2, torch.zeros_like(one[:, 0])], -1)  # noqa: E731
    below = lambda place: torch.stack([torch.zeros_like(place[:, 0]), (place - bridge).norm(dim=-1)], -1)  # noqa: E731
    tall, upper, lower = below(chin), below((a + c) / 2), below((f + d) / 2)
    top, wide, narrow = (bridge + chin) / 2 - 0.5 * tall, side(a, c), side(f, d)
    return torch.stack([top + upper - wide, top, top + upper + wide, top + lower - narrow, top + tall,
                        top + lower + narrow], 1)  # fmt: skip


def slipped(on_face: Tensor, offset: float, tilt: float) -> Tensor:
    """The same places after the mask has slipped and turned.

    Args:
        on_face: (N, 6, 2) pixels.
        offset: in heights of the mask, positive = towards the chin.
        tilt: degrees about the middle, positive = clockwise.
    """
    if not offset and not tilt:
        return on_face
    turn = math.radians(tilt)
    spin = on_face.new_tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    middle = on_face.mean(1, keepdim=True)
    down = on_face[:, 4:5] - on_face[:, 1:2]
    return (on_face - middle) @ spin + middle + offset * down


def shifted(matrix: Tensor, by: Tensor) -> Tensor:
    """Homographies into pictures whose origin has moved.

    Args:
        matrix: (N, 3, 3). by: (N, 2) pixels, x and y, that every point arrives further.

    Returns:
        (N, 3, 3).
    """
    move = torch.eye(3).repeat(len(matrix), 1, 1)
    move[:, :2, 2] = by
    return move @ matrix


def homography(source: Tensor, target: Tensor) -> Tensor:
    """The projective map that brings points nearest to points, by the normalised direct linear transform.

    Args:
        source, target: (N, K, 2), K at least 4.

    Returns:
        (N, 3, 3), its last entry 1: ``target ~ H @ source`` in homogeneous coordinates.

    Raises:
        ValueError: fewer than four points, or two sets of different size.

    Source: Hartley & Zisserman 2004, algorithm 4.2, with the last entry fixed to 1.
    """
    if source.shape != target.shape or source.shape[1] < 4:
        raise ValueError(f"at least four points on both sides are needed, not {source.shape[1]} and {target.shape[1]}")
    from_source, source = _normalised(source.double())
    from_target, target = _normalised(target.double())
    (x, y), (u, v) = source.unbind(-1), target.unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows_u = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    rows_v = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    found = torch.linalg.lstsq(torch.cat([rows_u, rows_v], 1), torch.cat([u, v], 1)[..., None]).solution[..., 0]
    inner = torch.cat([found, found.new_ones(len(found), 1)], 1).view(-1, 3, 3)
    whole = torch.linalg.inv(from_target) @ inner @ from_source
    return (whole / whole[:, 2:, 2:]).float()


def _normalised(points: Tensor) -> tuple[Tensor, Tensor]:
    """The similarity (N, 3, 3) that centres points and makes their mean distance √2, and the points so moved."""
    centre = points.mean(1, keepdim=True)
    scale = 2**0.5 / (points - centre).norm(dim=-1).mean(1).clamp(min=1e-6)
    matrix = torch.eye(3, dtype=points.dtype).repeat(len(points), 1, 1)
    matrix[:, 0, 0] = matrix[:, 1, 1] = scale
    matrix[:, :2, 2] = -scale[:, None] * centre[:, 0]
    return matrix, (points - centre) * scale[:, None, None]


def project(matrix: Tensor, points: Tensor) -> Tensor:
    """Apply homographies to points.

    Args:
        matrix: (N, 3, 3). points: (N, ..., 2), x and y.

    Returns:
        (N, ..., 2), where each point arrives.
    """
    flat = points.flatten(1, -2)
    moved = torch.cat([flat, torch.ones_like(flat[..., :1])], -1) @ matrix.transpose(1, 2)
    return (moved[..., :2] / moved[..., 2:]).view_as(points)


def grid(matrix: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Coordinates on the flat mask of every pixel.

    Args:
        matrix: (N, 3, 3), mask to picture.
        size: (height, width).

    Returns:
        Two maps (N, H, W): across and down. Behind the horizon of the mask's plane they are far away (1e3).
    """
    back = torch.linalg.inv(matrix.double())
    middle = matrix.double() @ matrix.new_tensor([0.0, 0.5, 1.0]).double()
    ahead = (back[:, 2] * middle / middle[:, 2:]).sum(1)  # depth of the mask's middle: 1 by convention
    back = (back / ahead.view(-1, 1, 1)).float()
    y = torch.arange(size[0], dtype=torch.float32).view(1, -1, 1)
    x = torch.arange(size[1], dtype=torch.float32).view(1, 1, -1)
    row = lambda k: (back[:, k, 0, None, None] * x + back[:, k, 2, None, None]) + back[:, k, 1, None, None] * y  # noqa: E731
    depth = row(2)
    behind = depth <= 1e-3
    closer = depth.clamp_(min=1e-3).reciprocal_()
    maps = row(0).mul_(closer), row(1).mul_(closer)
    if bool(behind.any()):
        maps = tuple(one.masked_fill_(behind, 1e3) for one in maps)
    return maps
