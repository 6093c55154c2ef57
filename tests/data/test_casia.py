"""CASIA NIR-VIS 2.0: the published tree, lists with backslashes and other endings, filters by hand, wrong roots."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain

import pytest
from PIL import Image

from facelab import cli
from facelab.data import casia_subjects as subjects
from facelab.data import catalogue, get
from facelab.data.casia import Photo, open_casia, photo_of, photos, protocol
from facelab.data.casia_names import in_front
from facelab.data.fingerprints import fingerprint, place_of
from facelab.data.splits import SPLITS, split
from facelab.errors import BadConfig, LayoutError

NAMES = ("casia:study", "casia:crops")
TWO = ("s1/VIS/00001/001.jpg", "s1/NIR/00001/001.bmp")


def place(folder, *names):
    """Files of these names that cannot be decoded: opening must not try."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"no picture")
    return folder


def listed(folder, name, *lines, newline="\r\n"):
    (folder / "protocols").mkdir(parents=True, exist_ok=True)
    (folder / "protocols" / name).write_text(newline.join(lines) + newline, newline="")


def names(dataset, indices=None):
    return [dataset.relative(index) for index in (range(len(dataset)) if indices is None else indices)]


# -------------------------------------------------------------------------------------------- names
def test_a_path_says_who_when_in_which_light_and_which():
    assert photo_of("s2/NIR/10039/016.bmp") == Photo("10039", "nir", 2, 16)
    assert (
        photo_of("s2\\NIR\\10039\\016.bmp")
        == photo_of("NIR-VIS-2.0/S2/nir/10039/16.JPG")
        == photo_of("C:\\sets\\s2\\NIR\\10039\\016.jpeg ")
    )
    assert photo_of("s4/VIS_128x128/00118/001.bmp") == Photo("00118", "vis", 4, 1, crop=True)
    assert photo_of("VIS_128x128/00118/001.bmp").session == 0
    assert photo_of("s4/VIS/00118/001.jpg").key == photo_of("s4/VIS_128x128/00118/001.bmp").key
    assert in_front("a/b/s1/VIS/00001/001.jpg") == "a/b" and in_front(TWO[0]) == "" and in_front("x.jpg") is None


@pytest.mark.parametrize(
    "name",
    [
        "VIS/00001/001.jpg",
        "s5/VIS/00001/001.jpg",
        "s1/UV/00001/001.jpg",
        "s1/VIS/0001/001.jpg",
        "s1/VIS/00001/eyes.jpg",
        "s1/VIS/00001/001.txt",
        "s1/VIS_64x64/00001/001.bmp",
        "xs1/VIS/00001/001.jpg",
        "s1/XVIS/00001/001.jpg",
        "",
    ],
)
def test_other_names(name):
    assert photo_of(name) is None


# ------------------------------------------------------------------------------------------ the set
@pytest.mark.parametrize("folder", ["casia/NIR-VIS-2.0", "casia", "NIR-VIS-2.0", "CASIA/nir-vis-2.0"])
def test_two_pictures_in_the_published_layout(tmp_path, photo, monkeypatch, capsys, folder):
    photo(tmp_path / folder / TWO[0], (64, 48))
    photo(tmp_path / folder / TWO[1], (64, 48), mode="L")
    dataset = catalogue.open_dataset("casia", tmp_path)
    assert (dataset.name, len(dataset), dataset.identities, dataset.channels) == ("casia", 2, {"00001"}, 3)
    assert [dataset.relative(dataset.groups[kind][0]) for kind in ("vis", "nir")] == list(TWO)
    assert dataset.pairs == [] and dataset[0].shape == dataset[1].shape == (3, 48, 48)
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    assert cli.main(["data", "check", "casia"]) == 0
    said = capsys.readouterr().out
    assert (
        "casia: 2 photos, 1 people" in said and "vis 1, nir 1" in said and "partial: 1 of 725 people; from s1" in said
    )
    assert "0 cannot be used" in said


def test_nothing_is_decoded_at_opening_and_the_order_is_by_subject(tmp_path, monkeypatch):
    shown = ["s2/VIS/00002/002.jpg", "s1/VIS/00002/010.jpg", "s1/VIS/00002/009.jpg", "s1/NIR/00001/001.jpg"]
    place(tmp_path / "casia", *shown)
    monkeypatch.setattr(Image, "open", None)
    dataset = open_casia(tmp_path)
    assert names(dataset) == [shown[3], shown[2], shown[1], shown[0]]
    assert [(photo.session, photo.number) for photo in photos(dataset)] == [(1, 1), (1, 9), (1, 10), (2, 2)]


def test_a_subject_of_several_sessions_is_one_person_in_one_split(tmp_path):
    people = [f"{n:05d}" for n in range(40)]
    place(tmp_path / "casia", *(f"s{s}/{kind}/{p}/001.jpg" for s in (1, 3) for kind in ("VIS", "NIR") for p in people))
    dataset = open_casia(tmp_path)
    who = [{dataset.items[index].identity for index in split(dataset, part)} for part in SPLITS]
    assert sorted(chain(*who)) == people and all(who)


def test_whole_photographs_come_before_crops_and_never_together(tmp_path):
    crops = ["s1/VIS_128x128/00001/001.bmp", "s1/NIR_128x128/00001/001.bmp"]
    place(tmp_path / "casia", *crops)
    dataset = open_casia(tmp_path)
    assert names(dataset) == crops[::-1] and "aligned crops are read" in dataset.notes
    place(tmp_path / "casia", TWO[0])
    assert names(open_casia(tmp_path)) == crops[::-1]  # whole photographs are there in one light only
    place(tmp_path / "casia", TWO[1])
    assert names(open_casia(tmp_path)) == [TWO[1], TWO[0]]
    assert "2 aligned crops are here too, and not read" in open_casia(tmp_path).notes
    assert names(open_casia(tmp_path, crops=True)) == crops[::-1]
    assert "2 whole photographs are here too, and not read" in open_casia(tmp_path, crops=True).notes


def test_a_folder_of_the_name_with_something_else_is_passed_over(tmp_path):
    place(tmp_path / "casia", "holiday/1.jpg")
    place(tmp_path / "NIR-VIS-2.0", *TWO)
    assert open_casia(tmp_path).root == tmp_path / "NIR-VIS-2.0"


def test_other_names_are_counted_and_left_out(tmp_path):
    place(tmp_path / "casia", *TWO, "s1/VIS/00001/copy.jpg", "s1/VIS/00001/.001.jpg", "s1/VIS/00001/001.txt")
    dataset = open_casia(tmp_path)
    assert len(dataset) == 2
    assert "1 pictures have other names, for example s1/VIS/00001/copy.jpg, and are left out" in dataset.notes


def test_the_ending_says_nothing_about_the_content(tmp_path, photo):
    for name in TWO:
        photo(tmp_path / "a.png", (32, 32)).rename(place(tmp_path / "casia", name) / name)
    assert catalogue.check("casia", tmp_path).ok


# ------------------------------------------------------------------------------------- wrong places
def wrong(root):
    with pytest.raises(LayoutError) as caught:
        open_casia(root)
    assert "data_scripts/casia.py" in caught.value.hint
    return caught.value


def test_no_set_at_all(tmp_path):
    assert wrong(tmp_path).found == wrong(tmp_path / "nowhere").found == "no such folder"
    (tmp_path / "casia").mkdir()
    assert wrong(tmp_path).found == "no pictures"
    place(tmp_path / "casia", "holiday/1.jpg")
    assert wrong(tmp_path).found == "1 pictures, none named so, for example holiday/1.jpg"


@pytest.mark.parametrize("kept, lost", [("VIS", "NIR"), ("NIR", "VIS")])
def test_only_one_kind_of_light(tmp_path, kept, lost):
    place(tmp_path / "casia", f"s1/{kept}/00001/001.jpg", f"s2/{kept}/00001/001.jpg")
    error = wrong(tmp_path)
    assert error.found == f"2 pictures in {kept} and none in {lost}" and "both kinds" in error.hint


def test_a_folder_too_high(tmp_path):
    place(tmp_path / "casia/download/NIR-VIS-2.0", *TWO)
    error = wrong(tmp_path)
    assert "download/NIR-VIS-2.0/" in error.found and "Move" in error.hint
    (tmp_path / "casia").rename(tmp_path / "sets")
    place(tmp_path / "sets/NIR-VIS-2.0", *TWO)
    error = wrong(tmp_path)
    assert error.found == "the set in sets/" and f"Give {tmp_path / 'sets'} instead" in error.hint


def test_a_folder_too_low(tmp_path):
    place(tmp_path / "casia", "VIS/00001/001.jpg", "NIR/00001/001.jpg")
    error = wrong(tmp_path)
    assert "in no session's folder" in error.found and "s1/" in error.hint
    place(tmp_path / "set", *TWO)
    for root, seen in ((tmp_path / "set", "s1/ without it"), (tmp_path / "set/s1", "VIS/ without it")):
        assert wrong(root).found == seen and "holds casia/ or NIR-VIS-2.0/" in wrong(root).hint


def test_the_list_of_sets_says_what_is_wrong(tmp_path):
    assert {row.name: row for row in catalogue.report(tmp_path)}["casia"].notes == ()
    place(tmp_path / "casia", TWO[0])
    row = {row.name: row for row in catalogue.report(tmp_path)}["casia"]
    assert not row.here and "none in NIR" in row.notes[0]


# -------------------------------------------------------------------------------------------- lists
@pytest.fixture
def three(tmp_path):
    shown = ["s1/VIS/00001/001.jpg", "s1/NIR/00001/001.bmp", "s2/NIR/10002/012.bmp"]
    return place(tmp_path / "casia/NIR-VIS-2.0", *shown)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_list_with_backslashes(tmp_path, three, newline):
    listed(three, "nir_probe_1.txt", "s2\\NIR\\10002\\012.bmp", "", "s1\\NIR\\00001\\001.bmp 1", newline=newline)
    listed(three, "vis_gallery_dev.txt", "\ufeffs1/VIS/00001/001.jpg")
    dataset = open_casia(tmp_path)
    before = list(dataset.notes)
    assert names(dataset, protocol(dataset, "nir_probe_1")) == ["s2/NIR/10002/012.bmp", "s1/NIR/00001/001.bmp"]
    assert names(dataset, protocol(dataset, "vis_gallery_dev.txt")) == ["s1/VIS/00001/001.jpg"]
    assert dataset.notes == before and not any("protocols" in note for note in before)


def test_a_list_with_the_other_ending_and_case_is_followed_and_noted(tmp_path, three):
    listed(three, "nir_train_1.txt", "S1\\nir\\00001\\001.JPG", "s2\\NIR\\10002\\012.bmp")
    dataset = open_casia(tmp_path)
    for _ in range(2):  # said once
        assert len(protocol(dataset, "nir_train_1")) == 2
    said = [note for note in dataset.notes if "ending" in note]
    assert said == [
        "nir_train_1.txt: 1 lines have another ending here, S1\\nir\\00001\\001.JPG is s1/NIR/00001/001.bmp"
    ]


@pytest.mark.parametrize("session", ["s1/", ""])
def test_crops_are_found_by_the_lists_of_the_photographs(tmp_path, session):
    folder = place(tmp_path / "casia", f"{session}VIS_128x128/00001/001.bmp", f"{session}NIR_128x128/00001/002.bmp")
    listed(folder, "vis_train_10.txt", "s1\\VIS\\00001\\001.jpg")
    dataset = open_casia(tmp_path)
    assert names(dataset, protocol(dataset, "vis_train_10")) == [f"{session}VIS_128x128/00001/001.bmp"]


def test_lines_without_a_picture_are_counted(tmp_path, three):
    listed(three, "nir_probe_2.txt", "s1\\NIR\\00001\\001.bmp", "s3\\NIR\\00001\\001.bmp", "nonsense")
    dataset = open_casia(tmp_path)
    with pytest.raises(LayoutError, match="found 2 of 3 lines without a picture here, for example s3.*partial=True"):
        protocol(dataset, "nir_probe_2")
    assert names(dataset, protocol(dataset, "nir_probe_2", partial=True)) == ["s1/NIR/00001/001.bmp"]
    assert any("nir_probe_2.txt: 2 of 3 lines" in note for note in dataset.notes)


@pytest.mark.parametrize("lines, seen", [((), "an empty file"), (("s4\\NIR\\00001\\001.bmp",), "1 of 1 lines")])
def test_a_list_of_nothing_here(tmp_path, three, lines, seen):
    listed(three, "nir_probe_3.txt", *lines)
    with pytest.raises(LayoutError, match=seen):
        protocol(open_casia(tmp_path), "nir_probe_3", partial=True)


def test_a_missing_list(tmp_path, three):
    dataset = open_casia(tmp_path)
    assert "no protocols/: the publisher's lists cannot be used" in dataset.notes
    with pytest.raises(LayoutError, match=r"nir_probe_1.txt: expected a list.*found no list.*protocols/ beside s1/"):
        protocol(dataset, "nir_probe_1")
    listed(three, "nir_train_1.txt", "s1\\NIR\\00001\\001.bmp")
    with pytest.raises(LayoutError, match="found only nir_train_1"):
        protocol(dataset, "nir_probe_1")
    for name in ("probe_1", "../nir_probe_1", ""):
        with pytest.raises(BadConfig, match="vis_gallery_1"):
            protocol(dataset, name)


@pytest.mark.parametrize("folder", ["casia/NIR-VIS-2.0/Protocols", "casia/protocol"])
def test_lists_beside_the_set(tmp_path, three, folder):
    listed(three, "NIR_train_1.txt", "s1\\NIR\\00001\\001.bmp")
    (tmp_path / "casia/NIR-VIS-2.0/protocols").rename(tmp_path / folder)
    assert len(protocol(open_casia(tmp_path), "nir_train_1")) == 1


def test_of_two_files_of_one_picture_the_one_in_the_lists_is_used(tmp_path, three):
    place(three, "s1/NIR/00001/001.jpg", "s1/VIS/00001/001.bmp")
    dataset = open_casia(tmp_path)
    assert len(dataset) == 3 and names(dataset)[:2] == ["s1/NIR/00001/001.bmp", "s1/VIS/00001/001.bmp"]
    note = next(note for note in dataset.notes if "twice" in note)
    assert "2 pictures" in note and "s1/NIR/00001/001.bmp and s1/NIR/00001/001.jpg" in note
    listed(three, "nir_train_1.txt", "s1\\NIR\\00001\\001.jpg")
    listed(three, "vis_train_1.txt", "s1\\VIS\\00001\\001.jpeg")
    dataset = open_casia(tmp_path)
    assert names(dataset)[:2] == ["s1/NIR/00001/001.jpg", "s1/VIS/00001/001.jpg"]
    assert protocol(dataset, "nir_train_1") == [0] and protocol(dataset, "vis_train_1") == [1]
    assert not any("ending" in note for note in dataset.notes)


# ------------------------------------------------------------------------------------------ filters
COUNTS = {"00001": (1, 12), "00002": (2, 3), "00003": (3, 5), "00004": (10, 8), "00005": (0, 9), "00006": (4, 0)}


@pytest.fixture
def study(tmp_path):
    """Six subjects with (VIS, NIR) pictures as in COUNTS; every second one lies in session 2."""
    for person, counts in COUNTS.items():
        for kind, count in zip(("VIS", "NIR"), counts, strict=True):
            place(tmp_path / "casia", *(f"s{1 + n % 2}/{kind}/{person}/{n:03d}.jpg" for n in range(1, count + 1)))
    return open_casia(tmp_path)


def sizes(dataset, indices):
    """(VIS, NIR) pictures of each subject, counted from the paths and not by the code under test."""
    found = {}
    for name in names(dataset, indices):
        _, kind, person, _ = name.split("/")
        counts = found.setdefault(person, [0, 0])
        counts[kind == "NIR"] += 1
    return {person: tuple(counts) for person, counts in sorted(found.items())}


def test_the_filters_one_by_one(study):
    assert sizes(study, None) == COUNTS
    assert set(sizes(study, subjects.in_both(study))) == {"00001", "00002", "00003", "00004"}
    assert sizes(study, subjects.without_single(study)) == COUNTS | {"00001": (0, 12)}
    assert sizes(study, subjects.at_least(study, 5)) == {"00001": (0, 12), "00003": (0, 5)} | {
        person: COUNTS[person] for person in ("00004", "00005")
    }
    assert sizes(study, subjects.at_most(study, 2)) == {p: (min(a, 2), min(b, 2)) for p, (a, b) in COUNTS.items()}
    assert sizes(study, subjects.of_sessions(study, [1]))["00001"] == (0, 6)
    assert subjects.of_sessions(study, [3]) == []


def test_the_first_pictures_are_kept_by_session_and_number(study):
    kept = [name for name in names(study, subjects.at_most(study, 6)) if "VIS/00004" in name]
    assert kept == [f"s1/VIS/00004/{n:03d}.jpg" for n in (2, 4, 6, 8, 10)] + ["s2/VIS/00004/001.jpg"]
    backwards = replace(study, items=study.items[::-1])
    assert sizes(backwards, None) == COUNTS
    assert set(names(backwards, subjects.at_most(backwards, 6))) == set(names(study, subjects.at_most(study, 6)))


def test_select_is_the_paper_s_three_to_eight(study):
    kept = subjects.select(study)
    assert kept == sorted(set(kept))
    assert sizes(study, kept) == {
        "00001": (0, 8),
        "00002": (0, 3),
        "00003": (3, 5),
        "00004": (8, 8),
        "00005": (0, 8),
        "00006": (4, 0),
    }
    assert subjects.tally(study, kept) == {"vis": subjects.Tally(15, 3), "nir": subjects.Tally(32, 5)}
    assert sizes(study, subjects.select(study, both=True)) == {"00003": (3, 5), "00004": (8, 8)}
    assert sizes(study, subjects.select(study, least=2, most=None, both=True)) == {
        person: COUNTS[person] for person in ("00002", "00003", "00004")
    }
    assert sizes(study, subjects.select(study, sessions=[2])) == {"00001": (0, 6), "00003": (0, 3), "00004": (5, 4)} | {
        "00005": (0, 5)
    }
    assert subjects.tally(study) == {"vis": subjects.Tally(20, 5), "nir": subjects.Tally(37, 5)}


@pytest.mark.parametrize("bad", [{"least": 0}, {"least": 4, "most": 3}, {"sessions": [5]}])
def test_impossible_selections(study, bad):
    with pytest.raises(BadConfig):
        subjects.select(study, **bad)


def test_what_the_paper_reports_is_said_beside_what_is_here(study):
    assert str(subjects.REPORTED["vis"]) == "2,966 of 533" and str(subjects.REPORTED["nir"]) == "4,301 of 655"
    assert subjects.compared(study) == (
        "3 to 8 pictures a subject: VIS 15 of 3, NIR 32 of 5 subjects, 2 in both; "
        "the paper reports VIS 2,966 of 533, NIR 4,301 of 655, 530 in both"
    )


# -------------------------------------------------------------------------- names of the catalogue
def test_casia_study_is_the_set_with_three_to_eight_pictures(study, tmp_path):
    dataset = catalogue.open_dataset("casia:study", tmp_path)
    kept = [study.items[index] for index in subjects.select(study, least=3, most=8)]
    assert dataset.name == "casia:study" and dataset.items == kept and len(kept) == 47 < len(study)
    assert dataset.pairs == [] and dataset.notes[-1].endswith("47 of 57 pictures")
    for kind, count in (("vis", 15), ("nir", 32)):
        rows = dataset.groups[kind]
        assert len(rows) == count and all(photos(dataset)[row].modality == kind for row in rows)
    where = lambda data: {item.file: part for part in SPLITS for item in (data.items[k] for k in split(data, part))}  # noqa: E731
    assert where(dataset).items() <= where(study).items(), "nobody changes the split"
    assert catalogue.open_dataset("casia", tmp_path).items == study.items
    keys = {fingerprint(data) for data in (dataset, study)}
    places = {place_of(data, "64x3", "k", tmp_path).name for data in (dataset, study)}
    assert len(keys) == len(places) == 2, "a new cache of one deletes old ones of the same place"


def test_a_study_of_too_few_pictures_is_refused(tmp_path):
    place(tmp_path / "casia", "s1/VIS/00001/001.jpg", *(f"s1/NIR/00001/00{n}.jpg" for n in range(1, 5)))
    with pytest.raises(LayoutError, match="3 pictures or more in VIS; found none among 5"):
        catalogue.open_dataset("casia:study", tmp_path)


def test_casia_crops_are_the_publisher_s(tmp_path):
    crops = ["s1/VIS_128x128/00001/001.bmp", "s1/NIR_128x128/00001/001.bmp"]
    place(tmp_path / "casia", *TWO)
    with pytest.raises(LayoutError, match="found whole photographs"):
        catalogue.open_dataset("casia:crops", tmp_path)
    place(tmp_path / "casia", *crops)
    dataset, whole = (catalogue.open_dataset(name, tmp_path) for name in ("casia:crops", "casia"))
    assert names(dataset) == crops[::-1] and dataset.name == "casia:crops" and names(whole) == [TWO[1], TWO[0]]
    assert [dataset.relative(dataset.groups[kind][0]) for kind in ("vis", "nir")] == crops
    assert dataset.family(0).split(":")[0] == whole.family(0) and "aligned crops are read" in dataset.notes


@pytest.mark.parametrize(
    "name, said",
    [
        ("casia:nir", "give casia itself, whose near-infrared pictures are real"),
        ("casia:study:nir", "give casia:study itself"),
        ("casia:all", "casia, casia:study or casia:crops"),
        ("casia:study+casia:crops", "casia once"),
        ("casia+synth:nir+casia:study", "casia once"),
    ],
)
def test_other_names_of_casia_are_refused_before_anything_is_opened(tmp_path, name, said):
    with pytest.raises(BadConfig, match=said):
        catalogue.open_dataset(name, tmp_path)


def test_the_names_are_explained(study, tmp_path, monkeypatch, capsys):
    assert all(name in get.STEPS["casia"] and name in catalogue.open_dataset.__doc__ for name in NAMES)
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    assert cli.main(["data", "check", "casia:nir"]) == cli.USAGE
    assert "real ones" in capsys.readouterr().err


# --------------------------------------------------------------------------------------- the script
def test_the_script_says_the_steps_and_counts(tmp_path, photo, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["casia.py", "--root", str(tmp_path)])
    assert get.main("casia") == 1
    said = capsys.readouterr().out
    assert "agreement" in said and f"{tmp_path}/casia/NIR-VIS-2.0/s1/VIS/00001/001.jpg" in said
    for name in TWO:
        photo(tmp_path / "casia" / name)
    assert get.main("casia") == 0
    said = capsys.readouterr().out
    assert "3 to 8 pictures a subject" in said and (tmp_path / "casia/manifest.json").is_file()
    with pytest.raises(BadConfig, match="no archive"):
        get.get("casia", tmp_path, source="casia.zip")
