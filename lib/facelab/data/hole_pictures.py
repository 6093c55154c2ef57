"""Published holes for inpainting: NVIDIA's irregular masks and QD-IMD, which do not agree on what black means.

``irregular/`` under the root of all datasets, with any of ``testing_mask_dataset/`` and ``disocclusion_img_mask/``
(NVIDIA's, Liu et al. 2018) and ``qd_imd/train/``, ``qd_imd/test/`` (QD-IMD, Iskakov 2018), at any depth.
Taught in: lesson 09.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from facelab import images
from facelab.data.dataset import FaceDataset, Item, pictures_under
from facelab.data.layouts import first_folder, group_by
from facelab.errors import BadImage, LayoutError
from facelab.restoration import HIDDEN_LIMIT, border_share, is_two_valued

FOLDERS = {
    "testing_mask_dataset": "nvidia_test",
    "disocclusion_img_mask": "nvidia_train",
    "qd_imd/train": "qd_imd_train",
    "qd_imd/test": "qd_imd_test",
}
HINT = "See data_scripts/irregular.py for where they come from and where they go."
LOOKED_AT = 48  # pictures of a set, evenly spread, that decide what black means


def open_irregular(root: Path) -> FaceDataset:
    """Hole pictures as a dataset, a group a published set: to be counted and checked; they show no faces."""
    folder = first_folder([root / "irregular"], "irregular/ with published holes", HINT)
    found = [Item(file) for file in pictures_under(folder)]
    items = [item for item in found if _group(item.file.relative_to(folder))]
    if not items:
        raise LayoutError(folder, f"one of {', '.join(FOLDERS)}", f"{len(found)} pictures in other folders", HINT)
    other, groups = len(found) - len(items), group_by(items, lambda item: _group(item.file.relative_to(folder)))
    notes = [f"{other} pictures lie in folders of other names, and are left out"] if other else []
    return FaceDataset("irregular", folder, items, channels=1, groups=groups, notes=notes)


def _group(path: Path) -> str:
    inside = f"/{path.parent.as_posix()}/"
    return next((group for folder, group in FOLDERS.items() if f"/{folder}/" in inside), "")


def hidden_colour(files: Sequence[Path]) -> str:
    """Which of the two colours of a set of hole pictures is the hidden part.

    Two witnesses must agree: over many holes less than half of all pixels is hidden, and along the border of the
    pictures, which many holes keep away from, less than inside.

    Args:
        files: of one set; some of them, evenly spread, are looked at.

    Returns:
        ``"white"`` or ``"black"``.

    Raises:
        LayoutError: the witnesses disagree or cannot tell, or some picture would be hidden by more than 75 %.
        BadImage: none of those looked at is a two-valued picture; a few that are not are passed over.
    """
    some = [files[k * len(files) // min(LOOKED_AT, len(files))] for k in range(min(LOOKED_AT, len(files)))]
    white = _readable(some)
    share = torch.tensor([picture.mean() for picture in white])
    rim = torch.tensor([border_share(picture) for picture in white])
    colour = "white" if share.mean() < 0.5 else "black"
    hidden, hidden_rim = (share, rim) if colour == "white" else (1 - share, 1 - rim)
    told = f"white covers {share.mean():.0%} of all pixels and {rim.mean():.0%} of the border"
    if hidden.mean() > 0.45 or hidden_rim.mean() > hidden.mean() + 0.05 or hidden.max() > HIDDEN_LIMIT:
        wanted = "holes whose hidden part is the smaller one, and rarer at the border"
        raise LayoutError(some[0].parent, wanted, f"{told}, {share.min():.0%} to {share.max():.0%} a picture", HINT)
    return colour


def _readable(files: Sequence[Path]) -> list[Tensor]:
    """Those that are two-valued pictures; whoever lists a set names the others."""
    found, fault = [], None
    for file in files:
        try:
            found.append(two_valued(file))
        except BadImage as error:
            fault = error
    if fault and not found:
        raise fault
    return found


def two_valued(file: Path) -> Tensor:
    """A hole picture as (1, H, W), 1 = white.

    Raises:
        BadImage: unreadable, or more than 2 % of its pixels are neither black nor white.
    """
    found = images.load_hole(file)
    if not is_two_valued(found):
        raise BadImage(file, "is not black and white")
    return (found > 0.5).float()


@lru_cache(maxsize=8)
def _colour_of(folder: Path, files: tuple[Path, ...]) -> str:
    return hidden_colour(files)


def published_holes(dataset: FaceDataset, group: str, places: Sequence[int], size: int) -> Tensor:
    """Holes of one published set.

    Args:
        dataset: from :func:`open_irregular`.
        group: one of its groups, for example ``"nvidia_test"``.
        places: which of the group, 0 … len - 1.
        size: side, pixels; nearest pixels are taken, so that holes stay two-valued.

    Returns:
        (N, 1, size, size), 1 = hidden, 0 or 1.

    Raises:
        LayoutError: no such group, or what black means cannot be told, see :func:`hidden_colour`.
        BadImage: a picture cannot be used.
    """
    if group not in dataset.groups:
        raise LayoutError(dataset.root, group, ", ".join(dataset.groups), HINT)
    files = tuple(dataset.items[index].file for index in dataset.groups[group])
    flip = _colour_of(dataset.root, files) == "black"
    holes = [F.interpolate(two_valued(files[place])[None], (size, size), mode="nearest") for place in places]
    return 1 - torch.cat(holes) if flip else torch.cat(holes)
