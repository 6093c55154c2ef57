"""torchvision beside a torch of another build."""

import subprocess
import sys
import types

import pytest

from facelab import compat

PIPELINE = """
from facelab.compat import ensure_torchvision
answer = ensure_torchvision()
assert ensure_torchvision() == answer, "the second call must not change its mind"
import torch
from torchvision.transforms import v2
from torchvision import models
out = v2.Compose([v2.Resize((8, 8), antialias=True), v2.RandomHorizontalFlip(1.0)])(torch.rand(3, 16, 16))
assert out.shape == (3, 8, 8) and models.vgg16
from torchvision.extension import _has_ops
assert answer == ("native" if _has_ops() else "stub")
print(answer)
"""


def test_torchvision_imports_and_works():
    done = subprocess.run([sys.executable, "-c", PIPELINE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("native", "stub")


@pytest.fixture
def afresh(monkeypatch):
    monkeypatch.setattr(compat, "_ANSWER", None)
    monkeypatch.setattr(compat, "_LIBRARY", None)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)


def test_a_working_torchvision_is_left_alone(afresh, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    assert compat.ensure_torchvision() == "native" and compat._LIBRARY is None


def test_another_error_is_passed_on(afresh, monkeypatch, tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('the disc is on fire')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(RuntimeError, match="on fire"):
        compat.ensure_torchvision()
    assert compat._ANSWER is None
