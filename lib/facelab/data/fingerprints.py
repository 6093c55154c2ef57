"""When is what was computed from a dataset still good? And where is it kept?"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from facelab import files
from facelab.data.dataset import FaceDataset

VERSION = 1  # raise when the way a cached row is made changes


def fingerprint(dataset: FaceDataset) -> str:
    """64 hex digits that change when a file is added, removed, renamed or written again."""
    digest = hashlib.sha256(f"{VERSION}/{dataset.name}/{dataset.frame.__qualname__}{dataset.made}\n".encode())
    for index, item in enumerate(dataset.items):
        try:
            state = item.file.stat()
            line = f"{dataset.relative(index)}\t{state.st_size}\t{state.st_mtime_ns}\n"
        except OSError:
            line = f"{dataset.relative(index)}\tgone\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def place_of(dataset: FaceDataset, what: str, key: str, root: str | Path | None) -> Path:
    """Where something computed from a set is kept; ``key`` is its :func:`fingerprint`. No set has another's place."""
    base = Path(root) if root is not None else files.cache_root()
    place = hashlib.sha256(str(dataset.root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    made_of = r"folder:.*?(?=(:turned|:nir)?(:aligned)?$)"  # its path decides about ``place``
    short = re.sub(made_of, "folder", dataset.name)
    name = re.sub(r"[^A-Za-z0-9]+", "_", short)
    return base / f"{name}-{place}-{what}-{key[:16]}"
