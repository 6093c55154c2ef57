"""The Fréchet inception distance that papers report: the same formula, on the features of one particular network.

Only this is called FID in this project. Its network's weights (95 MB) come with no package: ``fid`` works where they
lie on this machine or can be downloaded. Everywhere else :func:`facelab.metrics.frechet.frechet` on a named feature net
stands in, under its own name; the two are never in one column.
Taught in: 10
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from facelab.compat import ensure_torchvision
from facelab.errors import BadWeights, MissingPart
from facelab.images import to_channels, to_uint8
from facelab.metrics.frechet import frechet

FILE = "weights-inception-2015-12-05-6726825d.pth"
SHA256_START = "6726825d"
FEATURES = 2048


def weights_file() -> Path:
    """Where the network's weights are expected: torch.hub's folder of checkpoints."""
    return Path(torch.hub.get_dir()) / "checkpoints" / FILE


def why_missing() -> str:
    """What FID lacks on this machine and how to get it; empty where it can be computed offline."""
    if importlib.util.find_spec("torch_fidelity") is None:
        return "pip install 'facelab[fid]'"
    return "" if weights_file().is_file() else f"place {FILE} in {weights_file().parent}"


def inception(download: bool = False) -> nn.Module:
    """The network of FID: TensorFlow's Inception of 2015-12-05, as torch-fidelity carries it over.

    Args:
        download: fetch the weights where they are not here.

    Returns:
        uint8 images (N, 3, H, W) to a tuple of one tensor (N, 2048).

    Raises:
        MissingPart: the package or the weights are not here.
        BadWeights: the file is not the one everybody uses.
    """
    if importlib.util.find_spec("torch_fidelity") is None:
        raise MissingPart("the package torch-fidelity", "Install it with: pip install 'facelab[fid]'")
    ensure_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

    path = weights_file()
    if not path.is_file() and download:
        _fetch(URL_INCEPTION_V3, path)
    if not path.is_file():
        raise MissingPart("the weight file of FID's network", f"Place {FILE} in {path.parent}, or use frechet.")
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(SHA256_START):
        raise BadWeights(path, "is not the file that FID is defined by", "Delete it and fetch it again.")
    return FeatureExtractorInceptionV3("inception", [str(FEATURES)], feature_extractor_weights_path=str(path))


def _fetch(url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path), hash_prefix=SHA256_START, progress=False)
    except (OSError, RuntimeError) as error:
        raise MissingPart("the weight file of FID's network", f"Place {FILE} in {path.parent}. ({error})") from error


@torch.no_grad()
def features(net: nn.Module, images: Tensor, chunk: int = 32) -> Tensor:
    """What FID compares.

    Args:
        net: of :func:`inception`; it resizes pictures to 299 pixels itself.
        images: (N, 1 or 3, H, W) in [-1, 1].
        chunk: pictures at a time.

    Returns:
        (N, 2048), one vector a picture.
    """
    parts = [net(to_uint8(to_channels(part, 3)))[0] for part in images.split(chunk)]
    return torch.cat(parts)


def fid(images_a: Tensor, images_b: Tensor, net: nn.Module | None = None) -> float:
    """Fréchet inception distance between two sets of pictures; lower is better.

    Biased upwards for few pictures: published values take 10,000 and more. Say how many.

    Args:
        images_a, images_b: (N, 1 or 3, H, W) in [-1, 1].
        net: of :func:`inception`; None builds it.

    Raises:
        MissingPart: see :func:`inception`.

    Source: Heusel et al. 2017; the network as in torch-fidelity, whose values agree with TensorFlow's.
    """
    judge = inception() if net is None else net
    return frechet(features(judge, images_a), features(judge, images_b))
