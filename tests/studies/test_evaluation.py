"""The command ``facelab evaluate``: where its table goes, and that this is settled before anything is measured."""

import json

import pytest

from facelab.cli import main
from facelab.studies import protocol

RESULT = {"trials": {"trained kinds": {"count": 2, "people": 1, "rows": {"input": {"psnr": {"mean": 20.0}}}}}}


@pytest.mark.parametrize("made", [True, False])
def test_the_table_is_written_into_a_folder(tmp_path, monkeypatch, capsys, made):
    monkeypatch.setattr(protocol, "evaluate_system", lambda *args, **options: RESULT)
    folder = tmp_path / "deep" / "out"
    if made:
        folder.mkdir(parents=True)
    assert main(["evaluate", "oagan", "--out", str(folder)]) == 0
    assert json.loads((folder / "metrics.json").read_text()) == RESULT
    assert [path.name for path in folder.iterdir()] == ["metrics.json"]
    assert "2 pictures of 1 people" in capsys.readouterr().out


def test_a_place_that_takes_no_files_is_refused_before_measuring(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(protocol, "evaluate_system", lambda *args, **options: pytest.fail("measured first"))
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["evaluate", "oagan", "--out", str(place)]) == 2
        assert "give a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
