"""The demo's controls, without a browser: what each upload, choice and slide does to the panels."""

import argparse
import datetime
import io
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from facelab.errors import BadWeights
from facelab.images import composite
from facelab.lessons import demo as served
from facelab.restoration import Restoration
from facelab.show import demo
from facelab.studies.upload import MAX_BYTES


def stand_in(name):
    def restore(pictures):
        where = torch.zeros(len(pictures), 1, *pictures.shape[-2:])
        where[..., pictures.shape[-2] // 2 :, :] = 1
        return Restoration(composite(pictures, torch.ones_like(pictures), where), where, torch.ones_like(pictures))

    return restore, SimpleNamespace(size=32, channels=1)


@pytest.fixture
def page():
    return demo.Demo({"a sample": torch.zeros(1, 64, 64)}, stand_in)


def give(page, content, name="me.png"):
    file = {"name": name, "type": "", "size": len(content), "content": memoryview(content)}
    page.upload.value = ({**file, "last_modified": datetime.datetime(2020, 1, 1)},)


def opened(content):
    return Image.open(io.BytesIO(bytes(content)))


def picture(size=(80, 80)):
    out = io.BytesIO()
    Image.new("L", size, 60).save(out, format="PNG")
    return out.getvalue()


def test_at_first_nothing_is_shown_and_it_says_what_to_do(page):
    assert "Upload" in page.message.value and all(not panel.value for panel in page.panels)
    assert "not evidence" in str([child.value for child in page.box().children if hasattr(child, "value")])


def test_a_sample_is_restored_at_once(page):
    page.sample.value = "a sample"
    before, hole, after = (opened(panel.value) for panel in page.panels)
    assert before.size == hole.size == after.size == (64, 64)
    assert (before.getpixel((10, 60)), hole.getpixel((10, 60)), after.getpixel((10, 60))) == (128, 255, 255)
    assert after.getpixel((10, 5)) == before.getpixel((10, 5)) and hole.getpixel((10, 5)) == 0
    assert "download='a sample-restored.png'" in page.download.value


def test_the_slider_mixes_input_and_result(page):
    page.sample.value = "a sample"
    page.blend.value = 0.0
    assert opened(page.panels[2].value).getpixel((10, 60)) == 128
    page.blend.value = 0.5
    assert opened(page.panels[2].value).getpixel((10, 60)) in (191, 192)


def test_each_new_result_is_seen_whole(page):
    page.where.value = demo.WHOLE
    for content in (picture(), picture((70, 70))):
        give(page, content)
        assert page.blend.value == 1.0 and opened(page.panels[2].value).getpixel((10, 60)) == 255
        page.blend.value = 0.0
        assert opened(page.panels[2].value).getpixel((10, 60)) == 60


def test_pictures_are_on_the_page_only_while_there_are_any(page):
    gone = lambda part: part.layout.display == "none"  # noqa: E731
    assert gone(page.row)
    page.sample.value = "a sample"
    assert not gone(page.row) and not gone(page.columns[1])
    give(page, b"%PDF-1.7", "holiday.jpg")
    assert gone(page.row)
    give(page, picture())
    assert gone(page.row) and "shows no face" in page.message.value
    page.where.value = demo.WHOLE
    assert not gone(page.row)


def without_hole(name):
    return lambda pictures: Restoration(-pictures, None, -pictures), SimpleNamespace(size=32, channels=1)


def test_what_makes_pictures_anew_shows_no_hole():
    load = {"frontalize": without_hole, "oagan": stand_in}
    page = demo.Demo({"a sample": torch.zeros(1, 64, 64)}, lambda name: load[name](name))
    page.action.value = "frontalize"
    page.sample.value = "a sample"
    assert page.columns[1].layout.display == "none" and page.panels[0].value and page.panels[2].value
    page.action.value = "oagan"
    assert page.columns[1].layout.display is None and page.panels[1].value


def test_a_sample_brings_the_action_it_is_meant_for():
    asked = []

    def load(name):
        asked.append(name)
        return stand_in(name)

    page = demo.Demo(dict.fromkeys(("a mask", "a head"), torch.zeros(1, 64, 64)), load, {"a head": "frontalize"})
    first = page.action.value
    for name, system in (("a mask", first), ("a head", "frontalize"), ("a mask", first)):
        page.sample.value = name
        assert page.action.value == system
    assert asked == [first, "frontalize", first], "worked on once each"
    page.action.value = "mask_removal"
    page.sample.value = "a head"
    give(page, picture())
    assert page.action.value == "frontalize", "one's own photograph is met with what was chosen last"


def test_an_upload_after_a_sample_is_looked_at_anew(page):
    page.sample.value = "a sample"
    give(page, picture())
    assert page.where.value == demo.FIND and page.sample.value == demo.NONE
    assert "shows no face" in page.message.value and "me.png" in page.message.value
    assert all(not panel.value for panel in page.panels) and page.download.value == ""
    page.where.value = demo.WHOLE
    assert page.panels[2].value and page.message.value.endswith("Done.</span>")


def test_so_is_one_after_a_sample_that_was_given_up(page):
    page.sample.value = "a sample"
    page.sample.value = demo.NONE
    give(page, picture())
    assert page.where.value == demo.FIND and "shows no face" in page.message.value
    page.where.value = demo.WHOLE
    give(page, picture((70, 70)))
    assert page.where.value == demo.WHOLE, "what a visitor chose stays"


def test_a_bad_upload_clears_what_was_shown_and_the_next_one_works(page):
    page.where.value = demo.WHOLE
    give(page, picture())
    assert page.panels[0].value
    give(page, b"", "empty.jpg")
    assert "empty.jpg" in page.message.value and not page.panels[0].value and page.download.value == ""
    give(page, b"%PDF-1.7", "holiday.jpg")
    assert "holiday.jpg" in page.message.value and "PDF" in page.message.value and not page.panels[0].value
    for turn in range(10):
        give(page, picture((60 + turn, 60)))
        assert opened(page.panels[0].value).size == (60 + turn, 60)


def test_a_name_cannot_write_into_the_page(page):
    page.where.value = demo.WHOLE
    give(page, b"nothing", "<img src=x onerror=alert(1)>.jpg")
    assert "<img" not in page.message.value
    give(page, picture(), "x' onclick='alert(1)'.png")
    assert "onclick='" not in page.download.value


def test_missing_weights_are_said_on_the_page(page):
    def broken(name):
        raise BadWeights("weights/x", "there is no weight file here")

    page.load = broken
    page.sample.value = "a sample"
    assert "no weight file" in page.message.value


def test_what_nobody_foresaw_is_said_and_no_earlier_picture_stays(page):
    page.where.value = demo.WHOLE
    give(page, picture())
    assert page.panels[0].value and page.download.value

    def broken(pictures):
        raise ValueError("eyes coincide")

    page.load = lambda name: (broken, SimpleNamespace(size=32, channels=1))
    give(page, picture((90, 90)), "next.png")
    assert "next.png: this picture could not be worked on" in page.message.value
    assert all(not panel.value for panel in page.panels) and page.download.value == ""


def test_actions_are_those_whose_weights_are_here(tmp_path, monkeypatch):
    assert "oagan" in demo.actions().values()
    monkeypatch.setattr(demo, "weights_path", lambda name: tmp_path / f"{name}.safetensors")
    assert demo.actions() == {}
    page = demo.Demo({"a sample": torch.zeros(1, 64, 64)}, stand_in)
    page.sample.value = "a sample"
    assert "no weights" in page.message.value and "facelab train" in page.message.value
    (tmp_path / "mask_removal.safetensors").touch()
    assert list(demo.actions().values()) == ["mask_removal"]


def test_the_server_listens_here_and_takes_large_messages(tmp_path):
    parser = argparse.ArgumentParser()
    served.add_demo_arguments(parser)
    args = parser.parse_args([])
    words = served.options(args.host, args.port, browser=False)
    assert "--Voila.ip=127.0.0.1" in words and "--no-browser" in words and words[0].endswith("11_demo.ipynb")
    around = served.environment(tmp_path)
    assert around["JUPYTER_CONFIG_PATH"].startswith(str(tmp_path))
    settings = json.loads((tmp_path / "voila.json").read_text())["Voila"]["tornado_settings"]
    assert settings["websocket_max_message_size"] > MAX_BYTES + 1_000_000, "one byte too many arrives, to be refused"
    page = (tmp_path / "voila" / "templates" / "facelab" / "index.html.j2").read_text()
    assert f"file.slice(0, {MAX_BYTES} + 1)" in page and page.count("{%-") == page.count("-%}")
    assert any(word.startswith("--MappingKernelManager.cull_idle_timeout=") for word in words)


def test_listening_to_others_is_said(monkeypatch, capsys):
    monkeypatch.setattr(served, "serve", lambda command, env: 0)
    for host, said in (("127.0.0.1", False), ("0.0.0.0", True)):
        assert served.demo_command(argparse.Namespace(host=host, port=8866, no_browser=True)) == 0
        assert ("no password" in capsys.readouterr().err) is said


SERVER = "import os, signal, time; {}; print(os.getpid(), flush=True); time.sleep(60)"
SERVES = "import sys; from facelab.lessons import demo; demo.PATIENCE = 0.3; demo.serve([sys.executable, '-c', {!r}])"


@pytest.mark.parametrize("deaf", ["pass", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_whoever_ends_the_command_ends_the_server(deaf):
    words = [sys.executable, "-c", SERVES.format(SERVER.format(deaf))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as command:
        server = int(command.stdout.readline())
        os.kill(server, 0)  # it is there
        command.send_signal(signal.SIGTERM)
        assert command.wait(30) == 128 + signal.SIGTERM
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)


def test_a_server_that_ends_by_itself_is_asked_for_its_code():
    before = signal.getsignal(signal.SIGTERM)
    assert served.serve([sys.executable, "-c", "raise SystemExit(7)"]) == 7
    assert signal.getsignal(signal.SIGTERM) is before
