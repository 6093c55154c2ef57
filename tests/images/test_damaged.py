"""A thousand damaged files: each decodes to the size it declares or raises ``BadImage``; nothing else happens."""

from __future__ import annotations

import io
import random
from collections import Counter

import numpy as np
from PIL import Image

from facelab import images
from facelab.data import cache, catalogue
from facelab.errors import BadImage

COUNT = 1000
NOT_PICTURES = (
    b"<!DOCTYPE html><html><body>404</body></html>",
    b"PK\x03\x04" + bytes(200),
    b'{"error": "quota exceeded"}',
    b"%PDF-1.7\n" + bytes(range(256)),
    bytes(3000),
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
)


def originals() -> list[tuple[str, bytes, tuple[int, int]]]:
    """Small JPEGs and PNGs, grey and colour: (suffix, bytes, size)."""
    made = []
    for seed, (kind, mode, size, options) in enumerate([
        ("JPEG", "RGB", (48, 40), {}), ("JPEG", "L", (40, 40), {}), ("JPEG", "RGB", (33, 47), {"progressive": True}),
        ("PNG", "RGB", (40, 48), {}), ("PNG", "L", (31, 29), {}), ("PNG", "RGBA", (24, 24), {}),
    ]):  # fmt: skip
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode).save(out, kind, **options)
        made.append((".jpg" if kind == "JPEG" else ".png", out.getvalue(), size))
    return made


def damaged() -> list[tuple[str, str, bytes]]:
    """(name, damage, bytes), the same every time."""
    chance, sources, files = random.Random(20), originals(), []
    for number in range(COUNT):
        suffix, raw, _ = sources[number % len(sources)]
        damage = ("truncated", "emptied", "wrong type", "bits flipped", "bits flipped")[number // 6 % 5]
        if damage == "truncated":
            raw = raw[: chance.randrange(1, len(raw)) if number % 4 else len(raw) - chance.randrange(1, 12)]
        elif damage == "emptied":
            raw = b""
        elif damage == "wrong type":
            raw = chance.choice(NOT_PICTURES)
        else:
            flipped = bytearray(raw)
            for _ in range(chance.choice((1, 1, 2, 8, 40))):
                flipped[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            raw = bytes(flipped)
        files.append((f"{number:04d}{suffix}", damage, raw))
    return files


def declared(raw: bytes) -> tuple[int, int]:
    """The size a file's header gives."""
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")
    with Image.open(io.BytesIO(raw)) as header:
        return header.size


def outcome(raw: bytes) -> str:
    try:
        picture = images.open_picture(raw)
    except BadImage:
        return "refused"
    assert picture.mode in ("L", "RGB") and sorted(picture.size) == sorted(declared(raw))
    assert images.from_pil(picture).isfinite().all()
    return "decoded"


def test_undamaged_originals_all_decode():
    for _, raw, size in originals():
        assert images.open_picture(raw).size == size


def test_a_thousand_damaged_files():
    files = damaged()
    found = Counter((damage, outcome(raw)) for _, damage, raw in files)
    assert sum(found.values()) == COUNT
    for damage in ("truncated", "emptied", "wrong type"):
        assert found[damage, "refused"] >= 190 and found[damage, "decoded"] == 0, found
    assert found["bits flipped", "refused"] > 50 and found["bits flipped", "decoded"] > 50, found


def test_caching_a_folder_of_them_goes_on(tmp_path):
    files = damaged()
    (tmp_path / "f").mkdir()
    for name, _, raw in files:
        (tmp_path / "f" / name).write_bytes(raw)
    dataset = catalogue.open_dataset(f"folder:{tmp_path / 'f'}")
    rows = cache.cached(dataset, 16, root=tmp_path / "c")
    refused = {name for name, _, raw in files if outcome(raw) == "refused"}
    assert {name for name, _ in rows.rejected} == refused
    assert len(rows) + len(rows.rejected) == COUNT and len(rows) > 50
    assert rows.batch(range(len(rows))).isfinite().all()
