"""A list of every file of a dataset with its SHA-256, so that a later look can say what changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from facelab import files
from facelab.errors import BadArchive

NAME = "manifest.json"


@dataclass(frozen=True)
class Difference:
    """What a folder has that its manifest has not, and the other way round. All empty = the same bytes."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True where nothing differs."""
        return not (self.missing or self.changed or self.added)


def _listed(folder: Path) -> dict[str, Path]:
    """Every visible file below ``folder`` but the manifest itself, by relative path, in order."""
    found = {f.relative_to(folder).as_posix(): f for f in folder.rglob("*") if f.is_file()}
    return {
        name: found[name]
        for name in sorted(found)
        if name != NAME and not any(part.startswith(".") for part in name.split("/"))
    }


def write_manifest(folder: str | Path, name: str, source: str = "") -> Path:
    """Write ``manifest.json`` into ``folder``: dataset name, where it came from, size and SHA-256 of each file."""
    folder = Path(folder)
    entries = {
        path: {"bytes": file.stat().st_size, "sha256": files.sha256_file(file)}
        for path, file in _listed(folder).items()
    }
    content = {"format": 1, "dataset": name, "source": source, "count": len(entries), "files": entries}
    files.write_text(folder / NAME, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return folder / NAME


def verify_manifest(folder: str | Path, deep: bool = True) -> Difference:
    """Compare a folder with its manifest.

    Args:
        folder: holds ``manifest.json``.
        deep: compare SHA-256; False compares sizes only.

    Raises:
        BadArchive: the manifest itself is missing or unreadable.
    """
    folder = Path(folder)
    try:
        entries = json.loads((folder / NAME).read_text("utf-8"))["files"]
        expected = {str(path): (int(entry["bytes"]), str(entry["sha256"])) for path, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArchive(folder / NAME, f"no readable manifest ({type(error).__name__}: {error})") from error
    present = _listed(folder)
    both = [path for path in expected if path in present]
    changed = [path for path in both if not _equal(present[path], expected[path], deep)]
    missing = [path for path in expected if path not in present]
    added = [path for path in present if path not in expected]
    return Difference(tuple(missing), tuple(changed), tuple(added))


def _equal(file: Path, expected: tuple[int, str], deep: bool) -> bool:
    size, digest = expected
    return file.stat().st_size == size and (not deep or files.sha256_file(file) == digest)
