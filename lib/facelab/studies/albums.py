"""Pictures with names, for recognition: what a classifier is taught with, and what it must not have seen.

Two kinds of leak would make generated pictures look useful. A translator that was trained on somebody has seen that
person's near-infrared face. And a picture made from the colour half of a test pair is nearly the test picture.
Taught in: lesson 08.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from facelab.errors import BadConfig
from facelab.faces.landmarks import canonical_landmarks
from facelab.images import to_uint8


@dataclass(frozen=True, eq=False)
class Album:
    """Pictures of people.

    Args:
        images: (N, 1, S, S) in [-1, 1].
        labels: (N,) int64, who is seen; the same number is the same person in every album of an experiment.
        added: (N,) bool, pictures that stand beside the real near-infrared ones, such as generated ones; None: none.
        landmarks: (N, 68, 2) pixels; None: the pictures are aligned, and the mean face's landmarks fit.
        files: where each picture came from, N names; empty where nobody knows.

    Raises:
        BadConfig: parts that do not fit each other.

    Taught in: lesson 08.
    """

    images: Tensor
    labels: Tensor
    added: Tensor | None = None
    landmarks: Tensor | None = None
    files: Sequence[str] = ()

    def __post_init__(self):
        count, shape = len(self.images), tuple(self.images.shape)
        if len(shape) != 4 or shape[1] != 1 or shape[2] != shape[3] or not count:
            raise BadConfig("images", shape, "square pictures of one channel, (N, 1, S, S), at least one")
        if tuple(self.labels.shape) != (count,) or self.labels.dtype != torch.int64:
            raise BadConfig("labels", f"{self.labels.dtype} {tuple(self.labels.shape)}", f"{count} numbers, int64")
        if self.added is None:
            object.__setattr__(self, "added", torch.zeros(count, dtype=torch.bool))
        if tuple(self.added.shape) != (count,) or self.added.dtype != torch.bool:
            raise BadConfig("added", f"{self.added.dtype} {tuple(self.added.shape)}", f"{count} times True or False")
        if self.landmarks is not None and tuple(self.landmarks.shape) != (count, 68, 2):
            raise BadConfig("landmarks", tuple(self.landmarks.shape), f"{(count, 68, 2)}")
        if self.files and len(self.files) != count:
            raise BadConfig("files", f"{len(self.files)} names", f"{count} of them, or none")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def points(self) -> Tensor:
        """Landmarks (N, 68, 2), the mean face's where none were given."""
        if self.landmarks is not None:
            return self.landmarks
        return canonical_landmarks(*self.images.shape[-2:]).expand(len(self), 68, 2)

    def some(self, places: Sequence[int] | Tensor) -> Album:
        """The pictures at some places."""
        at = torch.as_tensor(places, dtype=torch.long)
        marks = None if self.landmarks is None else self.landmarks[at]
        names = tuple(self.files[place] for place in at.tolist()) if self.files else ()
        return Album(self.images[at], self.labels[at], self.added[at], marks, names)


def beside(album: Album) -> Album:
    """The same pictures, as ones that stand beside the real near-infrared ones: see ``added`` of :class:`Album`."""
    return dataclasses.replace(album, added=torch.ones(len(album), dtype=torch.bool))


def join(*albums: Album) -> Album:
    """Several albums as one.

    Raises:
        BadConfig: no album, or pictures of different sizes.

    Taught in: lesson 08.
    """
    sizes = {album.images.shape[-1] for album in albums}
    if len(sizes) != 1:
        raise BadConfig("albums", f"sizes {sorted(sizes)}", "albums with pictures of one size")
    whole = lambda part: torch.cat([getattr(album, part) for album in albums])  # noqa: E731
    marks = None if all(album.landmarks is None for album in albums) else whole("points")
    names = [name for album in albums for name in (album.files or [""] * len(album))]
    return Album(whole("images"), whole("labels"), whole("added"), marks, tuple(names) if any(names) else ())


def draws(added: Tensor, batch: int, steps: int, generator: torch.Generator, balanced: bool = True) -> Tensor:
    """Which pictures each step is shown.

    Balanced, half of every batch are real pictures and half added ones, however many there are of each. Three
    generated pictures for every real one would otherwise be three quarters of what is learned from, and a set with
    them would be judged by how much like real ones they are and hardly by what they add. Not balanced, all are drawn
    alike, as they are in the literature, where the albums are simply put together.

    Args:
        added: (N,) bool. batch: pictures a step. steps: how many.
        generator: source of all draws. balanced: see above; where one kind is missing nothing changes.

    Returns:
        (steps, batch) int64; each kind comes in a new order every time it has been seen once.

    Taught in: lesson 08.
    """
    kinds = [(~added).nonzero()[:, 0], added.nonzero()[:, 0]] if balanced else [torch.arange(len(added))]
    kinds = [kind for kind in kinds if len(kind)]
    shares = [batch - batch // 2, batch // 2] if len(kinds) == 2 else [batch]
    rows = [_in_turn(kind, steps, share, generator) for kind, share in zip(kinds, shares, strict=True)]
    return torch.cat(rows, 1)


def _in_turn(places: Tensor, steps: int, share: int, generator: torch.Generator) -> Tensor:
    rounds = -(-steps * share // len(places))
    order = torch.cat([places[torch.randperm(len(places), generator=generator)] for _ in range(max(1, rounds))])
    return order[: steps * share].view(steps, share)


def digests(images: Tensor) -> list[str]:
    """What tells pictures (N, C, S, S) apart: SHA-256 of each one's 8-bit pixels, 64 hex digits."""
    return [hashlib.sha256(one.cpu().numpy().tobytes()).hexdigest() for one in to_uint8(images)]


def album_digest(album: Album) -> str:
    """What tells albums apart: pictures, who is seen, which were added, and landmarks (to 0.001 px); 16 hex digits."""
    said = [*digests(album.images), *map(str, album.labels.tolist()), *map(str, album.added.tolist())]
    if album.landmarks is not None:
        said += map(str, (1000 * album.landmarks).round().flatten().tolist())
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:16]


def refuse_leaks(translator_people: Iterable[Hashable], test_people: Iterable[Hashable]) -> None:
    """Refuse a translator that was trained on somebody who is recognized in the test.

    Args:
        translator_people: whoever the translator was trained on. test_people: whoever the test shows.

    Raises:
        BadConfig: naming a person of both.

    Taught in: lesson 08.
    """
    if both := sorted(set(translator_people) & set(test_people), key=str):
        more = f" and {len(both) - 1} more" if len(both) > 1 else ""
        allowed = "a translator that was trained on other people than the test shows"
        raise BadConfig("people of the translator", f"{both[0]}{more}", allowed)


def refuse_shared(train: Album, test: Album) -> None:
    """Refuse a picture that is learned from and tested with, by its pixels or by its file.

    Raises:
        BadConfig: naming the first such picture.

    Taught in: lesson 08.
    """
    for kind, mine, others in (
        ("pixels", digests(train.images), digests(test.images)), ("file", train.files, test.files)
    ):  # fmt: skip
        known = {one: place for place, one in enumerate(others) if one}
        for place, one in enumerate(mine):
            if one in known:
                said = f"picture {place} has the {kind} of test picture {known[one]}"
                raise BadConfig("train", said, "pictures that are not in the test")


def refuse_twins(used: Iterable[int], tested: Iterable[int], pairs: Iterable[tuple[int, int]]) -> None:
    """Refuse a translation of the colour half of a pair whose near-infrared half is in the test.

    Args:
        used: indices of the colour pictures that are translated, or laid in grey, for training.
        tested: indices of the near-infrared test pictures.
        pairs: (colour index, near-infrared index) of pictures that show the same pixel by pixel.

    Raises:
        BadConfig: naming the first such pair.

    Taught in: lesson 08.
    """
    mine, others = set(used), set(tested)
    for colour, infrared in pairs:
        if colour in mine and infrared in others:
            said = f"picture {colour}, the colour half of test picture {infrared}"
            raise BadConfig("train", said, "colour pictures of other sittings than the test's")
