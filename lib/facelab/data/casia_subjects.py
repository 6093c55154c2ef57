"""Which subjects of CASIA NIR-VIS 2.0 a study keeps, as filters that can be named and repeated.

The paper that lesson 08 rebuilds reports 533 subjects in colour and 655 in near infrared, with 3 to 8 pictures each,
and does not say by which rule. :func:`select` is our reading. It has **not been verified**: nobody here had the set
while this was written, and ``data_scripts/casia.py`` prints both counts side by side. One doubt is known before: by
its publisher the set has 725 people with 5 to 50 near-infrared pictures each, and then a least of 3 drops nobody's;
655 would need another rule, for example fewer sessions. Taught in: lesson 08.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from facelab.data.casia import open_casia
from facelab.data.casia_lists import HINT
from facelab.data.casia_names import MODALITIES, SESSIONS, photo_of
from facelab.data.dataset import FaceDataset
from facelab.errors import BadConfig, LayoutError


@dataclass(frozen=True)
class Tally:
    """Pictures, and the subjects they show."""

    pictures: int
    subjects: int

    def __str__(self) -> str:
        return f"{self.pictures:,} of {self.subjects:,}"


REPORTED = {"vis": Tally(2966, 533), "nir": Tally(4301, 655)}
"""What the paper kept, 3 to 8 pictures of a subject; 530 subjects are said to be in both."""


def parts(dataset: FaceDataset, indices: Iterable[int] | None = None) -> dict[tuple[str, str], list[int]]:
    """The pictures of each (subject, modality) in order of session and number; what is not named so is left out.

    Args:
        dataset: a set from :func:`facelab.data.casia.open_casia`.
        indices: dataset indices to look at; None = all.
    """
    at = {index: photo_of(dataset.items[index].file) for index in (range(len(dataset)) if indices is None else indices)}
    found: dict[tuple[str, str], list[int]] = {}
    for index in sorted((index for index, photo in at.items() if photo), key=at.get):
        found.setdefault((at[index].subject, at[index].modality), []).append(index)
    return found


def of_sessions(dataset: FaceDataset, sessions: Iterable[int], indices: Iterable[int] | None = None) -> list[int]:
    """The pictures taken in some sessions.

    Args:
        dataset: as for :func:`parts`.
        sessions: of 1 … 4; 0 = crops in no session's folder.
        indices: as for :func:`parts`.

    Raises:
        BadConfig: another session.
    """
    wanted = set(sessions)
    if not wanted <= {0, *SESSIONS}:
        raise BadConfig("sessions", sorted(wanted), "some of 1, 2, 3, 4; 0 for crops in no session's folder")
    kept = _flat(parts(dataset, indices))
    return [index for index in kept if photo_of(dataset.items[index].file).session in wanted]


def at_least(dataset: FaceDataset, least: int, indices: Iterable[int] | None = None) -> list[int]:
    """Without the colour pictures of subjects with fewer than ``least`` of them; likewise the near-infrared ones.

    A subject with too few of one kind keeps those of the other; :func:`in_both` afterwards drops these too.
    """
    return _flat({part: rows for part, rows in parts(dataset, indices).items() if len(rows) >= least})


def without_single(dataset: FaceDataset, indices: Iterable[int] | None = None) -> list[int]:
    """Without subjects that have one picture of a kind, that picture only: ``at_least`` of 2."""
    return at_least(dataset, 2, indices)


def at_most(dataset: FaceDataset, most: int, indices: Iterable[int] | None = None) -> list[int]:
    """The first ``most`` pictures, by session and number, of every subject and modality."""
    return _flat({part: rows[:most] for part, rows in parts(dataset, indices).items()})


def in_both(dataset: FaceDataset, indices: Iterable[int] | None = None) -> list[int]:
    """Only subjects with at least one picture in colour and one in near infrared."""
    found = parts(dataset, indices)
    return _flat({part: rows for part, rows in found.items() if all((part[0], kind) in found for kind in MODALITIES)})


def select(
    dataset: FaceDataset,
    least: int = 3,
    most: int | None = 8,
    both: bool = False,
    sessions: Iterable[int] | None = None,
) -> list[int]:
    """The subjects and pictures of a study: sessions, then ``at_least``, then ``at_most``, then ``in_both``.

    Args:
        dataset: as for :func:`parts`.
        least: fewest pictures a subject must have of a kind, ≥ 1; what has fewer is dropped, kind by kind.
        most: keep the first so many of each subject and kind; None = all.
        both: only subjects that still have both kinds.
        sessions: as for :func:`of_sessions`; None = all.

    Returns:
        Dataset indices, ascending.

    Raises:
        BadConfig: ``least`` below 1, or ``most`` below ``least``.

    Taught in: 08.
    """
    if least < 1 or (most is not None and most < least):
        raise BadConfig("least, most", (least, most), "1 ≤ least ≤ most, or None for most")
    kept = list(range(len(dataset))) if sessions is None else of_sessions(dataset, sessions)
    kept = at_least(dataset, least, kept)
    kept = kept if most is None else at_most(dataset, most, kept)
    return in_both(dataset, kept) if both else kept


def study(dataset: FaceDataset) -> FaceDataset:
    """``casia:study``: the set with what :func:`select` keeps, 3 to 8 pictures of a subject and kind.

    Nobody changes the split, and a subject may be left in one kind of light only, as in the paper's two counts.

    Args:
        dataset: a set from :func:`facelab.data.casia.open_casia`.

    Raises:
        LayoutError: of one kind nobody has three pictures.

    Taught in: lesson 08.
    """
    kept = select(dataset, least=3, most=8)
    place = {index: row for row, index in enumerate(kept)}
    groups = {kind: [place[index] for index in rows if index in place] for kind, rows in dataset.groups.items()}
    note = f"3 to 8 pictures of each subject and kind, the first of each: {len(kept):,} of {len(dataset):,} pictures"
    if lacking := [kind.upper() for kind, rows in groups.items() if not rows]:
        wanted, found = f"subjects with 3 pictures or more in {lacking[0]}", f"none among {len(dataset):,} pictures"
        raise LayoutError(dataset.root, wanted, found, f"Place the missing sessions, or use casia as it is. {HINT}")
    items = [dataset.items[index] for index in kept]
    return replace(dataset, name=dataset.name + ":study", items=items, groups=groups, notes=[*dataset.notes, note])


def named_casia(name: str, root: Path) -> FaceDataset:
    """``casia:study``, see :func:`study`, or ``casia:crops``: the publisher's aligned crops, beside photographs, too.

    Args:
        name: one of the two. root: the folder that holds all datasets.

    Raises:
        BadConfig: another name.
        LayoutError: the set is not there; or no crops are; or see :func:`study`.
    """
    if name == "casia:study":
        return study(open_casia(root))
    if name != "casia:crops":
        raise BadConfig("dataset", name, "casia, casia:study or casia:crops")
    dataset = replace(open_casia(root, crops=True), name=name)
    if not photo_of(dataset.items[0].file).crop:
        wanted = "VIS_128x128/ and NIR_128x128/ in the folders of sessions"
        raise LayoutError(dataset.root, wanted, "whole photographs", f"Use casia, or place the crops. {HINT}")
    return dataset


def tally(dataset: FaceDataset, indices: Iterable[int] | None = None) -> dict[str, Tally]:
    """Pictures and subjects of each modality, to be held against :data:`REPORTED`."""
    found = parts(dataset, indices)
    sizes = {kind: [len(rows) for (_, of), rows in found.items() if of == kind] for kind in MODALITIES}
    return {kind: Tally(sum(of), len(of)) for kind, of in sizes.items()}


def compared(dataset: FaceDataset) -> str:
    """One line for people: what :func:`select` keeps of this copy, and what the paper reports."""
    kept = select(dataset)
    here, both = tally(dataset, kept), len({dataset.items[index].identity for index in in_both(dataset, kept)})
    ours = ", ".join(f"{kind.upper()} {count}" for kind, count in here.items())
    theirs = ", ".join(f"{kind.upper()} {count}" for kind, count in REPORTED.items())
    return f"3 to 8 pictures a subject: {ours} subjects, {both:,} in both; the paper reports {theirs}, 530 in both"


def _flat(found: dict[tuple[str, str], list[int]]) -> list[int]:
    return sorted(index for rows in found.values() for index in rows)
