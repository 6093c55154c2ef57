"""Reference figures: what they refuse before anything is drawn, and how they hold infrared answers against a truth."""

import pytest
import torch

from facelab.errors import BadConfig
from facelab.files import project_root
from facelab.images import to_channels
from facelab.metrics.image import psnr
from facelab.show import reference
from facelab.show.reference import beginning, main
from facelab.studies.trials import Trial


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


def infrared_trial(count=9, truth_is="rendered"):
    """Colour pictures beside truths of one channel."""
    random = torch.Generator().manual_seed(count)
    seen, truth = (torch.rand(count, channels, 8, 8, generator=random) * 2 - 1 for channels in (3, 1))
    points, who = torch.zeros(count, 68, 2), tuple(map(str, range(count)))
    return Trial(seen, truth, torch.ones_like(truth), points, ("x",) * count, who, whole=True, truth_is=truth_is)


@pytest.fixture
def drawn(monkeypatch):
    """What the figures are handed in place of being drawn; the answer of the weights is the luminance, halved."""
    kept = {}

    def ask(trials):
        answers = {label: ((to_channels(test.occluded, 1) / 2), None, None) for label, test in trials.items()}
        monkeypatch.setattr(reference, "answers_of", lambda name: (trials, answers))
        return kept

    monkeypatch.setattr(reference, "caption", lambda name: name)
    monkeypatch.setattr(reference, "rows", lambda parts, titles, **words: kept.update(parts=parts, titles=titles))
    monkeypatch.setattr(reference, "best_and_worst", lambda parts, gain, *words, **more: kept.update(gain=gain))
    return ask


def test_an_infrared_answer_gains_on_the_luminance_of_what_is_seen(drawn):
    test = infrared_trial()
    kept = drawn({"synth:nir": test})
    reference.ends("vis2nir", "synth:nir")
    grey = to_channels(test.occluded, 1)
    torch.testing.assert_close(kept["gain"], psnr(grey / 2, test.truth) - psnr(grey, test.truth))
    assert kept["gain"].shape == (9,)


def test_faces_of_each_set_say_what_their_truth_is(drawn):
    trials = {"a": infrared_trial(30), "b": infrared_trial(25, "simulated")}
    kept = drawn(trials)
    reference.seen_in_the_dark()
    assert kept["titles"] == ["rendered"] * 4 + ["simulated truth"] * 4
    places = [3, 10, 17, 24]
    for part, of in (("input", "occluded"), ("truth", "truth")):
        wanted = torch.cat([to_channels(getattr(test, of)[places], 3) for test in trials.values()])
        torch.testing.assert_close(kept["parts"][part], wanted)
    kept = drawn({"casia": infrared_trial(60, "another picture")})
    reference.seen_in_the_dark()
    assert kept["titles"] == ["another picture"] * 8, "real pictures are not called simulated"


@pytest.mark.parametrize("truth_is", ["", "rendered", "simulated", "another picture"])
def test_a_sweeps_last_row_says_what_it_is(truth_is):
    from facelab.show.sweep_faces import TRUTH, _called

    assert (_called(truth_is) == TRUTH) == (truth_is in ("", "rendered")) and truth_is in _called(truth_is) + "rendered"
