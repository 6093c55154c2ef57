"""Files appear whole or not at all, in folders that take them; where they cannot, the message says why."""

import pytest

from facelab import files
from facelab.errors import BadConfig


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "new" / "a.txt"
    files.write_text(target, "one")
    with pytest.raises(ZeroDivisionError), files.atomic_path(target) as temporary:
        temporary.write_text("two")
        raise ZeroDivisionError
    assert target.read_text() == "one" and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("below", [[], ["deeper"], ["deeper", "still"]])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, below):
    folder = tmp_path.joinpath("taken", *below)
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadConfig, match="a file has this name"):
        files.write_text(folder / "a.txt", "one")
    with pytest.raises(BadConfig, match="a file has this name"):
        files.usable_folder(folder)
    assert (tmp_path / "taken").read_text() == ""


def test_a_usable_folder_is_made_and_left_empty(tmp_path):
    assert list(files.usable_folder(tmp_path / "a" / "b").iterdir()) == []
