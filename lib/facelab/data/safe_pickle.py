"""Read ROF's lists: pickles from the network, opened by an unpickler that can build plain data and nothing else."""

from __future__ import annotations

import io
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facelab.errors import BadArchive

MAX_BYTES = 64 * 2**20
KINDS = "biuf"


class _Dtype:
    """Stands in for ``numpy.dtype``: remembers a number type, refuses everything else."""

    def __init__(self, code: str, *_: Any):
        if not isinstance(code, str) or len(code) > 4 or np.dtype(code).kind not in KINDS:
            raise pickle.UnpicklingError(f"numpy type {code!r} is not a number type")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(">" if state[1] == ">" else "<")


class _Array:
    """Stands in for ``numpy.ndarray``: takes raw bytes of a checked length; none of numpy's own loading runs."""

    values: list = []

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, fortran, raw = state
        raw = raw.encode("latin-1") if isinstance(raw, str) else raw
        count = math.prod(int(side) for side in shape)
        if count < 0 or not isinstance(raw, bytes) or count * kind.dtype.itemsize != len(raw):
            raise pickle.UnpicklingError("an array whose bytes do not fit its shape")
        self.values = np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if fortran else "C").tolist()


def _from_buffer(raw: bytes, kind: _Dtype, shape: tuple, order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, kind, order == "F", bytes(raw)))
    return array


def _scalar(kind: _Dtype, raw: bytes | str) -> float:
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    if len(raw) != kind.dtype.itemsize:
        raise pickle.UnpicklingError("a number whose bytes do not fit its type")
    return np.frombuffer(raw, kind.dtype)[0].item()


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"encoding {encoding!r}")
    return text.encode("latin-1")


class _Restricted(pickle._Unpickler):  # the Python one: a crafted memo index costs it no memory
    """Knows numpy's constructors and its type, each by a stand-in, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                return lambda *_: _Array()
            if name == "scalar":
                return lambda kind, raw: _scalar(kind, raw)
        if (module, name) in (("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer")):
            return lambda raw, kind, shape, order: _from_buffer(raw, kind, shape, order)
        known = {
            ("numpy", "ndarray"): "ndarray",
            ("numpy", "dtype"): lambda *args: _Dtype(*args),
            ("_codecs", "encode"): lambda text, encoding: _encode(text, encoding),
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known[module, name]


@dataclass(frozen=True)
class Photo:
    """One photograph of a ROF list: its key, its address, and a box (left, top, width, height), px, for each face."""

    key: str
    url: str
    boxes: tuple[tuple[float, float, float, float], ...]


def load_rof_list(path: str | Path) -> list[Photo]:
    """Read one ``NAME[_wearing_mask|_wearing_sunglasses].pkl``.

    Args:
        path: a pickle of ``{id: {"url": …, "faces": [{"box": [x, y, w, h], …}, …]}}``.

    Returns:
        The photographs in the file's order; what is not an address with boxes is left out.

    Raises:
        BadArchive: too large, damaged, asks for anything but plain data and numbers, or is laid out otherwise.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadArchive(path, f"more than {MAX_BYTES:,} bytes")
        content = _Restricted(io.BytesIO(path.read_bytes())).load()
    except BadArchive:
        raise
    except Exception as error:  # a crafted stream can raise nearly anything
        raise BadArchive(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise BadArchive(path, f"expected a dictionary of photographs, found {type(content).__name__}")
    photos = (_photo(key, entry) for key, entry in content.items())
    return [photo for photo in photos if photo is not None]


def _photo(key: Any, entry: Any) -> Photo | None:
    url, faces = (entry.get("url"), entry.get("faces")) if isinstance(entry, dict) else (None, None)
    faces = faces.values if isinstance(faces, _Array) else faces
    if not isinstance(url, str) or not isinstance(faces, list | tuple):
        return None
    boxes = [_box(face.get("box")) for face in faces if isinstance(face, dict)]
    return Photo(str(key)[:100], url, tuple(box for box in boxes if box is not None))


def _box(value: Any) -> tuple[float, float, float, float] | None:
    value = value.values if isinstance(value, _Array) else value
    numbers = list(value) if isinstance(value, list | tuple) else []
    if len(numbers) != 4 or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        return None
    left, top, width, height = (float(n) for n in numbers)
    return (left, top, width, height) if width > 0 and height > 0 else None
