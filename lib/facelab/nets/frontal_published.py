"""The published frontalizers that paint in one go: U-Net autoencoder, pix2pix, DCGAN; and their judges.

Source: a public Keras project of 2020 that turns faces to the front; shapes, norms and widths are its own. Corrected
and named where it happens: outputs are bounded by tanh (the autoencoder's were linear), a norm is followed by one
activation (ReLU, norm, leaky ReLU stood in a row), critics give logits, and one that is called a patch critic looks at
patches (its own had one strided layer and saw 10 pixels). No norm is taken of a map of 1×1: a batch of one has nothing
to be normalised by. Smaller pictures have fewer levels.
Taught in: lesson 07.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facelab.nets.blocks import init_normal
from facelab.nets.frontal_eyes import down, eyes

KERAS = 0.2  # momentum of batch norm, 0.8 there
DECODER = (8, 8, 8, 4, 2)  # times 64: channels of the autoencoder's decoder, the coarsest first


def levels_of(size: int) -> int:
    """Halvings of the U-Nets: down to 4×4 as published at 128 px, at most 5; 4 at 64 px, 3 at 32."""
    return min(5, (size // 4).bit_length() - 1)


def init_glorot(module: nn.Module) -> nn.Module:
    """Keras's default: Glorot's uniform weights, biases 0. What is frozen stays as it is."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.weight.requires_grad:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return module


def _grow(inside: int, outside: int, norm: bool = True) -> nn.Module:
    """The autoencoder's step: k3, batch norm, leaky ReLU, twice the size."""
    layers = [nn.Conv2d(inside, outside, 3, 1, 1)]
    layers += [nn.BatchNorm2d(outside, momentum=KERAS)] if norm else []
    return nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2.0, mode="nearest"))


def _transposed(inside: int, outside: int, slope: float = 0.0) -> nn.Module:
    """The GANs' step: transposed k4 s2, batch norm, ReLU (leaky with a slope)."""
    norm = nn.BatchNorm2d(outside, momentum=KERAS)
    return nn.Sequential(nn.ConvTranspose2d(inside, outside, 4, 2, 1), norm, nn.LeakyReLU(slope))


class PublishedUNet(nn.Module):
    """What both U-Nets share: an encoder, frozen or fresh, and a decoder that is shown its maps on the way up.

    Args:
        encoder: pictures to maps at strides 2, 4, 8 …; ``channels`` says how wide they are.
        steps: one a level, the coarsest first; each doubles the size.
        last: what follows the finest step.
    """

    def __init__(self, encoder: nn.Module, steps: list[nn.Module], last: nn.Module):
        super().__init__()
        self.encoder, self.steps, self.last = encoder, nn.ModuleList(steps), last

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) in [-1, 1], H and W divisible by 2**levels, to the same shape and range."""
        *skips, x = self.encoder(images)
        for step in self.steps[:-1]:
            x = torch.cat([step(x), skips.pop()], 1)
        return torch.tanh(self.last(self.steps[-1](x)))


class FrontalAutoencoder(PublishedUNet):
    """The published autoencoder: of width 64 for 128 px with 3 channels, 14,017,283 parameters beside the encoder.

    Args:
        channels: 1 or 3.
        width: published: 64.
        size: side of the pictures it is made for.
        encoder: see :func:`facelab.nets.frontal_eyes.eyes`; published: "vggface".
        pretrained: read the encoder's weights.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, size: int = 128, encoder: str = "none", pretrained: bool = True
    ):
        levels = levels_of(size)
        look = eyes(encoder, channels, width, levels, pretrained)
        widths = [width * times for times in DECODER[-levels:]]
        given = [look.channels[-1], *(a + b for a, b in zip(widths, look.channels[-2::-1], strict=False))]
        steps = [_grow(a, b, norm=place < levels - 1) for place, (a, b) in enumerate(zip(given, widths, strict=True))]
        steps[0][-2] = nn.LeakyReLU(0.3)  # the first one alone keeps Keras's default
        super().__init__(look, steps, nn.Conv2d(widths[-1], channels, 3, 1, 1))
        init_glorot(self)


class Pix2Pix(PublishedUNet):
    """The published generator of pix2pix: 17,842,307 parameters beside the encoder; arguments as of the autoencoder.

    Isola et al. 2017 train all of a U-Net; here the encoder is frozen.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, size: int = 128, encoder: str = "none", pretrained: bool = True
    ):
        levels = levels_of(size)
        look = eyes(encoder, channels, width, levels, pretrained)
        widths = [width * times for times in (8, 8, 4, 2)[1 - levels :]]
        given = [look.channels[-1], *(a + b for a, b in zip(widths, look.channels[-2::-1], strict=True))]
        steps: list[nn.Module] = [_transposed(a, b) for a, b in zip(given, widths, strict=False)]
        steps.append(nn.ConvTranspose2d(given[-1], channels, 4, 2, 1))
        super().__init__(look, steps, nn.Identity())
        for part in (self.steps, look if encoder == "none" else self.last):
            init_normal(part)


def _halvings(width: int, size: int) -> tuple[int, ...]:
    """Channels of the DCGAN's halvings, all the way to 1×1: doubled each time, at most 32 times the first."""
    return tuple(width * min(32, 2**level) for level in range(size.bit_length() - 1))


class DCGANFrontalizer(nn.Module):
    """The published generator without skips: 13,983,651 parameters at width 16 for 128 px with 3 channels.

    All that it keeps of a face goes through one vector of 32 × width numbers.

    Args:
        channels: 1 or 3.
        width: channels of the first convolution; published: 16.
        size: side of the pictures, a power of two: it takes no other.
    """

    def __init__(self, channels: int = 3, width: int = 16, size: int = 128):
        super().__init__()
        widths = _halvings(width, size)
        body = [down(a, b) for a, b in zip((channels, *widths[:-2]), widths[:-1], strict=True)]
        body += [nn.Conv2d(widths[-2], widths[-1], 4, 2, 1), nn.LeakyReLU(0.2)]
        back = widths[::-1]
        body += [_transposed(a, b, 0.2) for a, b in zip(back, back[1:], strict=False)]
        self.body = nn.Sequential(*body, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, size, size) in [-1, 1] to the same shape and range."""
        return self.body(images)


class DCGANCritic(nn.Module):
    """The published judge of the DCGAN: one logit a picture; 2,805,457 parameters at width 16 for 128 px.

    Args:
        inside: channels in.
        width: published: 16.
        size: side of the pictures, a power of two.
    """

    def __init__(self, inside: int = 3, width: int = 16, size: int = 128):
        super().__init__()
        widths = _halvings(width, size)[:-1]
        body = [down(a, b, remember=False) for a, b in zip((inside, *widths), widths, strict=False)]
        self.body = nn.Sequential(*body, nn.Conv2d(widths[-1], 1, 4, 2, 1))
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inside, size, size) to logits (N, 1, 1, 1)."""
        return self.body(images)


def patch_halvings(size: int) -> int:
    """Halvings of the patch critic: patches of 70 px in pictures of 128 and more, of 34 in those of 64, else of 16."""
    return 3 if size >= 128 else 2 if size >= 64 else 1


class PatchCritic(nn.Module):
    """Is each overlapping patch of a face's? Patches of 16, 34 or 70 pixels after 1, 2 or 3 halvings.

    Args:
        inside: channels in: the candidate's, and the turned face's where it is shown that, too.
        width: channels after the first convolution; published: 64.
        halvings: see :func:`patch_halvings`.
        norm: batch norm behind all convolutions but the first and the last, as pix2pix has it.

    Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", appendix.
    """

    def __init__(self, inside: int = 6, width: int = 64, halvings: int = 2, norm: bool = False):
        super().__init__()
        layers: list[nn.Module] = []
        for level, stride in enumerate((*[2] * halvings, 1)):
            outside = width * 2**level
            layers.append(nn.Conv2d(inside, outside, 4, stride, 1))
            layers += [nn.BatchNorm2d(outside, track_running_stats=False)] if norm and level else []
            layers.append(nn.LeakyReLU(0.2))
            inside = outside
        self.body = nn.Sequential(*layers, nn.Conv2d(inside, 1, 4, 1, 1))
        init_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inside, H, W) to patch logits (N, 1, h, w), h = H / 2**halvings - 2."""
        return self.body(images)
