"""What every dataset is: a list of files with an identity each, and one way to make a square image of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from facelab import images

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".webp", ".tif", ".tiff"})

Box = tuple[int, int, int, int]
Frame = Callable[[int, int], Box]


@dataclass(frozen=True)
class Item:
    """One photograph.

    Args:
        file: where it lies.
        identity: who it shows; None where the set does not say.
    """

    file: Path
    identity: str | None = None

    @property
    def who(self) -> str:
        """The identity; the file's name where the set does not say: then each picture is a person of its own."""
        return self.identity if self.identity is not None else self.file.name


def centre_square(width: int, height: int) -> Box:
    """The largest centred square of a picture: (left, top, right, bottom), pixels."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


@dataclass
class FaceDataset(Dataset):
    """Photographs of faces behind one small interface.

    Args:
        name: the catalogue's name, for example ``"orl"`` or ``"folder:/my/photos"``.
        root: the folder the files lie under.
        items: every file, in an order that depends on names only.
        channels: 1 (grey) or 3 (colour).
        frame: which square of a picture of so many pixels is the face.
        groups: named lists of dataset indices, for example ``"with_mask"``.
        pairs: (index of the occluded picture, index of its truth), where the set has truth.
        notes: what a user should know, for example that this copy is partial.
        made: where pictures are computed and not read, what computed them; it changes when they would come out
            differently.
        parts: of a joined set, the sets it is made of, in order.

    Taught in: 01.
    """

    name: str
    root: Path
    items: list[Item]
    channels: int = 3
    frame: Frame = centre_square
    groups: dict[str, list[int]] = field(default_factory=dict)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made: str = ""
    parts: list[FaceDataset] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Tensor:
        """The square image (C, S, S) in [-1, 1] at the file's own scale; raises ``BadImage``."""
        picture = images.open_picture(self.items[index].file)
        return images.from_pil(picture.crop(self.frame(*picture.size)), self.channels)

    def at(self, index: int, size: int, channels: int) -> Tensor:
        """The image (channels, size, size) in [-1, 1], of a computed set computed at this size; raises ``BadImage``.

        Args:
            index: which picture. size: side, pixels. channels: 1 or 3.
        """
        return images.resize(images.to_channels(self[index], channels), size)

    def around(self, index: int, size: int, channels: int, times: float) -> Tensor | None:
        """What :meth:`at` shows and more around it, where the set can show more; else None.

        Args:
            index: which picture. size: side, pixels. channels: 1 or 3.
            times: how many times as wide as that of :meth:`at` the square is; its middle is the same.
        """
        return None

    def known_landmarks(self, index: int, size: int) -> Tensor | None:
        """Landmarks (68, 2), pixels of a picture ``size`` wide, where the set knows them without looking; else None."""
        return None

    def known_match(self, index: int, size: int) -> np.ndarray | None:
        """Where each place of the frontal counterpart is seen in a turned picture, where the set knows; else None.

        (3, size, size), see :func:`facelab.synth.match.match`.
        """
        return None

    def known_yaw(self, index: int) -> float | None:
        """Degrees by which the head is turned, positive to the image's right, where the set knows; else None."""
        return None

    def family(self, index: int) -> str:
        """The name under which a picture's person is put into a split."""
        return self.name

    @property
    def identities(self) -> set[str]:
        """Everyone the set names."""
        return {item.identity for item in self.items if item.identity is not None}

    def relative(self, index: int) -> str:
        """A file's path below the root, with forward slashes."""
        return self.items[index].file.relative_to(self.root).as_posix()


def pictures_under(folder: Path) -> list[Path]:
    """Every picture below ``folder``, hidden files left out, in order of their path's text."""
    found = (f for f in folder.rglob("*") if f.suffix.lower() in PICTURES)
    visible = (f for f in found if not any(part.startswith(".") for part in f.relative_to(folder).parts))
    return sorted((f for f in visible if f.is_file()), key=lambda f: f.relative_to(folder).as_posix())


def picture_size(file: Path) -> tuple[int, int] | None:
    """(width, height) from the header alone, or None where there is no readable header."""
    try:
        with Image.open(file) as picture:
            return picture.size
    except Exception:  # a damaged file is the business of the scan that decodes it
        return None
