"""Archives that would climb out, link, explode or break off: refused whole, nothing left behind."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile

import pytest

from facelab.data.archives import extract
from facelab.errors import BadArchive


def tar(path, members, mode="w:gz"):
    """members: (name, bytes) or a TarInfo."""
    with tarfile.open(path, mode) as out:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                out.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            out.addfile(info, io.BytesIO(member[1]))
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members:
            out.writestr(name, content)
    return path


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = [("set/a/1.jpg", b"one"), ("set/b/2.jpg", b"two" * 1000)]


@pytest.mark.parametrize("make, name", [(tar, "s.tgz"), (zipped, "s.zip")])
def test_good_archive(tmp_path, make, name):
    assert extract(make(tmp_path / name, GOOD), tmp_path / "out") == [tmp_path / "out" / "set"]
    assert (tmp_path / "out/set/b/2.jpg").read_bytes() == b"two" * 1000
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["set"]


BAD_NAMES = ["../evil", "set/../../evil", "/tmp/facelab-evil", "C:/evil", "set\\..\\evil"]


@pytest.mark.parametrize("make, archive", [(tar, "s.tgz"), (zipped, "s.zip")])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_outside(tmp_path, make, archive, name):
    path = make(tmp_path / archive, [*GOOD, (name, b"evil")])
    with pytest.raises(BadArchive, match="outside"):
        extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == [] and not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_tar_links_and_devices(tmp_path, kind):
    path = tar(tmp_path / "s.tar", [*GOOD, link("set/x", "/etc/passwd", kind)], "w")
    with pytest.raises(BadArchive, match="link or device"):
        extract(path, tmp_path / "out")


def test_zip_link(tmp_path):
    info = zipfile.ZipInfo("set/x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(BadArchive, match="link or device"):
        extract(zipped(tmp_path / "s.zip", [(info, "/etc/passwd")]), tmp_path / "out")


def test_too_many_files_and_too_many_bytes(tmp_path):
    path = tar(tmp_path / "s.tgz", GOOD)
    with pytest.raises(BadArchive, match="2 members"):
        extract(path, tmp_path / "out", max_files=1)
    with pytest.raises(BadArchive, match="3,003 bytes"):
        extract(path, tmp_path / "out", max_bytes=3002)
    assert extract(path, tmp_path / "out", max_files=2, max_bytes=3003)


def test_zip_that_lies_about_its_size(tmp_path):
    path = zipped(tmp_path / "s.zip", [("bomb", bytes(100_000))])
    raw = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(raw)
    with pytest.raises(BadArchive):
        extract(path, tmp_path / "out", max_bytes=1000)
    assert list((tmp_path / "out").iterdir()) == []


def test_same_name_twice(tmp_path):
    with pytest.raises(BadArchive, match="twice"):
        extract(tar(tmp_path / "s.tgz", [*GOOD, GOOD[0]]), tmp_path / "out")


@pytest.mark.parametrize("make, name", [(tar, "s.tgz"), (zipped, "s.zip")])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_cut_off(tmp_path, make, name, share):
    path = make(tmp_path / name, GOOD)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(BadArchive):
        extract(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_never_overwrites_what_is_there(tmp_path):
    (tmp_path / "out/set").mkdir(parents=True)
    (tmp_path / "out/set/mine.txt").write_text("mine")
    with pytest.raises(BadArchive, match="already there"):
        extract(tar(tmp_path / "s.tgz", GOOD), tmp_path / "out")
    assert [f.name for f in (tmp_path / "out/set").iterdir()] == ["mine.txt"]


def test_missing_archive(tmp_path):
    with pytest.raises(BadArchive, match="no such file"):
        extract(tmp_path / "none.zip", tmp_path / "out")
