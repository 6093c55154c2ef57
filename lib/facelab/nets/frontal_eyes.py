"""Eyes of frontalizers: the published encoder, VGG-16 as face recognition left it, what stands in for it, and ours.

All give maps at strides 2, 4, 8 … and all that are frozen normalise their input themselves: the source fed [-1, 1] into
a net that was trained on blue, green, red from 0 to 255 less their means.

``vggface`` is read from a file of yours: the thirteen convolutions of VGG-16 trained on faces, as a ``.safetensors``
file or a saved ``state_dict``, under torchvision's names (``features.0.weight`` … ``features.28.bias``; others in the
file are passed over), made for BGR. Its path is ``FACELAB_VGGFACE``, or ``weights/vggface.safetensors``.
Source: Parkhi et al. 2015, "Deep Face Recognition" (VGGFace); Simonyan and Zisserman 2015 (VGG-16).
Taught in: lesson 07.
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

from facelab.compat import ensure_torchvision
from facelab.errors import BadWeights, MissingPart
from facelab.files import weights_root
from facelab.nets import efficientnet
from facelab.nets.features import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    FeatureNet,
    effnet,
    load_torchvision,
    why_missing,
)
from facelab.nets.warping import sized

ENCODERS = ("none", "effnet-lite0", "vgg16", "vggface")
VGG_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
VGG_CHANNELS = (128, 256, 512, 512, 512)
"""Of its maps at strides 2, 4, 8, 16, and of the last one, pooled to stride 32."""
FACE_MEAN, FACE_STD = (129.1863 / 255, 104.7624 / 255, 93.5940 / 255), (1 / 255,) * 3  # RGB; VGGFace has no deviation


class ToBGR(nn.Module):
    """Red, green, blue (N, 3, H, W) in the order VGGFace was trained with."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1)


def vgg16_layers() -> nn.Sequential:
    """The thirteen convolutions of VGG-16, 14,714,688 weights, numbered as torchvision numbers them; random."""
    layers, inside = [], 3
    for block in VGG_BLOCKS:
        for outside in block:
            layers += [nn.Conv2d(inside, outside, 3, 1, 1), nn.ReLU()]
            inside = outside
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def vgg16_stages(layers: nn.Sequential) -> list[nn.Module]:
    """Cut after conv2_2, conv3_3, conv4_3, conv5_3 and the last pooling: strides 2, 4, 8, 16, 32."""
    pools = [place for place, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    ends = [*pools[1:], len(layers)]
    return [layers[a:b] for a, b in zip([0, *ends], ends, strict=False)]


class FreshEyes(nn.Module):
    """An encoder that starts from nothing and is trained: one strided convolution a level.

    Args:
        channels: 1 or 3.
        widths: channels at strides 2, 4, 8 …
    """

    def __init__(self, channels: int, widths: tuple[int, ...]):
        super().__init__()
        self.channels = widths
        self.stages = nn.ModuleList(down(a, b) for a, b in zip((channels, *widths), widths, strict=False))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Pictures (N, C, H, W) to one map a level, the finest first."""
        maps = [images]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]


class FrozenEyes(nn.Module):
    """A feature net as encoder: it is not trained, and the rest of the generator learns to read it.

    Args:
        net: maps at strides 2, 4, 8, 16 (and 32).
        channels: of those maps.
        levels: how many are wanted; one more than there are is the last one, pooled.
    """

    def __init__(self, net: FeatureNet, channels: tuple[int, ...], levels: int):
        super().__init__()
        self.net, self.levels = net, levels
        self.channels = (*channels, channels[-1])[:levels]

    @torch.no_grad()
    def forward(self, images: Tensor) -> list[Tensor]:
        """Pictures (N, 1 or 3, H, W) in [-1, 1] to one map a level, the finest first."""
        maps = self.net(images)
        if len(maps) < self.levels:
            maps.append(F.avg_pool2d(maps[-1], 2))
        return maps[: self.levels]


class BorrowedEyes(nn.Module):
    """What a net that has learned to see elsewhere makes of the picture, added to each map of our encoder.

    It looks at the picture at twice the size of the overview (128 pixels, of pictures from 64 pixels on), and stays as
    it is; what is learned is how to read it.

    Args:
        encoder: see :func:`eyes`; not "none".
        channels: 1 or 3. widths: of the encoder's maps, at strides 2, 4, 8 … pretrained: read the weights.

    Raises:
        MissingPart: its weights are not here.
    """

    def __init__(self, encoder: str, channels: int, widths: tuple[int, ...], pretrained: bool = True):
        super().__init__()
        self.eyes = eyes(encoder, channels, 0, len(widths), pretrained)
        self.read = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(self.eyes.channels, widths, strict=True))
        for conv in self.read:
            nn.init.normal_(conv.weight, 0.0, 0.01)
            nn.init.zeros_(conv.bias)

    def forward(self, images: Tensor, size: tuple[int, int]) -> list[Tensor]:
        """Pictures (N, C, H, W) and the overview's size to maps (N, width, h, w) at its strides 2, 4, 8 …"""
        maps = self.eyes(sized(images, (2 * size[0], 2 * size[1])))
        return [F.avg_pool2d(read(part), 2) for read, part in zip(self.read, maps, strict=True)]


def down(inside: int, outside: int, remember: bool = True) -> nn.Sequential:
    """k4 s2, batch norm, leaky ReLU 0.2: half the size. Keras's momentum of 0.8 is 0.2 here.

    ``remember`` the batches' statistics for later use; a critic has none, and must not change when it is asked.
    """
    norm = nn.BatchNorm2d(outside, momentum=0.2, track_running_stats=remember)
    return nn.Sequential(nn.Conv2d(inside, outside, 4, 2, 1), norm, nn.LeakyReLU(0.2))


def eyes(name: str, channels: int, width: int, levels: int, pretrained: bool = True) -> nn.Module:
    """An encoder by name.

    Args:
        name: one of :data:`ENCODERS`; "none" is trained, the others are frozen.
        channels: 1 or 3.
        width: of a fresh one; its levels have 2, 4, 8, 8, 8 times as many channels, as VGG-16 has of 64.
        levels: maps wanted, 3 to 5.
        pretrained: read the weights; False where all weights are read later.

    Raises:
        MissingPart: its weights are not here.
        BadWeights: the file of ``vggface`` is not what it should be.
    """
    if name == "none":
        return FreshEyes(channels, tuple(width * times for times in (2, 4, 8, 8, 8)[:levels]))
    if name == "effnet-lite0":
        return FrozenEyes(effnet(pretrained=pretrained), efficientnet.CHANNELS, levels)
    layers = vgg16_layers()
    if pretrained:
        layers.load_state_dict(_imagenet_vgg16() if name == "vgg16" else vggface_weights(layers))
    stages = vgg16_stages(layers)
    if name == "vgg16":
        return FrozenEyes(FeatureNet(name, stages, IMAGENET_MEAN, IMAGENET_STD), VGG_CHANNELS, levels)
    stages[0] = nn.Sequential(ToBGR(), *stages[0])
    return FrozenEyes(FeatureNet(name, stages, FACE_MEAN, FACE_STD), VGG_CHANNELS, levels)


def _imagenet_vgg16() -> dict[str, Tensor]:
    ensure_torchvision()
    from torchvision import models

    return load_torchvision(models.vgg16, models.VGG16_Weights.IMAGENET1K_V1).features.state_dict()


def vggface_path() -> Path:
    """Where the weights of VGGFace are looked for: ``FACELAB_VGGFACE``, or ``weights/vggface.safetensors``."""
    given = os.environ.get("FACELAB_VGGFACE")
    return Path(given).expanduser() if given else weights_root() / "vggface.safetensors"


def why_no_eyes(name: str) -> str:
    """What one of :data:`ENCODERS` lacks on this machine and how to get it; empty where it can be built."""
    if name == "vggface":
        return "" if vggface_path().is_file() else f"place VGGFace's convolutions at {vggface_path()}"
    return why_missing(name)


def vggface_weights(layers: nn.Module) -> dict[str, Tensor]:
    """The user's weights for :func:`vgg16_layers`.

    Raises:
        MissingPart: no such file.
        BadWeights: it cannot be read, or has not the convolutions of VGG-16.
    """
    path = vggface_path()
    if not path.is_file():
        hint = "Name a file in FACELAB_VGGFACE or place it there, or choose the encoder effnet-lite0 or none."
        raise MissingPart(f"the weight file of VGGFace ({path})", hint)
    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        kept = {name: found[f"features.{name}"].float() for name in layers.state_dict()}
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise BadWeights(path, "it is no file of weights", "A state_dict or .safetensors is needed.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadWeights(
            path, f"no {error} in it", "The convolutions of VGG-16 are needed, as torchvision's."
        ) from error
    wrong = [name for name, value in layers.state_dict().items() if value.shape != kept[name].shape]
    if wrong:
        raise BadWeights(path, f"features.{wrong[0]} has another shape", "The convolutions of VGG-16 are needed.")
    return kept
