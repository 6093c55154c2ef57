"""The small parts the networks are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def init_normal(module: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw every convolution's weights from N(0, std), biases 0; norms start as the identity.

    Source: DCGAN (Radford et al. 2016), section 3; CycleGAN and OA-GAN keep it.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def init_he(module: nn.Module) -> nn.Module:
    """He initialisation for networks of ReLU-like units, biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module


def parameter_count(module: nn.Module) -> int:
    """Number of parameters, frozen ones included."""
    return sum(p.numel() for p in module.parameters())


def instance_norm(channels: int) -> nn.Module:
    """Instance norm with a learned scale and shift, as OA-GAN uses it."""
    return nn.InstanceNorm2d(channels, affine=True)


def group_norm(channels: int) -> nn.Module:
    """Group norm with groups of 8 channels: independent of the batch, and it keeps part of the contrast."""
    return nn.GroupNorm(max(1, channels // 8), channels)


class ResidualBlock(nn.Module):
    """OA-GAN's residual block: k3 IN ReLU k3 IN, added to the input. (N, C, H, W) to the same shape."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            instance_norm(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            instance_norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ConvUnit(nn.Module):
    """Convolution, group norm, leaky ReLU 0.2.

    Args:
        inside: channels in.
        outside: channels out.
        stride: 1 keeps the size, 2 halves it.
        dilation: spacing of the 3×3 taps; reach grows, cost does not.
        bent: False leaves out the leaky ReLU.
    """

    def __init__(self, inside: int, outside: int, stride: int = 1, dilation: int = 1, bent: bool = True):
        super().__init__()
        self.slope = 0.2 if bent else 1.0
        kernel = 4 if stride == 2 else 3
        padding = 1 if stride == 2 else dilation
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding, dilation, bias=False)
        self.norm = group_norm(outside)
        # On CPUs with bf16 tiles, oneDNN 3.12's weight gradient of a dilated convolution reads uninitialised memory
        # where the number of channels is no multiple of 16: wrong numbers, at times infinite ones.
        self.in_full = dilation > 1 and bool(inside % 16 or outside % 16)

    def forward(self, x: Tensor) -> Tensor:
        if self.in_full and x.device.type == "cpu":
            with torch.autocast("cpu", enabled=False):
                return F.leaky_relu(self.norm(self.conv(x.float())), self.slope)
        return F.leaky_relu(self.norm(self.conv(x)), self.slope)


class GatedUnit(nn.Module):
    """As :class:`ConvUnit`, and as many further maps decide, place by place, how much of each comes through.

    Arguments as of :class:`ConvUnit`. Source: Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution".
    Ours: group norm on both halves.
    """

    def __init__(self, inside: int, outside: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.values = ConvUnit(inside, outside, stride, dilation)
        self.gates = ConvUnit(inside, outside, stride, dilation, bent=False)  # bent, a gate could hardly close

    def forward(self, x: Tensor) -> Tensor:
        return self.values(x) * torch.sigmoid(self.gates(x))


class DilatedBlock(nn.Module):
    """Two 3×3 convolutions, the first dilated, added to the input. (N, C, H, W) to the same shape.

    Args:
        channels: in and out.
        dilation: of the first convolution.
        unit: its kind, :class:`ConvUnit` or another with the same arguments.
    """

    def __init__(self, channels: int, dilation: int, unit: Callable[..., nn.Module] = ConvUnit):
        super().__init__()
        self.first = unit(channels, channels, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = group_norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.norm(self.second(self.first(x)))


class SelfAttention(nn.Module):
    """Every place asks every other one, and what it hears is added to it. (N, C, H, W) to the same shape.

    A facemask hides whole features; what is known of them lies far away, on the other cheek or above. The output
    starts at zero, so that an untrained block changes nothing.

    Args:
        channels: divisible by ``heads``.
        heads: how many questions are asked at once.

    Source: Zhang et al. 2019 (SAGAN) for attention in generators; Vaswani et al. 2017 for the heads.
    """

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads, self.norm = heads, group_norm(channels)
        self.ask, self.answer = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.ask(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).transpose(-1, -2)
        heard = F.scaled_dot_product_attention(*parts.unbind(1))
        return x + self.answer(heard.transpose(-1, -2).flatten(1, 2).unflatten(2, x.shape[-2:]))
