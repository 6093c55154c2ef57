"""Splits: known answers, nobody in two of them."""

from __future__ import annotations

import hashlib

import pytest

from facelab.data import catalogue, splits
from facelab.data.dataset import FaceDataset, Item
from facelab.errors import BadConfig


def test_orl_people_of_each_split_are_these():
    dataset = catalogue.open_dataset("orl")
    people = {part: {dataset.items[i].identity for i in splits.split(dataset, part)} for part in splits.SPLITS}
    assert people["test"] == {"s3", "s6", "s12", "s17", "s26", "s29", "s30", "s36"}
    assert people["val"] == {"s5", "s11", "s19", "s23", "s31", "s37", "s39"}
    assert len(people["train"]) == 25


@pytest.mark.parametrize("dataset, who", [("orl", "s1"), ("lfw", "George_W_Bush"), ("realmasks", "de947bc673.jpg")])
def test_bucket_is_the_rule_as_written(dataset, who):
    digest = hashlib.sha256(f"facelab/v1/{dataset}/{who}".encode()).hexdigest()
    assert splits.bucket(dataset, who) == int(digest[:8], 16) % 100


def test_bucket_known_answers():
    assert [splits.bucket("orl", f"s{n}") < 20 for n in (3, 6, 12, 1, 2)] == [True, True, True, False, False]
    assert splits.bucket("folder:/a/b", "ann") == splits.bucket("folder:/elsewhere", "ann")


def test_splits_are_disjoint_by_person_and_complete(tmp_path):
    items = [Item(tmp_path / f"p{n % 300}/{n}.jpg", f"p{n % 300}") for n in range(3000)]
    dataset = FaceDataset("toy", tmp_path, items)
    parts = {name: splits.split(dataset, name) for name in splits.SPLITS}
    people = [{items[i].identity for i in rows} for rows in parts.values()]
    assert not (people[0] & people[1] or people[0] & people[2] or people[1] & people[2])
    assert sorted(sum(parts.values(), [])) == list(range(3000))
    assert abs(len(parts["test"]) / 3000 - 0.2) < 0.07 and abs(len(parts["val"]) / 3000 - 0.1) < 0.05


def test_without_identity_the_file_name_decides_wherever_the_file_lies(tmp_path):
    here, there = Item(tmp_path / "a/x.jpg"), Item(tmp_path / "b/x.jpg")
    assert splits.split_of("toy", here) == splits.split_of("toy", there)
    assert here.who == "x.jpg" and Item(here.file, "ann").who == "ann" and Item(here.file, "").who == ""


def test_order_of_the_items_does_not_matter(tmp_path):
    items = [Item(tmp_path / f"{n}.jpg", f"p{n}") for n in range(50)]
    forward = splits.split(FaceDataset("toy", tmp_path, items), "test")
    backward = splits.split(FaceDataset("toy", tmp_path, items[::-1]), "test")
    assert sorted(forward) == sorted(49 - i for i in backward)


def test_another_name_is_refused():
    with pytest.raises(BadConfig, match="validation"):
        splits.split(catalogue.open_dataset("orl"), "validation")
