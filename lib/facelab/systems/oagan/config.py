"""OA-GAN: every setting of one run."""

from __future__ import annotations

import dataclasses

from facelab.errors import BadConfig
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.train.settings import refuse_impossible, refuse_other_types, refuse_unless


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms; the comment gives the released value where it differs.
    """

    model: str = "unet"  # "published": the 13.9 M-parameter network of the paper (at width 64)
    size: int = 64  # pixels
    channels: int = 1
    width: int = 40  # published: 64
    hole_width: int = 32  # of the "unet" model's hole net
    blocks: int = 5  # residual blocks in the middle of the "unet" model's completion net
    outline_blocks: int = 0  # residual blocks behind its hole net's eyes
    encoder: str = "effnet-lite0"  # its eyes, trained on ImageNet and frozen; "none": a U-Net that starts from nothing
    enlarge: int = 1  # the encoder sees the picture so many times larger, 1 or 2; a small one needs 2
    critic_width: int = 16  # published: 64
    critic_downs: int = 4  # published: 6
    critic_norm: str = "none"
    critic_real: str = "others"  # whom it takes for real: other pictures, as published, or "same": the covered faces
    classes: int = 0  # outputs of the identity head; 0 leaves it out
    label_smoothing: float = 0.0  # of its targets: this share is spread evenly over all classes
    loss: str = "wgan"
    penalty: str = "gp"
    lambda_penalty: float = 10.0
    lambda_adv: float = 0.05  # released: 1
    lambda_class: float = 1.0
    lambda_hidden: float = 6.0
    lambda_visible: float = 1.0
    lambda_hole: float = 1.0  # released: 0, the holes are known but not used
    lambda_perceptual: float = 0.05
    lambda_style: float = 0.5  # released: 120, on VGG16 maps of another scale
    lambda_area: float = 0.02  # released: 1; pulls a natural picture's hole towards empty
    lambda_tv: float = 1e-6  # released: 1e-5
    feature_net: str = "effnet-lite0"  # "none": no perceptual and style terms; released: vgg16
    perceptual_from: float = 0.0  # share of the run after which perceptual and style terms join
    teacher: float = 0.5  # share of each batch whose gate is given the true hole; released: 0
    complete_from: float = 0.0  # share of the run in which only the hole is learned; then the whole picture
    adversarial_from: float = 0.3  # share of the run after which the critic joins; released: 0
    n_critic: int = 1  # batches the critic sees per generator step; released: 5
    critic_repeats: int = 1  # critic steps on each of them
    natural_every: int = 4  # every so many generator steps one is natural; released: 2
    two_step_penalty: bool = False  # released: True, an Adam step of its own for the penalty
    batch: int = 16
    view_until: float = 1.0  # share of the run after which pictures are only mirrored: resampling softens them
    small_size: int = 0  # pixels; early steps at this size are cheap, and the networks are fully convolutional; 0: none
    small_until: float = 0.0  # share of the run at the small size
    steps: int = 1500
    learning_rate: float = 4e-4  # released: 1e-4
    critic_learning_rate: float = 2e-4  # released: 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.6  # share of the run after which the learning rate falls to zero on a cosine
    ema: float = 0.995  # 0: no average of the generator

    def __post_init__(self):
        refuse_other_types(self)
        allowed = {
            "model": ("unet", "published"), "channels": (1, 3), "loss": tuple(PAIRS), "penalty": tuple(PENALTIES),
            "critic_norm": ("none", "instance", "spectral"), "encoder": ("none", "effnet-lite0"),
            "enlarge": (1, 2), "critic_real": ("others", "same"),
            "feature_net": ("none", *FEATURE_NETS),
        }  # fmt: skip
        for field, values in allowed.items():
            refuse_unless(self, [field], lambda value, of=values: value in of, "one of " + ", ".join(map(str, values)))
        self._check_numbers()
        if self.size % 8 or not 32 <= self.size <= 512:
            raise BadConfig("size", self.size, "a multiple of 8 from 32 to 512")
        if self.size % 2**self.critic_downs:
            raise BadConfig("critic_downs", self.critic_downs, f"so few halvings that {self.size} divides evenly")
        refuse_unless(self, ("width", "hole_width"), lambda w: w >= 8 and w % 8 == 0, "a multiple of 8")
        self._check_stages()

    def _check_numbers(self):
        shares = (
            "teacher", "ema", "label_smoothing", "complete_from", "perceptual_from", "adversarial_from", "decay_from",
            "small_until", "view_until",
        )  # fmt: skip
        refuse_impossible(
            self,
            ("batch", "steps", "n_critic", "critic_repeats", "critic_width", "critic_downs"),
            ("blocks", "outline_blocks"),
            shares,
        )
        if self.label_smoothing and not self.classes:
            raise BadConfig("label_smoothing", self.label_smoothing, "0 without an identity head (classes)")
        if self.natural_every < 0:
            raise BadConfig("natural_every", self.natural_every, "0 (never), or every so many generator steps")
        if self.classes and self.small_size:
            raise BadConfig("small_size", self.small_size, "0 with an identity head: its last layer knows one size")

    def _check_stages(self):
        if self.complete_from == 1 or 0 < self.adversarial_from < self.complete_from:
            raise BadConfig("complete_from", self.complete_from, "less than 1, and not later than adversarial_from")
        if self.complete_from and not self.lambda_hole:
            raise BadConfig("complete_from", self.complete_from, "0 where lambda_hole is 0: nothing would be learned")
        if self.enlarge == 2 and (self.model, self.encoder) != ("unet", "effnet-lite0"):
            raise BadConfig("enlarge", 2, "1 without the encoder effnet-lite0: nobody would see the larger picture")
        if self.small_size and (self.small_size > self.size or self.small_size % max(8, 2**self.critic_downs)):
            raise BadConfig("small_size", self.small_size, f"0, or a multiple of 8 up to {self.size}")

    @property
    def critic_from(self) -> int:
        """The step at which the critic joins: a loader need not draw for it before."""
        return int(self.steps * self.adversarial_from)

    @property
    def view_steps(self) -> int:
        """Steps whose pictures are shifted, scaled and turned; afterwards they are only mirrored."""
        return int(self.steps * self.view_until)

    @classmethod
    def for_profile(cls, profile: str, **changes: object) -> Config:
        """Settings of ``smoke``, ``laptop`` or ``gpu``, with ``changes`` on top."""
        profiles = {
            "smoke": dict(
                size=32, width=8, hole_width=8, batch=16, steps=180, learning_rate=2e-3, feature_net="none",
                critic_downs=3, complete_from=0.25, adversarial_from=0.8,
            ),
            "laptop": dict(  # no feature net: it would take a third of every step, and steps are what the finder lacks
                size=64, width=24, hole_width=24, enlarge=2, blocks=3, batch=12, steps=4600, learning_rate=2e-3,
                lambda_hole=2.0, teacher=0.75, feature_net="none", complete_from=0.5, adversarial_from=0.97,
                decay_from=0.6,
            ),
            "gpu": dict(
                size=128, width=40, hole_width=32, blocks=8, outline_blocks=3, critic_width=24, batch=32,
                steps=24_000, small_size=96, small_until=0.3, view_until=0.7, complete_from=0.1, perceptual_from=0.5,
                adversarial_from=0.6, decay_from=0.3, lambda_hole=2.0, lambda_adv=0.2,
                loss="nonsaturating", penalty="r1", lambda_penalty=5.0,
                learning_rate=1e-3, critic_learning_rate=4e-4, natural_every=8, ema=0.999,
            ),
        }  # fmt: skip
        if profile not in profiles:
            raise BadConfig("profile", profile, "one of " + ", ".join(profiles))
        return cls(**{**profiles[profile], **changes})

    @classmethod
    def released(cls, **changes: object) -> Config:
        """The behaviour of the released code, faults included (its labels excepted)."""
        values = dict(
            model="published", size=128, channels=3, width=64, critic_width=64, critic_downs=6, lambda_adv=1.0,
            lambda_style=120.0, lambda_area=1.0, lambda_tv=1e-5, lambda_hole=0.0, feature_net="vgg16", teacher=0.0,
            encoder="none", adversarial_from=0.0, n_critic=5, natural_every=2,
            two_step_penalty=True, learning_rate=1e-4, critic_learning_rate=1e-4, ema=0.0, batch=16,
        )  # fmt: skip
        return cls(**{**values, **changes})
