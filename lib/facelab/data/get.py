"""Bring a dataset to where ``open_dataset`` finds it, as far as its licence and its publisher allow.

Nobody's terms are clicked away for you: where a set needs an agreement or a browser, the steps are printed, and
what you then place is checked by its published checksum and unpacked.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facelab import files
from facelab.data import catalogue, rof
from facelab.data.archives import extract
from facelab.data.casia_subjects import compared
from facelab.data.fetch import download, wrong_checksum
from facelab.data.hole_pictures import hidden_colour, open_irregular
from facelab.data.kface_crop import cut_kface
from facelab.data.manifest import write_manifest
from facelab.data.steps import STEPS
from facelab.data.synth import PEOPLE, SIZE, open_synth, write_synth
from facelab.errors import BadArchive, BadConfig, FacelabError, LayoutError, MissingPart

Say = Callable[[str], None]


@dataclass(frozen=True)
class Archive:
    """One published archive: its name, its MD5, and the address its publisher gives (which may be down)."""

    name: str
    md5: str | None
    url: str = ""


# Source: http://vis-www.cs.umass.edu/lfw/ (checksums as torchvision publishes them).
LFW = (
    Archive(
        "lfw-deepfunneled.tgz",
        "68331da3eb755a505a502b5aacb3c201",
        "http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",
    ),
    Archive("lfw-funneled.tgz", "1b42dfed7d15c9b2dd63d5e5840c86ad", "http://vis-www.cs.umass.edu/lfw/lfw-funneled.tgz"),
    Archive("lfw.tgz", "a17d05bd522c52d84eca14327a23d494", "http://vis-www.cs.umass.edu/lfw/lfw.tgz"),
)
# Source: https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
CELEBA = Archive("img_align_celeba.zip", "00d2c5bc6d35e252742224ab0c1e8fcb")
CELEBA_TEXTS = {
    "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
    "identity_CelebA.txt": "32bd1bd63d3c78cd57e08160ec5ed1e2",
    "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
}

HOLE_ARCHIVES = ("test_mask.zip", "irregular_mask.zip", "qd_imd.tar.gz")  # their publishers give no checksums

LISTED = 500_000  # pictures: reading millions of them again for a list of checksums takes a day


def get(
    name: str, root: str | Path | None = None, source: str | None = None, say: Say = print, limit: int | None = 500
) -> catalogue.Checked:
    """Fetch or unpack what can be, check it, and write its manifest.

    Args:
        name: a name of the catalogue.
        root: the folder that holds all datasets; ``FACELAB_DATA`` or the project's ``data/`` where None.
        source: an address or a file to take the archive from, for ``lfw``, ``celeba``, ``deocclusion``
            and ``irregular``.
        say: called with each line for people.
        limit: how many pictures to decode while checking, None = every one.

    Raises:
        BadConfig: no dataset has this name.
        MissingPart: it cannot be fetched by a program; the hint is the exact steps.
        BadArchive: what was placed is not what was published.
        DownloadFailed: ``source`` could not be fetched.
    """
    if name not in STEPS:
        raise BadConfig("dataset", name, f"one of {', '.join(STEPS)}")
    base = Path(root).expanduser() if root is not None else files.data_root()
    own = {"lfw": _lfw, "celeba": _celeba, "rof": _rof, "deocclusion": _deocclusion, "irregular": _irregular}
    own.get(name, _nothing)(base, source, say)
    try:
        dataset = catalogue.open_dataset(name, base)
    except LayoutError as error:
        if error.found != "no such folder":
            raise
        raise MissingPart(f"dataset {name}", "\n" + STEPS[name].format(root=base)) from error
    if name == "casia":
        say(compared(dataset))
    if len(dataset) > LISTED:
        say(f"note: no manifest of so many pictures ({len(dataset):,})")
    elif dataset.root.is_relative_to(base):  # a set inside an installed package is not ours to write into
        _list(dataset.root, name, source, say)
    return catalogue.check(name, base, limit)


def _list(folder: Path, name: str, source: str | None, say: Say) -> None:
    try:
        say(f"manifest: {write_manifest(folder, name, source or '')}")
    except OSError as error:  # a shared, read-only copy is still a good copy
        say(f"note: no manifest could be written ({error})")


def _nothing(base: Path, source: str | None, say: Say) -> None:
    if source is not None:
        raise BadConfig("from", source, "nothing: this set has no archive")


def place(archive: Archive, folder: Path, source: str | None, say: Say) -> Path | None:
    """The archive in ``folder``, brought there from ``source`` where given, its MD5 right; None where there is none.

    Raises:
        BadArchive: its MD5 is not the published one.
    """
    path = folder / archive.name
    if source is not None and source.startswith(("http://", "https://")):
        say(f"fetching {source}")
        return download(source, path, md5=archive.md5)
    given = Path(source).expanduser() if source is not None else path
    if not given.is_file():
        if source is not None:
            raise MissingPart(str(given), "Give --from an address or a file that exists.")
        return None
    if wrong := wrong_checksum(given, md5=archive.md5):
        raise BadArchive(given, wrong)
    return given


def _lfw(base: Path, source: str | None, say: Say) -> None:
    wanted = LFW if source is None else [a for a in LFW if source.endswith(a.name)] or LFW[:1]
    for archive in wanted:
        folder = base / {"lfw-funneled.tgz": "lfw_funneled"}.get(archive.name, archive.name.removesuffix(".tgz"))
        if folder.is_dir():
            return
        if path := place(archive, base, source, say):
            say(f"unpacking {path}")
            extract(path, base)
            return


def _celeba(base: Path, source: str | None, say: Say) -> None:
    folder = base / "celeba"
    if not (folder / "img_align_celeba").is_dir() and (path := place(CELEBA, folder, source, say)):
        say(f"unpacking {path}")
        extract(path, folder)
    for text, md5 in CELEBA_TEXTS.items():
        if (folder / text).is_file() and (wrong := wrong_checksum(folder / text, md5=md5)):
            say(f"note: {text} is not the published file ({wrong}); fine for a subset")


def _rof(base: Path, source: str | None, say: Say) -> None:
    _nothing(base, source, say)
    if (base / "rof" / "lists").is_dir():
        done = rof.fetch_rof(base / "rof" / "lists", base / "rof", progress=say)
        say(f"{done.written} faces written, {done.kept} already there, {done.failed} failed: rof/{rof.FAILURES}")


def _deocclusion(base: Path, source: str | None, say: Say) -> None:
    folder = base / "deocclusion"
    if folder.is_dir():
        return
    archive = Archive("deocclusion.zip", None)
    if path := place(archive, base, source, say):
        say(f"unpacking {path} (its publisher gives no checksum)")
        inner = base / ".deocclusion"
        shutil.rmtree(inner, ignore_errors=True)
        extract(path, inner)
        tops = list(inner.iterdir())
        single = len(tops) == 1 and tops[0].is_dir() and tops[0].name not in ("Synthetic", "Natural")
        (tops[0] if single else inner).rename(folder)
        shutil.rmtree(inner, ignore_errors=True)


def _irregular(base: Path, source: str | None, say: Say) -> None:
    folder = base / "irregular"
    if source is not None and not source.endswith(HOLE_ARCHIVES):
        raise BadConfig("from", source, "an address or file that ends in " + ", ".join(HOLE_ARCHIVES))
    for name in HOLE_ARCHIVES:
        target = folder / name.partition(".")[0]
        asked = source if source is not None and source.endswith(name) else None
        empty = not target.is_dir() or not any(target.iterdir())  # a damaged archive leaves an empty folder
        if empty and (path := place(Archive(name, None), folder, asked, say)):
            say(f"unpacking {path} (its publisher gives no checksum)")
            extract(path, target)
    if folder.is_dir():
        dataset = open_irregular(base)
        for group, places in dataset.groups.items():
            colour = hidden_colour([dataset.items[place].file for place in places])
            say(f"{group}: {len(places):,} holes, {colour} is hidden")


def main(name: str) -> int:
    """What every script in ``data_scripts/`` does: get one set, say what was found; the exit status."""
    parser = argparse.ArgumentParser(description=catalogue.CATALOGUE[name].what, epilog=STEPS[name])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--root", type=Path, help="folder that holds all datasets (default: FACELAB_DATA, or data/)")
    parser.add_argument("--from", dest="source", help="address or file to take the archive from")
    parser.add_argument("--all", action="store_true", help="decode every picture, not 500 of them")
    _add_own(name, parser)
    options = parser.parse_args()
    try:
        if getattr(options, "cut", False):
            cut_kface(options.root.expanduser() if options.root else files.data_root())
        if getattr(options, "out", None):
            return _write_synth(options.people, options.size, options.out)
        found = get(name, options.root, options.source, limit=None if options.all else 500)
    except FacelabError as error:
        print(error)
        return 1
    for line in describe(found):
        print(line)
    return 0 if found.ok else 1


def _add_own(name: str, parser: argparse.ArgumentParser) -> None:
    """Arguments that only one set's script has."""
    if name == "kface":
        parser.add_argument("--cut", action="store_true", help="cut the faces out into kface-cropped/; takes hours")
    if name == "synth":
        parser.add_argument("--out", type=Path, metavar="DIR", help="write pictures there, in K-FACE's layout")
        parser.add_argument("--people", type=int, default=PEOPLE, help=f"how many people to write (default: {PEOPLE})")
        parser.add_argument("--size", type=int, default=SIZE, help=f"side of a picture, pixels (default: {SIZE})")


def _write_synth(people: int, size: int, out: Path) -> int:
    dataset, folder = open_synth(people), files.usable_folder(out.expanduser())
    written = write_synth(folder, dataset, size)
    print(f"{folder}: {written:,} pictures written, {len(dataset) - written:,} were there already")
    return 0


def describe(found: catalogue.Checked) -> list[str]:
    """A checked set in a few lines for people."""
    lines = [f"{found.name}: {found.photos:,} photos, {found.people:,} people named"]
    lines += [", ".join(f"{part} {count:,}" for part, count in found.splits.items())]
    lines += [", ".join(f"{group} {count:,}" for group, count in found.groups.items())] if found.groups else []
    lines += [f"note: {note}" for note in found.notes]
    lines += [f"{found.decoded:,} pictures decoded, {len(found.rejected):,} cannot be used"]
    return lines + [f"  {file}: {reason}" for file, reason in found.rejected[:20]]
