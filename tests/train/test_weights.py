"""Weights that ship: what is kept, what is refused, and where."""

import json

import pytest
import torch
from torch import nn

from facelab import files
from facelab.errors import BadWeights
from facelab.train import weights


def test_counters_stay_whole_numbers(tmp_path):
    net = nn.BatchNorm2d(2)
    net.num_batches_tracked.fill_(70_001)  # beyond what half precision can hold
    weights.write_weights(tmp_path / "w.safetensors", {"G": net}, {})
    parts, _ = weights.read_weights(tmp_path / "w.safetensors")
    assert parts["G.num_batches_tracked"].item() == 70_001
    assert parts["G.weight"].dtype == torch.float32


def test_only_files_that_ship_must_be_small(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "LIMIT_BYTES", 100)
    monkeypatch.setattr(files, "weights_root", lambda: tmp_path / "weights")
    net = nn.Linear(16, 16)
    assert weights.write_weights(tmp_path / "run" / "w.safetensors", {"G": net}, {}).is_file()
    with pytest.raises(BadWeights, match="smaller width"):
        weights.write_weights("oagan", {"G": net}, {})
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("value", [1e5, -1e5, float("inf"), float("nan")])
def test_what_half_precision_cannot_hold_is_not_written(tmp_path, value):
    net = nn.Linear(2, 2)
    net.weight.data[0, 0] = value
    with pytest.raises(BadWeights, match="G.weight holds a number"):
        weights.write_weights(tmp_path / "w.safetensors", {"G": net}, {})
    assert list(tmp_path.iterdir()) == []
    net.weight.data[0, 0] = 65_504
    assert weights.write_weights(tmp_path / "w.safetensors", {"G": net}, {}).is_file()


@pytest.mark.parametrize("card", [[], "x", {"config": [1]}])
def test_a_card_that_is_no_card_is_refused(tmp_path, card):
    (tmp_path / "w.json").write_text(json.dumps(card))
    with pytest.raises(BadWeights, match="no card"):
        weights.read_card(tmp_path / "w.safetensors")
