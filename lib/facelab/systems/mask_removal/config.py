"""Face-mask removal: every setting of one run."""

from __future__ import annotations

import dataclasses

from facelab.errors import BadConfig
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.occlude.facemask import FITS
from facelab.train.settings import refuse_impossible, refuse_other_types, refuse_unless


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms; the comment gives the published value where it differs.
    """

    model: str = "unet"  # "published": the networks of 2022, 5,685,408 and 3,253,074 parameters (widths 32 and 64)
    size: int = 64  # pixels
    channels: int = 1
    width: int = 40  # of the editing net
    hole_width: int = 32  # of the hole net
    blocks: int = 8  # dilated residual blocks in the middle of the editing net
    attention: int = 0  # heads of self-attention behind them; 0: none
    outline_blocks: int = 2  # residual blocks behind the hole net's eyes
    encoder: str = "effnet-lite0"  # its eyes, trained on ImageNet and frozen; "none": a U-Net that starts from nothing
    enlarge: int = 1  # the encoder sees the picture so many times larger, 1 or 2; a small one needs 2
    critic_width: int = 24  # of both critics
    critic_downs: int = 4
    loss: str = "nonsaturating"
    penalty: str = "r1"  # published: none
    lambda_penalty: float = 5.0
    lambda_l1: float = 100.0
    lambda_ssim: float = 100.0  # of 1 - SSIM
    lambda_perceptual: float = 4.0  # published: 100, on maps of VGG19 as large as they are
    lambda_whole: float = 1.5  # the critic of the whole picture; published: 0.3
    lambda_region: float = 3.5  # the critic of what was hidden; published: 0.7
    lambda_hole: float = 100.0
    visible: float = 0.1  # weight of visible pixels in L1, where the composite keeps the photograph's; published: 1
    perceptual: str = "relative"  # squared differences of features over their size; published: "square", VGG's size
    feature_net: str = "effnet-lite0"  # "none": no perceptual term; published: vgg19
    teacher: float = 0.5  # share of each batch in which the editing net is given the true hole
    fit: str = "pose"  # how facemasks are put on: "pose", tied to the face, or "upright", as the source's first version
    find_until: float = 1.0  # share of the run after which the hole net rests; 0: it came trained
    bare: float = 0.05  # share of each batch that wears none: nothing is to be found there
    framed: float = 0.0  # share whose photograph ends inside the picture, its edge pixels repeated outwards
    soft: float = 0.0  # share whose pictures look as if enlarged from fewer pixels
    edit_from: float = 0.0  # share of the run in which only the hole is learned; then the picture too. 1: never that
    adversarial_from: float = 0.1  # share of the run after which the critic of the whole picture joins
    region_from: float = 0.4  # … and the critic of the region
    penalty_every: int = 4  # the penalty is taken every so many critic steps, as much heavier
    natural_every: int = 0  # once a critic plays, after every so many steps one more on pictures without truth; 0: none
    batch: int = 16
    view_until: float = 1.0  # share of the run after which pictures are only mirrored: resampling softens them
    small_size: int = 0  # pixels; early steps at this size are cheap, and the networks are fully convolutional; 0: none
    small_until: float = 0.0  # share of the run at the small size
    steps: int = 1500
    learning_rate: float = 4e-4
    critic_learning_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.6  # share of the run after which the learning rate falls to zero on a cosine
    ema: float = 0.995  # 0: no average of the generator

    def __post_init__(self):
        refuse_other_types(self)
        allowed = {
            "model": ("unet", "published"), "channels": (1, 3), "loss": tuple(PAIRS), "penalty": tuple(PENALTIES),
            "encoder": ("none", "effnet-lite0"), "enlarge": (1, 2), "feature_net": ("none", *FEATURE_NETS),
            "perceptual": ("relative", "square"), "fit": FITS,
        }  # fmt: skip
        for field, values in allowed.items():
            refuse_unless(self, [field], lambda value, of=values: value in of, "one of " + ", ".join(map(str, values)))
        self._check_numbers()
        self._check_sizes()
        if self.find_until < self.edit_from:
            raise BadConfig("find_until", self.find_until, "not less than edit_from: nothing would be learned")
        if 0 < self.adversarial_from < self.edit_from:
            raise BadConfig("edit_from", self.edit_from, "not later than adversarial_from")

    def _check_numbers(self):
        shares = (
            "edit_from", "adversarial_from", "region_from", "decay_from", "view_until", "find_until", "small_until",
            "teacher", "bare", "framed", "soft", "visible", "ema",
        )  # fmt: skip
        refuse_impossible(
            self,
            ("batch", "steps", "critic_width", "critic_downs", "penalty_every"),
            ("blocks", "outline_blocks", "attention", "natural_every"),
            shares,
        )

    def _check_sizes(self):
        least = 48 if self.model == "published" else 32
        if self.size % 16 or not least <= self.size <= 512:
            raise BadConfig("size", self.size, f"a multiple of 16 from {least} to 512")
        if self.size // 2 % 2**self.critic_downs:
            raise BadConfig("critic_downs", self.critic_downs, f"so few halvings that {self.size // 2} divides evenly")
        refuse_unless(self, ("width", "hole_width"), lambda w: w >= 8 and w % 8 == 0, "a multiple of 8")
        step = max(16, 2 * 2**self.critic_downs)
        if self.small_size and (not least <= self.small_size <= self.size or self.small_size % step):
            raise BadConfig("small_size", self.small_size, f"0, or a multiple of {step} from {least} to {self.size}")
        if self.attention and 4 * self.width % self.attention:
            raise BadConfig("attention", self.attention, f"a divisor of {4 * self.width}, four times the width")
        if self.enlarge == 2 and (self.model, self.encoder) != ("unet", "effnet-lite0"):
            raise BadConfig("enlarge", 2, "1 without the encoder effnet-lite0: nobody would see the larger picture")

    @property
    def view_steps(self) -> int:
        """Steps whose pictures are shifted, scaled and turned; afterwards they are only mirrored."""
        return int(self.steps * self.view_until)

    @classmethod
    def for_profile(cls, profile: str, **changes: object) -> Config:
        """Settings of ``smoke``, ``laptop`` or ``gpu``, with ``changes`` on top.

        With ``model="published"`` size and steps alone are the profile's: the rest is :meth:`published`.
        """
        profiles = {
            "smoke": dict(
                size=32, width=8, hole_width=8, blocks=2, outline_blocks=0, critic_downs=3, critic_width=8,
                steps=180, learning_rate=2e-3, feature_net="none", edit_from=0.25, adversarial_from=0.8,
                region_from=0.9, enlarge=2,
            ),
            "laptop": dict(
                size=64, width=24, hole_width=24, enlarge=2, blocks=5, outline_blocks=0, batch=12, steps=3000,
                learning_rate=2e-3, feature_net="none", edit_from=0.25, adversarial_from=0.9, region_from=0.94,
                critic_width=16,
            ),
            "gpu": dict(
                size=128, width=40, hole_width=32, blocks=8, batch=32, steps=9_000, learning_rate=1e-3,
                critic_learning_rate=4e-4, decay_from=0.4, ema=0.999, view_until=0.7,
            ),
        }  # fmt: skip
        if profile not in profiles:
            raise BadConfig("profile", profile, "one of " + ", ".join(profiles))
        own = profiles[profile]
        if changes.get("model") == "published":
            return cls.published(**{"size": max(48, own["size"]), "steps": own["steps"], **changes})
        return cls(**{**own, **changes})

    @classmethod
    def published(cls, **changes: object) -> Config:
        """The published networks, weights of the terms and stages; the faults of its training code stay corrected.

        The hole net is trained first and then rests, as theirs was by a command of its own: the first quarter of the
        run; the region's critic joins after two fifths of what is left. What the networks paint depends on who else
        is in the batch, as it does in theirs. The hole's own loss is ours.
        """
        values = dict(
            model="published", size=128, channels=3, width=64, hole_width=32, encoder="none", critic_width=64,
            feature_net="vgg19-deep", perceptual="square", lambda_perceptual=100.0, lambda_whole=0.3, lambda_region=0.7,
            penalty="none", lambda_penalty=0.0, penalty_every=1,
            adversarial_from=0.0, teacher=0.0, bare=0.0, learning_rate=2e-4, critic_learning_rate=2e-4, ema=0.0,
            batch=8, decay_from=1.0, visible=1.0, edit_from=0.25, find_until=0.25, region_from=0.55, critic_downs=3,
        )  # fmt: skip
        return cls(**{**values, **changes})
