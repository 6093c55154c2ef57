"""Where things live, and how a file is written so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from facelab.errors import BadConfig


def project_root() -> Path:
    """The folder that holds ``pyproject.toml``; the working directory where the package is installed elsewhere."""
    here = Path(__file__).resolve().parents[2]
    return here if (here / "pyproject.toml").is_file() else Path.cwd()


def data_root() -> Path:
    """Root of all datasets: ``FACELAB_DATA``, or ``data/`` in the project."""
    given = os.environ.get("FACELAB_DATA")
    return Path(given).expanduser().resolve() if given else project_root() / "data"


def cache_root() -> Path:
    """Rebuildable files (decoded pictures, landmarks): ``FACELAB_CACHE``, or ``build/cache/`` in the project."""
    given = os.environ.get("FACELAB_CACHE")
    return Path(given).expanduser().resolve() if given else project_root() / "build" / "cache"


def weights_root() -> Path:
    """Shipped weights: ``weights/`` in the project."""
    return project_root() / "weights"


def runs_root() -> Path:
    """Training runs: ``runs/`` in the project."""
    return project_root() / "runs"


def usable_folder(path: str | Path) -> Path:
    """Make the folder that results go to, and prove that it takes files: long work must not end at a closed door.

    Raises:
        BadConfig: it is a file, or nothing can be written there.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BadConfig("out", str(path), f"a folder that files can be written to ({_why(error)})") from None
    return folder


def _why(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "a file has this name, or that of a folder above"
    return error.strerror or type(error).__name__


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; move it into place when the block ends well, else remove it.

    The bytes are on disk before the name appears (fsync, then rename, then fsync of the folder), so a
    killed process leaves the old file or the new one, never a part.

    Raises:
        BadConfig: a file stands where the folder should be.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadConfig("folder", str(path.parent), f"a folder that files can be written to ({_why(error)})") from None
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        with open(temporary, "rb") as done:
            os.fsync(done.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | Path, content: str) -> None:
    """Write ``content`` to ``path`` atomically, as UTF-8."""
    write_bytes(path, content.encode("utf-8"))


def sha256_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
