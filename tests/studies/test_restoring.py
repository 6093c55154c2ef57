"""``facelab restore``: any size and mode, holes given or found, bad files reported and the rest done."""

import dataclasses
import json

import pytest
import torch
from PIL import Image

from facelab import images
from facelab.cli import main
from facelab.errors import BadConfig, BadImage
from facelab.restoration import Restoration
from facelab.seeding import seed_all
from facelab.studies import one_picture, restoring
from facelab.synth.render import render
from facelab.synth.view import View
from facelab.systems import frontalize, hog_inpaint, oagan, vis2nir
from facelab.train.weights import write_weights

CFG = oagan.Config(
    size=32, channels=3, width=8, hole_width=8, critic_width=4, critic_downs=3, feature_net="none", ema=0.0
)


@pytest.fixture
def weights(tmp_path):
    seed_all(0)
    card = {"system": "oagan", "config": dataclasses.asdict(CFG)}
    return write_weights(tmp_path / "w.safetensors", {"G": oagan.build(CFG).G}, card)


def picture(path, size=(50, 41), mode="RGB"):
    pixels = torch.randint(0, 256, (size[1], size[0], 3), generator=torch.Generator().manual_seed(size[0]))
    Image.fromarray(pixels.to(torch.uint8).numpy()).convert(mode).save(path)
    return path


def run(*args, **options):
    return list(restoring.restore_files("oagan", *args, **options))


def test_own_size_own_mode_and_a_hole_picture(tmp_path, weights):
    files = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", (64, 90), "L")]
    records = run(files, tmp_path / "out", weights=weights)
    assert [r["error"] for r in records] == [None, None]
    with Image.open(tmp_path / "out/a.png") as a, Image.open(tmp_path / "out/hole_a.png") as hole:
        assert (a.size, a.mode) == ((50, 41), "RGB")
        assert (hole.size, hole.mode) == ((50, 41), "L")
    with Image.open(tmp_path / "out/b.png") as b:
        assert (b.size, b.mode) == ((64, 90), "L")


def test_a_grey_photograph_stored_in_colour_gets_no_red_mouth(tmp_path, weights):
    grey, coloured = picture(tmp_path / "g.png", (40, 40), "L"), picture(tmp_path / "c.png", (44, 44))
    Image.open(grey).convert("RGB").save(grey)
    run([grey, coloured], tmp_path / "out", weights=weights)
    spread = lambda name: images.load_image(tmp_path / "out" / name).std(0).amax()  # noqa: E731
    assert images.load_image(tmp_path / "out" / "g.png").shape[0] == 3
    assert spread("g.png") == 0 < spread("c.png")
    dots = torch.zeros(3, 20, 20)
    dots[0, 0, :5] = 1  # 5 of 400 pixels are red
    assert not images.is_grey(dots) and images.is_grey(dots[:1])
    dots[0, 0, 4:] = 0
    assert images.is_grey(dots + 2.5 / 127.5 * torch.tensor([0.0, 0.0, 1.0]).view(3, 1, 1))


def test_visible_pixels_are_kept_exactly(tmp_path, weights):
    file, folder = picture(tmp_path / "a.png"), tmp_path / "holes"
    hole = torch.zeros(1, 41, 50)
    hole[:, 10:20, 5:30] = 1
    images.save_hole(hole, folder / "a.png")
    (record,) = run([file], tmp_path / "out", weights=weights, holes=folder)
    before, after = images.load_image(file), images.load_image(record["out"])
    visible = (hole == 0).expand_as(before)
    assert torch.equal(before[visible], after[visible])
    assert not torch.equal(before[~visible], after[~visible])
    assert torch.equal(images.load_hole(record["hole"]), hole)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: torch.zeros(1, 20, 20), "resize the hole"),
        (lambda: torch.linspace(0, 1, 50).expand(1, 41, 50), "black and white"),
        (lambda: torch.ones(1, 41, 50), "is black the hidden part? Then add --invert-holes"),
    ],
)
def test_bad_holes_are_refused_with_a_remedy(tmp_path, weights, make, says):
    images.save_hole(make(), tmp_path / "holes/a.png")
    (record,) = run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights, holes=tmp_path / "holes")
    assert says in record["error"]
    assert record["out"] is None


def test_a_missing_hole_is_named_and_the_remedy_fits_the_reading(tmp_path, weights):
    file, holes = picture(tmp_path / "a.png"), tmp_path / "holes"
    images.save_hole(torch.zeros(1, 41, 50), holes / "b.png")
    (record,) = run([file], tmp_path / "out", weights=weights, holes=holes)
    assert "the hole of a.png" in record["error"] and "white = hidden" in record["error"]
    images.save_hole(torch.zeros(1, 41, 50), holes / "a.png")
    (record,) = run([file], tmp_path / "out", weights=weights, holes=holes, invert_holes=True)
    assert "is white the hidden part? Then leave --invert-holes out" in record["error"]


def test_a_hole_that_is_hardly_meant_gets_a_note(tmp_path, weights):
    file, holes = picture(tmp_path / "a.png"), tmp_path / "holes"
    hidden = torch.zeros(1, 41, 50)
    hidden[:, 8:33, 10:40] = 1  # 37 % in the middle; read the wrong way round it covers the border
    for hole, said in ((hidden, None), (1 - hidden, "--invert-holes"), (torch.zeros(1, 41, 50), "hides nothing")):
        images.save_hole(hole, holes / "a.png")
        (record,) = run([file], tmp_path / "out", weights=weights, holes=holes)
        assert record["error"] is None and ((said in record["note"]) if said else "note" not in record)


def test_colour_is_judged_by_what_is_visible():
    """A hole is grey itself; it must not talk a picture with a little colour into being grey."""
    torch.manual_seed(0)
    image = torch.rand(1, 32, 32).expand(3, 32, 32).clone()
    image[0, 31, :15] = -1.0  # 1.5 % of the picture, more than 1 % of what a hole of 75 % leaves
    hole = torch.zeros(1, 32, 32)
    hole[:, :24] = 1
    image[0, 31, 8:] = image[1, 31, 8:]
    red = lambda picture, *hole: Restoration(picture, None, torch.cat([0 * picture[:, :1] + 1, 0 * picture[:, 1:]], 1))  # noqa: E731
    done, _ = one_picture.restore_image(red, image, 32, 3, hole)
    assert (done[0, :24] != done[1, :24]).all(), "the fill keeps its colour"


def test_inverted_holes(tmp_path, weights):
    hole = torch.ones(1, 41, 50)
    hole[:, 5:9, 5:9] = 0
    images.save_hole(hole, tmp_path / "holes/a.png")
    options = dict(weights=weights, holes=tmp_path / "holes", invert_holes=True)
    (record,) = run([picture(tmp_path / "a.png")], tmp_path / "out", **options)
    assert images.load_hole(record["hole"]).sum().item() == 16


@pytest.fixture
def filler(tmp_path):
    """Weights of the system that is told the hole."""
    seed_all(0)
    cfg = hog_inpaint.Config(size=32, channels=3, width=8, blocks=1, predictor_width=8, cell=4, feature_net="none")
    card = {"system": "hog_inpaint", "config": dataclasses.asdict(cfg)}
    return write_weights(tmp_path / "f.safetensors", {"G": hog_inpaint.build(cfg).best_generator()}, card)


@pytest.mark.parametrize("size", [(50, 41), (32, 32), (300, 260), (19, 64)])
def test_what_is_marked_is_filled_at_any_size_and_nothing_else(tmp_path, filler, size):
    file, hole = picture(tmp_path / "a.png", size), torch.zeros(1, size[1], size[0])
    hole[:, 3:9, 4:12] = 1
    hole[:, -1, -1] = 1
    images.save_hole(hole, tmp_path / "holes/a.png")
    options = dict(weights=filler, holes=tmp_path / "holes")
    (record,) = restoring.restore_files("hog_inpaint", [file], tmp_path / "out", **options)
    before, after = images.load_image(file), images.load_image(record["out"])
    visible = (hole == 0).expand_as(before)
    assert after.shape == before.shape and torch.equal(before[visible], after[visible])
    assert (before[~visible] != after[~visible]).float().mean() > 0.8
    assert torch.equal(images.load_hole(record["hole"]), hole)


@pytest.mark.parametrize("size", [(40, 40), (33, 57), (400, 300)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_what_lies_in_the_hole_decides_nothing(tmp_path, filler, size, mode):
    face = Image.open(picture(tmp_path / "x.png", size, "L")).convert(mode)
    hole = torch.zeros(1, size[1], size[0])
    hole[:, 5 : size[1] // 2, 7:20] = 1
    pen = face.copy()
    pen.paste(Image.new(mode, size, "red" if mode == "RGB" else 255), mask=images.to_pil(hole * 2 - 1))
    made = {}
    for name, given in (("a", face), ("b", pen)):
        given.save(tmp_path / f"{name}.png")
        images.save_hole(hole, tmp_path / f"holes/{name}.png")
        (record,) = restoring.restore_files(
            "hog_inpaint", [tmp_path / f"{name}.png"], tmp_path / "out", weights=filler, holes=tmp_path / "holes"
        )
        made[name] = images.load_image(record["out"])
    assert torch.equal(made["a"], made["b"])


def test_thin_lines_on_a_large_picture_hide_little_of_a_small_one():
    hole = torch.zeros(1, 1000, 1000)
    hole[:, ::10] = hole[:, 1::10] = 1  # 20 %, in lines of 2 pixels
    place = torch.linspace(-1, 1, 1000)
    face = place.view(1, 1, -1).expand(3, 1000, 1000)
    small, (hidden,) = one_picture._seen_smaller(torch.where(hole > 0, 1.0, face), hole, 128)
    assert hidden.mean() < 0.05
    torch.testing.assert_close(small[0], images.resize(face, 128), atol=0.02, rtol=0)
    hole = torch.zeros(1, 1000, 1000)
    hole[:, :500, :500] = 1
    assert abs(one_picture._seen_smaller(face, hole, 128)[1][0].mean() - 0.25) < 0.01


def test_who_is_told_the_hole_says_so(tmp_path, filler, capsys):
    with pytest.raises(BadConfig, match="--holes DIR"):
        list(restoring.restore_files("hog_inpaint", ["a.png"], tmp_path / "out", find_faces=True))
    file = str(picture(tmp_path / "a.png"))
    assert main(["restore", "hog_inpaint", file, "--out", str(tmp_path / "out"), "--weights", str(filler)]) == 2
    assert "--holes" in capsys.readouterr().err
    images.save_hole(torch.ones(1, 41, 50), tmp_path / "holes/a.png")
    options = ["--out", str(tmp_path / "out"), "--weights", str(filler), "--holes", str(tmp_path / "holes")]
    assert main(["restore", "hog_inpaint", file, *options]) == 1
    assert "--invert-holes" in json.loads(capsys.readouterr().out)["error"]


def test_one_bad_file_does_not_stop_the_rest(tmp_path, weights, capsys):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    good = picture(tmp_path / "good.png")
    out = str(tmp_path / "out")
    code = main(["restore", "oagan", str(bad), str(good), "--out", out, "--weights", str(weights)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 1
    assert "bad.jpg" in lines[0]["error"] and lines[1]["error"] is None
    assert set(lines[0]) == {"file", "out", "hole", "seconds", "error"}


def test_two_inputs_of_one_name_are_refused(tmp_path):
    (tmp_path / "x").mkdir()
    files = [picture(tmp_path / "a.png"), picture(tmp_path / "x/a.png")]
    with pytest.raises(BadImage, match="same name"):
        restoring.list_inputs(files)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadImage, match="no pictures"):
        restoring.list_inputs([tmp_path / "empty"])


def test_a_hole_and_a_result_of_one_name_are_refused(tmp_path):
    files = [picture(tmp_path / "a.png"), picture(tmp_path / "hole_a.png")]
    with pytest.raises(BadImage, match="where the hole of"):
        restoring.list_inputs(files)
    assert restoring.list_inputs([tmp_path / "a.png"]) == [tmp_path / "a.png"]


def test_an_input_is_never_overwritten(tmp_path, weights):
    file = picture(tmp_path / "a.png")
    before = file.read_bytes()
    (record,) = run([file], tmp_path, weights=weights)
    assert "another --out" in record["error"] and file.read_bytes() == before
    (record,) = run([file], tmp_path / "out", weights=weights)
    assert record["error"] is None


@pytest.mark.parametrize("other", ["a.png", "hole_a.png"])
def test_no_other_picture_in_a_folder_of_inputs_is_overwritten(tmp_path, weights, other):
    file, kept = picture(tmp_path / "a.jpg"), picture(tmp_path / other, (20, 20))
    before = kept.read_bytes()
    (record,) = run([file], tmp_path / "." / "x" / "..", weights=weights)
    assert f"replace {tmp_path}" in record["error"] and "another --out" in record["error"]
    assert kept.read_bytes() == before
    kept.unlink()
    (record,) = run([file], tmp_path, weights=weights)
    assert record["error"] is None, "beside its input a new file may be written"


def test_earlier_results_in_a_folder_of_their_own_are_replaced(tmp_path, weights):
    file = picture(tmp_path / "a.png")
    for _ in range(2):
        (record,) = run([file], tmp_path / "out", weights=weights)
        assert record["error"] is None
    Image.new("RGB", (50, 41)).save(file)
    before = (tmp_path / "out/a.png").read_bytes()
    run([file], tmp_path / "out", weights=weights)
    assert (tmp_path / "out/a.png").read_bytes() != before


def test_the_holes_are_never_overwritten(tmp_path, weights):
    images.save_hole(torch.zeros(1, 41, 50), tmp_path / "holes/a.png")
    before = (tmp_path / "holes/a.png").read_bytes()
    with pytest.raises(BadConfig, match="another folder than --holes"):
        run([picture(tmp_path / "a.png")], tmp_path / "out/../holes", weights=weights, holes=tmp_path / "holes")
    assert (tmp_path / "holes/a.png").read_bytes() == before


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path, weights):
    (tmp_path / "out").write_text("notes")
    with pytest.raises(BadConfig, match="out = .*give a folder"):
        run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights)


@pytest.mark.parametrize("options", [{"holes": "h", "find_faces": True}, {"device": "gpu"}])
def test_impossible_settings_are_refused(tmp_path, weights, options):
    with pytest.raises(BadConfig):
        run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights, **options)


def test_a_photograph_without_a_face_is_named(tmp_path, weights, monkeypatch):
    from facelab.faces import detect

    monkeypatch.setattr(detect, "detect", lambda photo, doubtful: [])
    (record,) = run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights, find_faces=True)
    assert "a.png" in record["error"] and "no face" in record["error"]


def test_a_badge_is_not_restored_as_a_face(tmp_path, weights, monkeypatch):
    """A doubtful detection would get a face painted on it."""
    from types import SimpleNamespace

    from facelab.faces import models

    spot = SimpleNamespace(left=lambda: 10, top=lambda: 10, right=lambda: 60, bottom=lambda: 60)
    monkeypatch.setattr(models, "detector", lambda: SimpleNamespace(run=lambda *a: ([spot], [0.05], [0])))
    (record,) = run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights, find_faces=True)
    assert "no face" in record["error"] and "faces" not in record


def test_long_pictures_come_with_a_note(tmp_path, weights):
    images.save_image(torch.zeros(3, 40, 90), tmp_path / "wide.png")
    images.save_image(torch.zeros(3, 40, 50), tmp_path / "crop.png")
    wide, crop = run([tmp_path / "wide.png", tmp_path / "crop.png"], tmp_path / "out", weights=weights)
    assert "90×40" in wide["note"] and "--find-faces" in wide["note"] and "note" not in crop


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_restore_on_a_gpu(tmp_path, weights):
    (record,) = run([picture(tmp_path / "a.png")], tmp_path / "out", weights=weights, device="cuda")
    assert record["error"] is None


@pytest.fixture
def turning(tmp_path):
    seed_all(0)
    cfg = frontalize.Config.for_profile("smoke", blocks=1, ema=0.0)
    card = {"system": "frontalize", "config": dataclasses.asdict(cfg)}
    return write_weights(tmp_path / "f.safetensors", {"G": frontalize.build(cfg).G}, card)


def test_a_system_without_holes_writes_none(tmp_path, turning, capsys):
    files = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png", (64, 90), "L")]
    words = [*map(str, files), "--out", str(tmp_path / "out"), "--weights", str(turning)]
    assert main(["restore", "frontalize", *words]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["hole"], r["error"]) for r in records] == [(None, None)] * 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    for file in files:
        with Image.open(file) as before, Image.open(tmp_path / "out" / file.name) as after:
            assert (after.size, after.mode) == (before.size, before.mode)
        assert not torch.equal(images.load_image(file), images.load_image(tmp_path / "out" / file.name)), "anew"


def test_holes_are_refused_where_whole_pictures_are_made(tmp_path, turning, capsys):
    words = [str(picture(tmp_path / "a.png")), "--out", str(tmp_path / "out"), "--weights", str(turning)]
    assert main(["restore", "frontalize", *words, "--holes", str(tmp_path)]) == 2
    assert "pictures alone, without --holes" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_another_view_is_cut_out_of_a_photograph_and_not_pasted_into_it(tmp_path, turning, capsys, monkeypatch):
    from facelab.faces import detect, landmarks

    wide, face = View(zoom=0.5), (40, 40, 90, 90)
    seen = render(3, wide, 256)
    images.save_image(seen.image, tmp_path / "a.png")
    monkeypatch.setattr(detect, "detect", lambda photo, doubtful: [face])
    monkeypatch.setattr(landmarks, "find_landmarks", lambda photo, box: seen.landmarks)
    words = [str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--weights", str(turning)]
    assert main(["restore", "frontalize", *words, "--find-faces"]) == 0
    assert json.loads(capsys.readouterr().out)["faces"] == [list(face)]
    side = images.load_image(tmp_path / "out" / "a.png").shape[-1]
    assert 100 < side < 160, "the portrait alone: half of the photograph's side"


@pytest.fixture
def infrared_weights(tmp_path):
    """Weights of vis2nir by whether they learned from aligned eyes."""

    def make(align=True):
        seed_all(0)
        cfg = vis2nir.Config.for_profile("smoke", width=4, blocks=1, critic_width=4, ema=0.0, align=align)
        card = {"system": "vis2nir", "config": dataclasses.asdict(cfg)}
        return write_weights(tmp_path / f"v{align}.safetensors", {"G": vis2nir.build(cfg).G}, card)

    return make


def infrared_records(capsys, weights, folder, *files, more=()):
    """Exit code and records of the command line."""
    words = [*map(str, files), "--out", str(folder), "--weights", str(weights), *more]
    code = main(["restore", "vis2nir", *words])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_crops_of_any_size_and_mode_come_back_grey_as_what_they_were(tmp_path, infrared_weights, capsys):
    sizes = {"square": (40, 40), "upright": (41, 57), "grey": (64, 64)}
    files = [picture(tmp_path / f"{name}.png", size, "L" if name == "grey" else "RGB") for name, size in sizes.items()]
    code, records = infrared_records(capsys, infrared_weights(), tmp_path / "out", *files)
    assert code == 0 and [(one["hole"], one["error"]) for one in records] == [(None, None)] * 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{name}.png" for name in sizes)
    for file in files:
        before, after = (images.load_image(folder / file.name) for folder in (tmp_path, tmp_path / "out"))
        assert after.shape == before.shape and not torch.equal(before, after)
        assert (after - after.mean(0, keepdim=True)).abs().max() < 0.01, "near infrared has no colours"
    seen = images.resize(images.load_image(files[0]), 32)[None]
    wanted = images.resize(vis2nir.restore(vis2nir.load(infrared_weights())[0], seen).image[0], (40, 40))
    torch.testing.assert_close(
        images.load_image(tmp_path / "out/square.png", 1), wanted.clamp(-1, 1), atol=0.01, rtol=0
    )


def test_holes_have_no_meaning_for_it(tmp_path, infrared_weights, capsys):
    words = [str(picture(tmp_path / "a.png")), "--out", str(tmp_path / "out"), "--weights", str(infrared_weights())]
    assert main(["restore", "vis2nir", *words, "--holes", str(tmp_path)]) == 2
    assert "pictures alone, without --holes" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_of_a_photograph_the_largest_face_is_cut_out_by_its_eyes(tmp_path, infrared_weights, capsys, monkeypatch):
    from facelab.faces import align, detect, landmarks

    seen = render(3, View(zoom=0.5, roll=15.0), 256)
    images.save_image(seen.image, tmp_path / "a.png")
    monkeypatch.setattr(detect, "detect", lambda photo, doubtful: [(40, 40, 90, 90), (1, 1, 5, 5)])
    monkeypatch.setattr(landmarks, "find_landmarks", lambda photo, box: seen.landmarks)
    weights = infrared_weights()
    code, (record,) = infrared_records(capsys, weights, tmp_path / "out", tmp_path / "a.png", more=["--find-faces"])
    assert code == 0 and record["faces"] == [[40, 40, 90, 90]] and "note" not in record
    made = images.load_image(tmp_path / "out" / "a.png", 1)
    left, right = align.eye_centres(seen.landmarks)
    assert made.shape[-1] == pytest.approx(float((right - left).norm()) / align.EYE_DISTANCE, abs=1)
    face = align.align(images.load_image(tmp_path / "a.png"), seen.landmarks, made.shape[-1])[0]
    answer = vis2nir.restore(vis2nir.load(weights)[0], images.resize(face, 32)[None]).image[0]
    torch.testing.assert_close(made, images.resize(answer, made.shape[-1]).clamp(-1, 1), atol=0.02, rtol=0)


@pytest.fixture
def known_eyes(monkeypatch):
    """Landmarks that are known, so that no dlib is needed; returns what sets them."""
    from facelab.faces import landmarks, models

    def know(found, here=True):
        monkeypatch.setattr(models, "available", lambda: here)
        monkeypatch.setattr(landmarks, "find_landmarks", lambda image, box=None: found)

    return know


def test_a_crop_is_used_as_it_is_and_eyes_that_are_astray_are_remarked_on(
    tmp_path, infrared_weights, capsys, known_eyes
):
    from facelab.faces.align import align, transform

    seen = render(3, View(roll=12.0, zoom=0.55), 96)
    face, matrix = align(seen.image, seen.landmarks, 64)
    for name, image in {"loose": seen.image, "aligned": face}.items():
        images.save_image(image, tmp_path / f"{name}.png")
    ask = lambda name, **more: infrared_records(  # noqa: E731
        capsys, infrared_weights(**more), tmp_path / "out", tmp_path / f"{name}.png")[1][0]  # fmt: skip
    known_eyes(transform(seen.landmarks, matrix))
    assert "note" not in ask("aligned")
    known_eyes(seen.landmarks)
    record = ask("loose")
    assert "--find-faces" in record["note"] and "% of the side" in record["note"] and record["error"] is None
    after = images.load_image(tmp_path / "out/loose.png", 1)
    seen_small = images.resize(images.load_image(tmp_path / "loose.png"), 32)[None]
    wanted = vis2nir.restore(vis2nir.load(infrared_weights())[0], seen_small).image[0]
    torch.testing.assert_close(after, images.resize(wanted, 96).clamp(-1, 1), atol=0.02, rtol=0)
    assert "note" not in ask("loose", align=False), "whoever learned from crops as they come wants no eyes anywhere"
    known_eyes(None)
    assert "note" not in ask("loose"), "no face is found"
    known_eyes(seen.landmarks, here=False)
    assert "note" not in ask("loose"), "nobody can look without dlib"


@pytest.mark.parametrize("size", [64, 128, (96, 128)])
def test_where_eyes_are_is_measured_in_shares_of_each_side(known_eyes, size):
    from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT

    height, width = (size, size) if isinstance(size, int) else size
    points, image = torch.zeros(68, 2), torch.zeros(3, height, width)
    for eye, side in ((slice(36, 42), -1), (slice(42, 48), 1)):
        points[eye] = torch.tensor([(0.5 + side * EYE_DISTANCE / 2) * width - 0.5, EYE_HEIGHT * height - 0.5])
    known_eyes(points)
    assert one_picture.note_on_eyes(image) == ""
    known_eyes(points + torch.tensor([0.0, 0.05 * height]))
    assert one_picture.note_on_eyes(image) == "", "as far as a careful crop may be off"
    known_eyes(points + torch.tensor([0.12 * width, 0.0]))
    assert "12% of the side" in one_picture.note_on_eyes(image)


def test_dlib_finds_the_eyes_of_a_crop_that_is_aligned_at_their_places():
    pytest.importorskip("dlib")
    from facelab.faces.align import align
    from facelab.faces.landmarks import find_landmarks
    from facelab.studies import parts

    face = parts.faces("orl", "test", 128, 1).take([3])[0][0]
    straight = align(face, find_landmarks(face), 128)[0]
    assert one_picture.note_on_eyes(straight) == ""
    aside = torch.nn.functional.pad(face[None], (40, 0, 40, 0), mode="replicate")[0]
    assert "of the side" in one_picture.note_on_eyes(aside)
