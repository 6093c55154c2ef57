"""A manifest says which files went, changed or came."""

import pytest

from facelab.data.manifest import verify_manifest, write_manifest
from facelab.errors import BadArchive


def test_manifest_sees_every_difference(tmp_path):
    for name in ("a/1.jpg", "a/2.jpg", "b/3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    write_manifest(tmp_path, "toy", "nowhere")
    assert verify_manifest(tmp_path).same
    (tmp_path / "a/1.jpg").unlink()
    (tmp_path / "a/2.jpg").write_bytes(b"A/2.jpg")  # same length, other bytes
    (tmp_path / "c.jpg").write_bytes(b"new")
    found = verify_manifest(tmp_path)
    assert (found.missing, found.changed, found.added) == (("a/1.jpg",), ("a/2.jpg",), ("c.jpg",))
    assert verify_manifest(tmp_path, deep=False).changed == ()


@pytest.mark.parametrize("content", [None, "", "{}", '{"files": [1]}', '{"files": {"a": {}}}'])
def test_unreadable_manifest(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BadArchive, match="manifest"):
        verify_manifest(tmp_path)
