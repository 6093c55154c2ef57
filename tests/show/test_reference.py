"""Reference figures: what they refuse before anything is drawn."""

import pytest

from facelab.errors import BadConfig
from facelab.files import project_root
from facelab.show.reference import beginning, main


def test_weights_of_a_system_without_a_twin_are_refused(tmp_path):
    shipped = str(project_root() / "weights" / "oagan.safetensors")
    with pytest.raises(BadConfig, match="--critic"):
        beginning(shipped)
    with pytest.raises(BadConfig, match="mask_removal or hog_inpaint"):
        main([str(tmp_path), "--only", "hero", "--beginning", shipped])
    assert not list(tmp_path.iterdir()), "refused before the first figure"


def test_weights_that_the_shipped_run_did_not_come_from_are_refused():
    with pytest.raises(BadConfig, match="came from"):
        beginning(str(project_root() / "weights" / "hog_inpaint.safetensors"))
