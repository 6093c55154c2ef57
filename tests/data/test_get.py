"""Getting a set: what is placed is verified, what cannot be fetched is explained, the scripts agree."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from facelab.data import catalogue, get
from facelab.data.manifest import verify_manifest
from facelab.errors import BadArchive, BadConfig, DownloadFailed, MissingPart


@pytest.fixture
def archive(tmp_path, photo, monkeypatch):
    """A tiny lfw-deepfunneled.tgz whose MD5 is taken for the published one."""
    photo(tmp_path / "made/lfw-deepfunneled/Ann/Ann_0001.jpg", (250, 250))
    path = tmp_path / "made/lfw-deepfunneled.tgz"
    with tarfile.open(path, "w:gz") as out:
        out.add(tmp_path / "made/lfw-deepfunneled", "lfw-deepfunneled")
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(get, "LFW", (replace(get.LFW[0], md5=md5), *get.LFW[1:]))
    return path


def quiet(_line):
    pass


def test_published_checksums():
    assert [a.md5 for a in get.LFW] == [
        "68331da3eb755a505a502b5aacb3c201",
        "1b42dfed7d15c9b2dd63d5e5840c86ad",
        "a17d05bd522c52d84eca14327a23d494",
    ]
    assert set(get.STEPS) == set(catalogue.CATALOGUE)


def test_placed_archive_is_verified_unpacked_and_listed(tmp_path, archive):
    root = tmp_path / "root"
    root.mkdir()
    archive.rename(root / archive.name)
    found = get.get("lfw", root, say=quiet)
    assert (found.photos, found.people, found.ok) == (1, 1, True)
    assert verify_manifest(root / "lfw-deepfunneled").same
    assert get.get("lfw", root, say=quiet).photos == 1  # again: nothing to do


def test_wrong_archive_is_refused(tmp_path, archive):
    root = tmp_path / "root"
    root.mkdir()
    (root / archive.name).write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(BadArchive, match="md5"):
        get.get("lfw", root, say=quiet)
    assert [f.name for f in root.iterdir()] == [archive.name]


def test_mirror(tmp_path, archive, server):
    server.body = archive.read_bytes()
    assert get.get("lfw", tmp_path / "root", server.at("lfw-deepfunneled.tgz"), say=quiet).photos == 1


def test_lying_mirror(tmp_path, archive, server):
    with pytest.raises(DownloadFailed, match="md5"):
        get.get("lfw", tmp_path / "root", server.at("lfw-deepfunneled.tgz"), say=quiet)


@pytest.mark.parametrize("name", ["lfw", "celeba", "rof", "deocclusion", "kface", "casia", "realmasks", "irregular"])
def test_what_cannot_be_fetched_comes_with_steps(tmp_path, name):
    with pytest.raises(MissingPart) as caught:
        get.get(name, tmp_path, say=quiet)
    assert str(tmp_path) in caught.value.hint and len(caught.value.hint) > 80


def test_orl_needs_nothing_and_is_not_written_to(tmp_path):
    lines = []
    found = get.get("orl", tmp_path, say=lines.append, limit=3)
    assert found.photos == 400 and lines == []


def test_unknown_set_and_needless_source(tmp_path):
    with pytest.raises(BadConfig, match="orl"):
        get.get("mnist", tmp_path)
    with pytest.raises(BadConfig, match="no archive"):
        get.get("realmasks", tmp_path, source="x.zip")


@pytest.mark.parametrize("inside", ["", "Face-de-occlusion/"])
def test_deocclusion_archive_with_or_without_a_folder_of_its_own(tmp_path, photo, inside):
    file = photo(tmp_path / "a.jpg")
    with zipfile.ZipFile(tmp_path / "deocclusion.zip", "w") as out:
        for name in ("GT_train/image_train_0001", "occ_train/image_train_0001_cup1"):
            out.write(file, f"{inside}Synthetic/train/{name}.jpg")
    assert get.get("deocclusion", tmp_path, say=quiet).groups == {"truth": 1, "occluded": 1}
    assert not (tmp_path / ".deocclusion").exists()


def test_describe_says_what_is_wrong(tmp_path, photo):
    photo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"")
    text = "\n".join(get.describe(catalogue.check(f"folder:{tmp_path}")))
    assert "2 photos" in text and "1 cannot be used" in text and "b.jpg: the file is empty" in text


def test_every_set_has_its_script_and_the_scripts_run(repo, tmp_path):
    scripts = repo / "data_scripts"
    assert {f.name for f in scripts.glob("*.py")} >= {e.script for e in catalogue.CATALOGUE.values()}
    library = {"PYTHONPATH": str(repo / "lib"), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, scripts / "lfw.py", "--root", tmp_path], env=library, capture_output=True, text=True
    )
    assert ran.returncode == 1 and "MD5 is checked" in ran.stdout and "Traceback" not in ran.stderr


@pytest.mark.real_data
def test_real_copy_where_there_is_one():
    from facelab import files

    if not (Path(files.data_root()) / "realmasks").is_dir():
        pytest.skip("no realmasks under FACELAB_DATA")
    assert catalogue.check("realmasks", limit=20).ok
