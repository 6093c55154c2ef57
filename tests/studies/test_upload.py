"""Uploads: what is read, what is refused and in which words, and what comes back."""

import io

import pytest
import torch
from PIL import Image, ImageFile

from facelab import images
from facelab.errors import BadImage
from facelab.restoration import Restoration
from facelab.seeding import generator
from facelab.studies import upload


def encoded(picture: Image.Image, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, format=kind, **options)
    return out.getvalue()


def plain(size=(60, 40), colour=(10, 120, 200)):
    return Image.new("RGB", size, colour)


NOISE = encoded(images.to_pil(torch.rand(3, 64, 64, generator=generator(0, "noise")) * 2 - 1), "JPEG")


def erase_lower_half(pictures, hole=None):
    """A stand-in for a network: it finds the lower half, and paints white."""
    where = torch.zeros(len(pictures), 1, *pictures.shape[-2:])
    where[..., pictures.shape[-2] // 2 :, :] = 1
    white = torch.ones_like(pictures)
    return Restoration(images.composite(pictures, white, where), where, white)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"%PDF-1.4 etc", "a PDF document"), (b"PK\x03\x04rest", "ZIP"), (b"<svg xmlns=", "SVG"),
     (b"\x00\x00\x00\x20ftypheic....", "HEIC"), (b"just words", "cannot be read as a photograph"),
     (NOISE[: len(NOISE) // 2], "cut off"), (encoded(plain((20, 200))), "at least 32")],
)  # fmt: skip
def test_what_is_no_photograph_is_told_so(content, words):
    with pytest.raises(BadImage, match=words):
        upload.read_upload(content)


def test_large_files_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(upload, "MAX_BYTES", 1000)
    noise = torch.rand(3, 64, 64, generator=generator(0, "n")) * 2 - 1
    with pytest.raises(BadImage, match="takes at most 0 MB"):
        upload.read_upload(encoded(images.to_pil(noise)))
    monkeypatch.undo()
    bomb = encoded(Image.new("1", (30_000, 1000)))
    assert len(bomb) < 20_000
    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded first"))
        with pytest.raises(BadImage, match="24 megapixels"):
            upload.read_upload(bomb)
    with pytest.raises(BadImage, match="24 megapixels"):
        upload.read_upload(bomb)
    at_limit = encoded(Image.new("L", (6000, 4000)), "JPEG", quality=5)
    image, note = upload.read_upload(at_limit)
    assert image.shape[-1] * image.shape[-2] <= upload.WORK_PIXELS * 1.01 and "Reduced from 6000×4000" in note


def test_a_crop_comes_back_at_its_own_size_with_its_visible_pixels_untouched():
    picture = images.to_pil(torch.rand(3, 50, 61, generator=generator(0, "p")) * 2 - 1)
    shown = upload.answer(encoded(picture), erase_lower_half, 32, 3, whole=True)
    assert shown.after.shape == shown.before.shape == (3, 50, 61) and shown.hole.shape == (1, 50, 61)
    assert torch.equal(shown.after[:, :20], shown.before[:, :20]) and shown.after[:, 30:].min() > 0.99
    assert torch.equal(upload.blended(shown, 0.0), shown.before)
    torch.testing.assert_close(upload.blended(shown, 1.0), shown.after)
    half = upload.blended(shown, 0.5)
    torch.testing.assert_close(half, (shown.before + shown.after) / 2)


def test_grey_stays_grey_and_long_pictures_are_remarked_on():
    shown = upload.answer(encoded(Image.new("L", (40, 90), 100)), erase_lower_half, 32, 3, whole=True)
    assert shown.after.shape[0] == 1 and "square" in shown.note


def test_a_photograph_without_a_face_gets_advice():
    with pytest.raises(BadImage, match="the picture is one face"):
        upload.answer(encoded(plain((200, 160))), erase_lower_half, 32, 3)


def test_the_largest_face_is_cut_out_for_a_system_that_makes_it_anew():
    from facelab.studies import parts

    face = parts.faces("orl", "test", 128, 1).take([3])[0][0]
    photo = torch.full((1, 240, 300), -0.2)
    photo[:, 60:188, 90:218] = face
    mirror = lambda pictures: Restoration(pictures.flip(-1), None, pictures.flip(-1))  # noqa: E731
    shown = upload.answer(encoded(images.to_pil(photo)), mirror, 64, 1, anew="portrait")
    assert shown.before.shape == shown.after.shape and shown.hole is None and "cut out" in shown.note
    assert 90 < shown.before.shape[-1] < 180, "the face, not the photograph"
    assert (shown.after - shown.before.flip(-1)).abs().mean() < 0.05
    with pytest.raises(BadImage, match="no face"):
        upload.answer(encoded(plain((200, 160))), mirror, 32, 3, anew="portrait")


def test_a_face_cut_out_by_its_eyes_has_them_in_their_places():
    from facelab.faces.align import EYE_DISTANCE, EYE_HEIGHT, eye_centres
    from facelab.faces.landmarks import find_landmarks
    from facelab.studies import one_picture, parts

    photo = torch.full((1, 240, 300), -0.2)
    photo[:, 60:188, 90:218] = parts.faces("orl", "test", 128, 1).take([3])[0][0]
    leaning = images.from_pil(images.to_pil(photo).rotate(14, fillcolor=100))
    same = lambda pictures: Restoration(pictures, None, pictures)  # noqa: E731
    off = {}
    for cut in one_picture.CUTS:
        face, made, boxes = one_picture.face_anew(same, leaning, 128, 1, doubtful=True, cut=cut)
        assert made.shape == face.shape and len(boxes) == 1
        side = face.shape[-1]
        left, right = eye_centres(find_landmarks(face)) / side
        wanted = torch.tensor([0.5, EYE_HEIGHT, EYE_DISTANCE])
        off[cut] = (torch.stack([*((left + right) / 2), (right - left)[0]]) - wanted).abs().max().item()
        level = abs((right - left)[1] / (right - left)[0])
        assert (level < 0.06) == (cut == "eyes")
    assert off["eyes"] < 0.05


def test_faces_are_restored_where_they_are():
    from facelab.studies import parts

    face = parts.faces("orl", "test", 128, 1).take([3])[0][0]
    photo = torch.full((1, 240, 300), -0.2)
    photo[:, 60:188, 90:218] = face
    shown = upload.answer(encoded(images.to_pil(photo)), erase_lower_half, 64, 1)
    assert "1 face was found" in shown.note
    changed = (shown.after - shown.before).abs().amax(0) > 0.01
    assert changed[60:200, 90:218].any() and not changed[:, 260:].any() and not changed[:40].any()
    assert torch.equal(shown.after[:, shown.hole[0] == 0], shown.before[:, shown.hole[0] == 0])


def test_one_face_whose_eyes_are_astray_is_remarked_on_where_the_network_minds(monkeypatch):
    monkeypatch.setattr(upload, "note_on_eyes", lambda image: "astray")
    same = lambda pictures: Restoration(pictures, None, pictures)  # noqa: E731
    ask = lambda size, **more: upload.answer(encoded(plain(size)), same, 32, 3, whole=True, **more).note  # noqa: E731
    assert "Its eyes" in ask((60, 60), by_eyes=True) and ask((60, 60)) == ""
    assert "square" in ask((40, 90), by_eyes=True) and "eyes" not in ask((40, 90), by_eyes=True), "one thing at a time"
    monkeypatch.setattr(upload, "note_on_eyes", lambda image: "")
    assert ask((60, 60), by_eyes=True) == ""


def test_who_wants_eyes_at_their_places():
    from types import SimpleNamespace

    from facelab.studies.one_picture import wants_eyes
    from facelab.studies.tasks import TASKS
    from facelab.studies.training import system

    found = {name: wants_eyes(task.cut, system(name).Config.for_profile("laptop")) for name, task in TASKS.items()}
    assert [name for name, wants in found.items() if wants] == ["vis2nir"]
    assert not wants_eyes("eyes", SimpleNamespace(align=False))
