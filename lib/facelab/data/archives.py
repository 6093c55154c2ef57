"""Unpack an archive somebody else made: every member is looked at before the first byte is written."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from facelab.errors import BadArchive

MAX_FILES = 500_000
MAX_BYTES = 50 * 10**9
BLOCK = 1 << 20


@dataclass(frozen=True)
class _Member:
    """One entry: its name as stored, its declared size, what it is, and how to read it."""

    name: str
    size: int
    kind: str  # "file", "folder" or what it is that we do not unpack
    open: Callable[[], BinaryIO]


def extract(
    archive: str | Path, folder: str | Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES
) -> list[Path]:
    """Unpack a tar (plain, gz, bz2, xz) or zip archive into ``folder``, all of it or nothing.

    Args:
        archive: the file.
        folder: where its top-level names will appear; none of them may be there yet.
        max_files: refuse more members.
        max_bytes: refuse more bytes, by what it declares and by what really comes out.

    Returns:
        The top-level files and folders that appeared.

    Raises:
        BadArchive: damaged, encrypted, too large, or with a member that is absolute, climbs out with ``..``, is a
            link or a device, or meets another of the same name. Nothing is left behind.
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{archive.name}.", dir=folder))
    try:
        with _opened(archive) as members:
            checked = _checked(archive, list(members), max_files, max_bytes)
            _unpack(archive, checked, temporary, max_bytes)
        return _publish(archive, temporary, folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the archive's
            raise
        raise BadArchive(archive, f"{type(error).__name__}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _opened:
    """Context that gives an archive's members, whichever kind it is."""

    def __init__(self, archive: Path):
        self.archive = archive

    def __enter__(self) -> Iterator[_Member]:
        if zipfile.is_zipfile(self.archive):
            self.file = zipfile.ZipFile(self.archive)
            return (_zip_member(self.file, info) for info in self.file.infolist())
        if not self.archive.is_file():
            raise BadArchive(self.archive, "there is no such file")
        self.file = tarfile.open(self.archive, "r:*")
        return _tar_members(self.archive, self.file)

    def __exit__(self, *_) -> None:
        self.file.close()


def _zip_member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    mode = stat.S_IFMT(info.external_attr >> 16)
    kind = "folder" if info.is_dir() else "file" if mode in (0, stat.S_IFREG) else "a link or device"
    kind = "encrypted" if info.flag_bits & 1 else kind
    return _Member(info.orig_filename, info.file_size, kind, lambda: file.open(info))


def _tar_members(archive: Path, file: tarfile.TarFile) -> Iterator[_Member]:
    for info in file:
        yield _tar_member(file, info)
    file.fileobj.seek(file.offset)  # a tar cut off between two members looks like a shorter one, but has no end mark
    if file.fileobj.read(512) != bytes(512):
        raise BadArchive(archive, "it is cut off: its end mark is missing")
    while file.fileobj.read(BLOCK):  # reaches the checksum of a compressed stream
        pass


def _tar_member(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    kind = "folder" if info.isdir() else "file" if info.isreg() else "a link or device"
    return _Member(info.name, info.size, kind, lambda: file.extractfile(info))


def _checked(archive: Path, members: list[_Member], max_files: int, max_bytes: int) -> list[tuple[_Member, Path]]:
    """Every member with the relative path it may have."""
    if len(members) > max_files:
        raise BadArchive(archive, f"{len(members):,} members, more than the {max_files:,} allowed")
    if (total := sum(member.size for member in members)) > max_bytes:
        raise BadArchive(archive, f"{total:,} bytes unpacked, more than the {max_bytes:,} allowed")
    checked, seen = [], set()
    for member in members:
        if member.kind not in ("file", "folder"):
            raise BadArchive(archive, f"member {member.name!r} is {member.kind}")
        path = _safe_path(archive, member.name)
        if member.kind == "file" and (path in seen or path == Path(".")):
            raise BadArchive(archive, f"member {member.name!r} comes twice or has no name")
        seen.add(path)
        checked.append((member, path))
    return checked


def _safe_path(archive: Path, name: str) -> Path:
    posix = PurePosixPath(name)
    odd = "\\" in name or "\0" in name or ":" in name.split("/", 1)[0]
    if posix.is_absolute() or ".." in posix.parts or odd:
        raise BadArchive(archive, f"member {name!r} would be written outside the folder")
    return Path(*posix.parts) if posix.parts else Path(".")


def _unpack(archive: Path, members: list[tuple[_Member, Path]], folder: Path, max_bytes: int) -> None:
    written = 0
    for member, path in members:
        target = folder / path
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        before = written
        with member.open() as source, open(target, "xb") as out:
            while block := source.read(BLOCK):
                written += len(block)
                if written > max_bytes:
                    raise BadArchive(archive, f"more than the {max_bytes:,} bytes allowed come out of it")
                out.write(block)
        if written - before != member.size:
            raise BadArchive(archive, f"member {member.name!r} is cut off")


def _publish(archive: Path, temporary: Path, folder: Path) -> list[Path]:
    tops = sorted(temporary.iterdir())
    if there := [top.name for top in tops if (folder / top.name).exists()]:
        raise BadArchive(archive, f"{folder / there[0]} is already there; move it away first")
    for top in tops:
        os.rename(top, folder / top.name)
    return [folder / top.name for top in tops]
