"""Names of CASIA NIR-VIS 2.0: a session, a kind of light, a subject and a number; and what its lists call them.

``s1/VIS/00001/001.jpg`` is a whole photograph, ``s1/VIS_128x128/00001/001.bmp`` the publisher's aligned crop of it.
The lists write ``s1\\VIS\\00001\\001.jpg``, with the ending that the file had when the list was made.
Taught in: lesson 08.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from facelab.data.dataset import FaceDataset

MODALITIES = ("vis", "nir")
SESSIONS = (1, 2, 3, 4)
ENDINGS = ("bmp", "jpg", "jpeg", "png")
"""In order of preference where no list says which one is meant: first the one without loss."""

_NAME = re.compile(
    r"(?:^|(?<=/))(?:s(?P<session>[1-4])/)?(?P<modality>VIS|NIR)(?P<crop>_128x128)?"
    rf"/(?P<subject>\d{{5}})/(?P<number>\d+)\.(?P<ending>{'|'.join(ENDINGS)})$",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Photo:
    """What a picture is, as its path says.

    Args:
        subject: five digits, ``"00001"``. The number is the person, whatever the session.
        modality: ``"vis"`` (colour) or ``"nir"`` (near infrared).
        session: 1 … 4, or 0 where crops lie in no session's folder.
        number: from 1 on, of this subject, session and modality.
        crop: whether it is the publisher's aligned crop, 128×128.

    Taught in: 08.
    """

    subject: str
    modality: str
    session: int
    number: int
    crop: bool = False

    @property
    def key(self) -> tuple[str, str, int, int]:
        """All but ``crop``: equal for a photograph and its crop."""
        return self.subject, self.modality, self.session, self.number


def photo_of(path: PurePath | str) -> Photo | None:
    """What a path or a line of a list says; None = it is not named so.

    Either separator and any case will do, and so will any folders in front. A whole photograph needs its session.
    """
    found = _NAME.search(posix(path))
    if found is None or not (found["session"] or found["crop"]):
        return None
    session, number = int(found["session"] or 0), int(found["number"])
    return Photo(found["subject"], found["modality"].lower(), session, number, bool(found["crop"]))


def in_front(path: PurePath | str) -> str | None:
    """The folders of a path before those that name a picture, ``""`` where there are none; None = not named so."""
    text = posix(path)
    return text[: _NAME.search(text).start()].strip("/") if photo_of(text) else None


def lacks_session(path: PurePath | str) -> bool:
    """Whether a path names a whole photograph, but for the folder ``s1`` … ``s4``."""
    return photo_of(path) is None and _NAME.search(posix(path)) is not None


def ending(path: PurePath | str) -> str:
    """``jpg`` of ``001.JPG`` and of ``001.jpeg``."""
    return posix(path).rpartition(".")[2].lower().replace("jpeg", "jpg")


def posix(path: PurePath | str) -> str:
    """A path's text with forward slashes."""
    return path.as_posix() if isinstance(path, PurePath) else path.strip().replace("\\", "/")


def photos(dataset: FaceDataset) -> list[Photo | None]:
    """What each picture of a set from :func:`facelab.data.casia.open_casia` is, parallel to its items."""
    return [photo_of(item.file) for item in dataset.items]
