"""Published holes: which colour is hidden is found out, twice; nothing is guessed where it cannot be."""

import sys
import zipfile

import pytest
import torch

from facelab import images
from facelab.data import get
from facelab.data.catalogue import open_dataset
from facelab.data.hole_pictures import hidden_colour, published_holes
from facelab.errors import BadArchive, BadConfig, BadImage, LayoutError
from facelab.occlude.irregular import irregular_holes
from facelab.seeding import generator
from facelab.studies import inpainting
from facelab.studies.parts import faces

NVIDIA, QD = "mask/testing_mask_dataset", "qd_imd/test"


def place(root, folder, holes, black=False):
    for number, hole in enumerate(holes):
        path = root / "irregular" / folder / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        images.save_hole(1 - hole if black else hole, path)


def drawn(seed=0, count=24, border=None, share=(0.05, 0.5)):
    return irregular_holes(count, generator(seed, "published"), 64, share, border)


@pytest.fixture
def root(tmp_path, monkeypatch):
    place(tmp_path, NVIDIA, drawn(0))
    place(tmp_path, QD, drawn(1), black=True)
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    return tmp_path


def test_both_polarities_come_out_as_one(root):
    dataset = open_dataset("irregular")
    assert {name: len(places) for name, places in dataset.groups.items()} == {"nvidia_test": 24, "qd_imd_test": 24}
    for group, holes in (("nvidia_test", drawn(0)), ("qd_imd_test", drawn(1))):
        assert torch.equal(published_holes(dataset, group, range(24), 64), holes)
    small = published_holes(dataset, "qd_imd_test", [3, 5], 32)
    assert small.shape == (2, 1, 32, 32) and set(small.unique().tolist()) == {0.0, 1.0}
    with pytest.raises(LayoutError, match="nvidia_train"):
        published_holes(dataset, "nvidia_train", [0], 64)


def test_what_black_means_is_not_guessed(root):
    files = [item.file for item in open_dataset("irregular").items]
    with pytest.raises(LayoutError, match="white covers"):
        hidden_colour(files)  # both sets together: half of the pictures one way, half the other
    frames = torch.zeros(24, 1, 64, 64)
    frames[..., :6, :] = frames[..., -6:, :] = 1  # the smaller part lies along the border
    place(root, "disocclusion_img_mask", frames)
    with pytest.raises(LayoutError, match="border"):
        published_holes(open_dataset("irregular"), "nvidia_train", [0], 64)


def test_bad_holes_are_named(root):
    file = next(item.file for item in open_dataset("irregular").items)
    images.save_hole(torch.linspace(0, 1, 64).expand(1, 64, 64), file)
    with pytest.raises(BadImage, match="black and white"):
        published_holes(open_dataset("irregular"), "nvidia_test", [0], 64)


def test_one_bad_file_does_not_decide_about_a_set(root):
    files = [item.file for item in open_dataset("irregular").items][:24]
    files[0].write_bytes(b"no picture")
    files[23].write_bytes(b"no picture")
    assert hidden_colour(files) == "white"
    with pytest.raises(BadImage):
        hidden_colour([files[0], files[23]])


def test_other_folders_are_said(root, tmp_path):
    place(tmp_path, "mine", drawn(2, 3))
    assert open_dataset("irregular").notes == ["3 pictures lie in folders of other names, and are left out"]


def test_the_script_says_which_colour_is_hidden(root, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["irregular.py"])
    assert get.main("irregular") == 0
    said = capsys.readouterr().out
    assert "nvidia_test: 24 holes, white is hidden" in said and "qd_imd_test: 24 holes, black is hidden" in said


def test_a_placed_archive_is_unpacked_and_another_is_refused(tmp_path, monkeypatch):
    place(tmp_path / "made", "testing_mask_dataset", drawn(0, 8))
    archive = tmp_path / "test_mask.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for file in sorted((tmp_path / "made").rglob("*.png")):
            out.write(file, f"mask/testing_mask_dataset/{file.name}")
    root, said = tmp_path / "root", []
    half = tmp_path / "half" / archive.name
    half.parent.mkdir()
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(BadArchive):
        get.get("irregular", root, str(half), say=said.append)
    found = get.get("irregular", root, str(archive), say=said.append)
    assert found.groups == {"nvidia_test": 8} and any("white is hidden" in line for line in said)
    with pytest.raises(BadConfig, match="qd_imd.tar.gz"):
        get.get("irregular", root, "/nowhere/other.zip", say=said.append)


def test_they_are_judged_on_where_they_are(root):
    part = faces("orl", "test", 64)
    trial = inpainting.published_trial(part, 12, "qd_imd_test")
    assert torch.equal(trial.hole, drawn(1)[::2]) and trial.given
    assert (trial.occluded == torch.where(trial.hole > 0, torch.zeros(()), trial.truth)).all()


def test_holes_are_not_taken_for_faces(root):
    with pytest.raises(BadConfig, match="holes"):
        faces("irregular", "train", 64)
