"""FID: only ever on the network it is defined by; refused, with what to do, where that is not here."""

import hashlib
import importlib.util

import pytest
import torch

from facelab.compat import ensure_torchvision
from facelab.errors import BadWeights, MissingPart
from facelab.metrics import fid
from facelab.metrics.frechet import frechet
from facelab.seeding import generator

if importlib.util.find_spec("torch_fidelity") is None:
    pytest.skip("torch-fidelity is not installed", allow_module_level=True)
ensure_torchvision()
torch_fidelity = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


@pytest.fixture
def stand_in(hub, monkeypatch):
    """The true architecture with weights of its own, under the name of the true file."""
    kind = torch_fidelity.FeatureExtractorInceptionV3
    with monkeypatch.context() as patch:
        patch.setattr(torch_fidelity, "load_state_dict_from_url", lambda *args, **kwargs: {})
        patch.setattr(kind, "load_state_dict", lambda self, state: None)
        torch.manual_seed(0)
        net = kind("inception", ["2048"])
    hub.mkdir(parents=True)
    torch.save(net.state_dict(), hub / fid.FILE)
    start = hashlib.sha256((hub / fid.FILE).read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(fid, "SHA256_START", start)
    return net


def pictures(name, channels=3):
    return torch.rand(6, channels, 32, 32, generator=generator(0, name)) * 2 - 1


def test_without_weights_the_remedy_names_file_and_folder(hub):
    for call in (fid.inception, lambda: fid.fid(pictures("a"), pictures("b"))):
        with pytest.raises(MissingPart, match=fid.FILE) as error:
            call()
        assert str(hub) in str(error.value)
    assert fid.FILE in fid.why_missing()


def test_a_download_that_fails_says_so(hub):
    with pytest.raises(MissingPart, match=fid.FILE):
        fid.inception(download=True)
    assert not (hub / fid.FILE).exists()


def test_without_the_package_the_extra_is_named(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch_fidelity" else real(name))
    assert "facelab[fid]" in fid.why_missing()
    with pytest.raises(MissingPart, match=r"facelab\[fid\]"):
        fid.inception()


def test_another_file_under_that_name_is_refused(stand_in, hub):
    (hub / fid.FILE).write_bytes((hub / fid.FILE).read_bytes() + b"x")
    with pytest.raises(BadWeights, match="not the file"):
        fid.inception()


def test_it_is_the_frechet_distance_of_that_networks_features(stand_in):
    assert fid.why_missing() == ""
    a, b, net = pictures("a"), pictures("b"), fid.inception()
    seen = fid.features(net, a)
    assert seen.shape == (6, fid.FEATURES)
    known = stand_in(((a + 1) * 127.5).round().to(torch.uint8))[0]
    torch.testing.assert_close(seen, known)
    assert fid.fid(a, b) == pytest.approx(frechet(seen, fid.features(net, b)))
    assert fid.fid(a, a, net) == 0
    grey = pictures("g", 1)
    torch.testing.assert_close(fid.features(net, grey), fid.features(net, grey.repeat(1, 3, 1, 1)))


def test_the_formula_is_torch_fidelitys():
    metric = pytest.importorskip("torch_fidelity.metric_fid")
    a, b = (torch.randn(60, 12, generator=generator(0, name)).double() for name in "ab")
    b = 1.5 * b + 0.3
    stats = [metric.fid_features_to_statistics(rows) for rows in (a, b)]
    known = metric.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    assert frechet(a, b) == pytest.approx(known, rel=1e-6)
