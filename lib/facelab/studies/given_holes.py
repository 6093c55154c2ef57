"""Holes that a user brings along: what is read, what is refused, what is said of one that is hardly meant."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from facelab import images
from facelab.errors import BadImage
from facelab.restoration import HIDDEN_LIMIT, border_share, is_two_valued


def read_given_hole(folder: Path, picture: Path, size: tuple[int, int], invert: bool) -> Tensor:
    """The hole given for a picture, (1, H, W), 1 = hidden.

    Args:
        folder: of the holes; ``a.png`` belongs to ``a.jpg``.
        picture: the picture's file.
        size: its height and width, pixels.
        invert: black is hidden.

    Raises:
        BadImage: missing, of another size, not two-valued, or hiding more than 75 % of the picture.
    """
    path = folder / f"{picture.stem}.png"
    if not path.is_file():
        raise BadImage(path, f"no such file; put the hole of {picture.name} there, of its size, white = hidden")
    hole = images.load_hole(path)
    if tuple(hole.shape[-2:]) != size:
        raise BadImage(path, f"is {hole.shape[-1]}×{hole.shape[-2]}, its picture {size[1]}×{size[0]}; resize the hole")
    if not is_two_valued(hole):
        raise BadImage(path, "is not black and white; save the hole as PNG without grey, white = hidden")
    hole = 1 - hole if invert else hole
    if (share := hole.mean().item()) > HIDDEN_LIMIT:
        raise BadImage(path, f"hides {share:.0%} of the picture (limit {HIDDEN_LIMIT:.0%}); {_turned(invert)}")
    return (hole > 0.5).float()


def _turned(invert: bool) -> str:
    """What to try where a hole seems to be read the wrong way round."""
    if invert:
        return "is white the hidden part? Then leave --invert-holes out"
    return "is black the hidden part? Then add --invert-holes"


def note_on_hole(hole: Tensor, invert: bool) -> dict[str, str]:
    """What is said of a hole that no limit refuses and that is hardly meant: most of the border hidden, or nothing.

    Args:
        hole: (1, H, W), 1 = hidden. invert: whether it was turned round when it was read.

    Returns:
        ``note`` and a sentence, or nothing.
    """
    share, rim = hole.mean().item(), border_share(hole).item()
    if not share:
        return {"note": "the hole hides nothing: the picture comes back as it was"}
    if rim <= 0.5:
        return {}
    return {"note": f"the hole hides {share:.0%} of the picture and {rim:.0%} of its border; {_turned(invert)}"}
