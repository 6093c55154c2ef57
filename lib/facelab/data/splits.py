"""Who is trained on, who is looked at while training, and who is never seen: by person, never by picture."""

from __future__ import annotations

import hashlib
from typing import Literal

from facelab.data.dataset import FaceDataset, Item
from facelab.errors import BadConfig

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def bucket(dataset: str, identity: str) -> int:
    """0..99, the same for the same person on every machine.

    Args:
        dataset: its name; what follows a colon (the path of ``folder:/my/photos``) does not count.
        identity: the person, or the file's name where nobody is named.

    Taught in: 01.
    """
    text = f"facelab/v1/{dataset.split(':', 1)[0]}/{identity}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100


def split_of(dataset: str, item: Item) -> Split:
    """Buckets 0–19 are test, 20–29 validation, the rest training."""
    number = bucket(dataset, item.who)
    return "test" if number < 20 else "val" if number < 30 else "train"


def split(dataset: FaceDataset, name: Split) -> list[int]:
    """Dataset indices of one split; no person is in two splits.

    Args:
        dataset: any set of the catalogue.
        name: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        BadConfig: another name.

    Taught in: 01.
    """
    if name not in SPLITS:
        raise BadConfig("split", name, '"train", "val" or "test"')
    return [index for index, item in enumerate(dataset.items) if split_of(dataset.family(index), item) == name]
