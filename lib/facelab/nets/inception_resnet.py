"""Inception-ResNet-v1, the face recognizer of FaceNet's re-implementations: a picture to 512 numbers of length one.

Its weights are read from a file of yours, a saved ``state_dict`` or a ``.safetensors`` file, under the names that
checkpoints for PyTorch have (``conv2d_1a.conv.weight`` … ``last_bn.bias``; a ``logits`` layer for the people it was
trained on is passed over). Trained on CASIA-WebFace or on VGGFace2 it is the same network. The file's path is
``FACELAB_INCEPTION_RESNET``, or ``weights/inception_resnet_v1.safetensors`` or ``.pt``.

Source: Szegedy et al. 2017, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
figures 10 to 14 for the blocks; Schroff et al. 2015, "FaceNet", for vectors of length one. As released for faces: 512
numbers, 160 pixels, no padding in the stem, a twenty-first block without ReLU before the mean over all places.
Taught in: lesson 08.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from facelab.errors import BadWeights, MissingPart
from facelab.files import weights_root
from facelab.images import resize, to_channels

SIDE, LENGTH = 160, 512
"""Pixels of the pictures it was trained with, and numbers it gives."""
SCALES = {256: 0.17, 896: 0.10, 1792: 0.20}
"""How much of a residual block's answer is added to its input, by the block's channels."""
_NEEDED = "The network of 23,482,624 parameters is needed, in PyTorch's names."


class Conv(nn.Module):
    """Convolution without bias, batch norm, ReLU.

    Args:
        inside: channels in. outside: channels out.
        kernel: side, or (height, width). stride, padding: as of a convolution.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int | tuple[int, int], stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ):  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outside, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _same(inside: int, outside: int, *kernel: int) -> Conv:
    """A convolution that keeps the size; ``kernel`` is one side or height and width."""
    tall, wide = kernel if len(kernel) == 2 else kernel * 2
    return Conv(inside, outside, (tall, wide), padding=(tall // 2, wide // 2))


class Branches(nn.Module):
    """Branches side by side, ``branch0`` first; forward gives their answers laid together by channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        for place, branch in enumerate(branches):
            self.add_module(f"branch{place}", branch)

    def answers(self, x: Tensor) -> Tensor:
        """What every branch makes of (N, C, H, W), one after the other by channels."""
        found = [branch(x) for name, branch in self.named_children() if name.startswith("branch")]
        return torch.cat(found, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.answers(x)


class Residual(Branches):
    """Branches whose answers, mixed and made smaller, are added to the input. (N, C, H, W) to the same shape.

    Args:
        channels: in and out. inner: of all branches together. branches: see :class:`Branches`.
        scale: of the answer. bent: False leaves out the ReLU at the end.
    """

    def __init__(self, channels: int, inner: int, *branches: nn.Module, scale: float, bent: bool = True):
        super().__init__(*branches)
        self.scale, self.bent = scale, bent
        self.conv2d = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale * self.conv2d(self.answers(x))
        return F.relu(x) if self.bent else x


def block35() -> Residual:
    """Inception-ResNet-A, at 17 × 17: figure 10."""
    one, two = _same(256, 32, 1), nn.Sequential(_same(256, 32, 1), _same(32, 32, 3))
    three = nn.Sequential(_same(256, 32, 1), _same(32, 32, 3), _same(32, 32, 3))
    return Residual(256, 96, one, two, three, scale=SCALES[256])


def block17() -> Residual:
    """Inception-ResNet-B, at 8 × 8: figure 11."""
    two = nn.Sequential(_same(896, 128, 1), _same(128, 128, 1, 7), _same(128, 128, 7, 1))
    return Residual(896, 256, _same(896, 128, 1), two, scale=SCALES[896])


def block8(last: bool = False) -> Residual:
    """Inception-ResNet-C, at 3 × 3: figure 13. The ``last`` one's answer counts whole, without ReLU."""
    two = nn.Sequential(_same(1792, 192, 1), _same(192, 192, 1, 3), _same(192, 192, 3, 1))
    return Residual(1792, 384, _same(1792, 192, 1), two, scale=1.0 if last else SCALES[1792], bent=not last)


def reduction_a() -> Branches:
    """256 channels at 17 × 17 to 896 at 8 × 8: figure 7, with k, l, m, n of table 1."""
    two = nn.Sequential(_same(256, 192, 1), _same(192, 192, 3), Conv(192, 256, 3, 2))
    return Branches(Conv(256, 384, 3, 2), two, nn.MaxPool2d(3, 2))


def reduction_b() -> Branches:
    """896 channels at 8 × 8 to 1792 at 3 × 3: figure 12."""
    one = nn.Sequential(_same(896, 256, 1), Conv(256, 384, 3, 2))
    two = nn.Sequential(_same(896, 256, 1), Conv(256, 256, 3, 2))
    three = nn.Sequential(_same(896, 256, 1), _same(256, 256, 3), Conv(256, 256, 3, 2))
    return Branches(one, two, three, nn.MaxPool2d(3, 2))


class InceptionResnet(nn.Module):
    """Pictures to vectors of length one, those of one person close together; random until weights are read.

    Taught in: lesson 08.
    """

    length = LENGTH

    def __init__(self):
        super().__init__()
        self.conv2d_1a, self.conv2d_2a, self.conv2d_2b = Conv(3, 32, 3, 2), Conv(32, 32, 3), _same(32, 64, 3)
        self.maxpool_3a = nn.MaxPool2d(3, 2)
        self.conv2d_3b, self.conv2d_4a, self.conv2d_4b = Conv(64, 80, 1), Conv(80, 192, 3), Conv(192, 256, 3, 2)
        self.repeat_1, self.mixed_6a = nn.Sequential(*(block35() for _ in range(5))), reduction_a()
        self.repeat_2, self.mixed_7a = nn.Sequential(*(block17() for _ in range(10))), reduction_b()
        self.repeat_3, self.block8 = nn.Sequential(*(block8() for _ in range(5))), block8(last=True)
        self.last_linear = nn.Linear(1792, LENGTH, bias=False)
        self.last_bn = nn.BatchNorm1d(LENGTH, eps=1e-3)

    def maps(self, images: Tensor) -> Tensor:
        """Pictures (N, 1 or 3, H, W) in [-1, 1], of any size, to maps (N, 1792, 3, 3)."""
        x = prepared(images)
        for name, layer in self.named_children():
            if not name.startswith("last_"):
                x = layer(x)
        return x

    def forward(self, images: Tensor) -> Tensor:
        """Pictures (N, 1 or 3, H, W) in [-1, 1] to vectors (N, 512) of length one."""
        said = self.last_linear(self.maps(images).mean((2, 3)))
        return F.normalize(self.last_bn(said).float(), dim=1)


def prepared(images: Tensor) -> Tensor:
    """Pictures as the network was trained to see them: (N, 3, 160, 160), pixels of 0 to 255 less 127.5, by 128."""
    return resize(to_channels(images, 3), SIDE) * (127.5 / 128)


def weights_path() -> Path:
    """Where the weights are looked for: ``FACELAB_INCEPTION_RESNET``, else in ``weights/``."""
    given = os.environ.get("FACELAB_INCEPTION_RESNET")
    if given:
        return Path(given).expanduser()
    own = [weights_root() / f"inception_resnet_v1.{ending}" for ending in ("safetensors", "pt")]
    return next((path for path in own if path.is_file()), own[0])


def why_no_recognizer() -> str:
    """What Inception-ResNet-v1 lacks on this machine and how to get it; empty where it can be built."""
    path = weights_path()
    return "" if path.is_file() else f"place Inception-ResNet-v1's weights at {path}"


def inception_resnet() -> InceptionResnet:
    """The network with your weights, frozen.

    Raises:
        MissingPart: no file of weights is here.
        BadWeights: it cannot be read, or is another network's.

    Taught in: lesson 08.
    """
    path, net = weights_path(), InceptionResnet()
    if not path.is_file():
        hint = "Name a file in FACELAB_INCEPTION_RESNET or place it there, or choose another classifier."
        raise MissingPart(f"the weight file of Inception-ResNet-v1 ({path})", hint)
    net.load_state_dict(_fitting(_read(path), net, path), strict=False)
    return net.eval().requires_grad_(False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise BadWeights(path, "it is no file of weights", "A state_dict or .safetensors is needed.") from error


def _fitting(found: dict[str, Tensor], net: nn.Module, path: Path) -> dict[str, Tensor]:
    """The parts of a file that the network has; batches counted while training are nobody's concern."""
    wanted = {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}
    try:
        kept = {name: found[name].float() for name in wanted}
    except (KeyError, TypeError, AttributeError) as error:
        raise BadWeights(path, f"no {error} in it", _NEEDED) from error
    wrong = [name for name, value in wanted.items() if value.shape != kept[name].shape]
    if wrong:
        raise BadWeights(path, f"{wrong[0]} has another shape", _NEEDED)
    return kept
