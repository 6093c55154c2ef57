"""HOG-guided inpainting: every setting of one run."""

from __future__ import annotations

import dataclasses

from facelab.errors import BadConfig
from facelab.hog import NORMS
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.restoration import HIDDEN_LIMIT
from facelab.train.settings import refuse_impossible, refuse_other_types, refuse_unless

MODELS = ("unet", "published", "gated", "partial", "context")
GUIDED = ("unet", "published", "gated")
GUIDES = ("hog", "canny", "none")


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms; the comment gives the published value where it differs.
    """

    model: str = "unet"  # the painter: ours, "published", or a baseline: "gated", "partial", "context"
    guide: str = "hog"  # "canny": edges as EdgeConnect has them; "none": nothing guides
    start: str = "smooth"  # the painter changes a smooth fill of the hole; published: "empty", it paints on grey
    detail: bool = True  # our painter, gated or not, is also shown what is fine in the picture, made louder
    size: int = 64  # pixels
    channels: int = 1
    cell: int = 8  # pixels; side of a cell of the HOG
    orientations: int = 9  # bins of the half circle
    norm: str = "contrast"  # of the HOG; published: "blocks"
    sigma: float = 1.0  # pixels; how soft the picture is in which Canny looks for edges. EdgeConnect: 2, at 256 pixels
    width: int = 40  # of the painter
    blocks: int = 8  # dilated residual blocks in its middle
    predictor_width: int = 24
    predictor_blocks: int = 6
    critic_width: int = 24  # of both critics
    critic_downs: int = 4
    critic_kind: str = "plain"  # "spectral": 70 × 70 patches with spectral norm, as published
    critic_hole: bool = False  # the critics of the picture are shown the hole, too, as in DeepFill v2
    region: bool = False  # a second critic, of a square of half the side around the middle of the hole
    loss: str = "nonsaturating"
    penalty: str = "r1"  # published: none
    lambda_penalty: float = 5.0
    penalty_every: int = 4  # the penalty is taken every so many critic steps, as much heavier
    lambda_guide: float = 1.0  # L1 between predicted and true guide; cross-entropy for edges
    lambda_guide_adv: float = 0.0  # the critic of grey picture and guide; published: 1
    lambda_l1: float = 100.0  # published: 1 on pictures in [0, 1], which is 0.5 here, with the others as small
    lambda_ssim: float = 100.0  # of 1 - SSIM; published: 0
    lambda_perceptual: float = 4.0  # published: 0.1, on maps of VGG16 as large as they are
    lambda_style: float = 0.0  # published: 250, of Gram matrices
    lambda_hog: float = 0.0  # L1 between the soft guides of the composite and of the truth
    lambda_adv: float = 4.0  # the critic of the picture; published: 0.1
    visible: float = 0.1  # weight of visible pixels in L1, which an empty start paints for nothing; published: 1
    perceptual: str = "relative"  # squared differences over the features' size; published: "absolute" ones
    feature_net: str = "effnet-lite0"  # "none": neither perceptual nor style term; published: vgg16
    share_low: float = 0.02  # hidden share of a training picture, from
    share_high: float = 0.6  # … and to
    crop: int = 0  # pixels; early steps see windows of this side, which is cheap: how lines go on is the same there
    crop_until: float = 0.0  # share of the run that sees windows
    predict_until: float = 0.5  # share of the run in which the predictor learns; then it rests
    true_until: float = 0.5  # share of the run in which the painter is given the true guide. 1: always
    joint: bool = False  # after true_until the predictor learns from the painter's losses, too, and does not rest
    adversarial_from: float = 0.6  # share of the run after which the critic of the picture joins
    batch: int = 16
    view_until: float = 1.0  # share of the run after which pictures are only mirrored: resampling softens them
    steps: int = 1500
    learning_rate: float = 1e-3  # of both generators
    critic_learning_rate: float = 4e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the run after which the learning rate falls to zero on a cosine
    ema: float = 0.995  # 0: no average of the generators

    def __post_init__(self):
        refuse_other_types(self)
        allowed = {
            "model": MODELS, "guide": GUIDES, "start": ("smooth", "empty"), "channels": (1, 3),
            "loss": tuple(PAIRS), "penalty": tuple(PENALTIES),
            "critic_kind": ("plain", "spectral"), "feature_net": ("none", *FEATURE_NETS),
            "perceptual": ("relative", "absolute"), "norm": NORMS, "cell": (2, 4, 8, 16),
        }  # fmt: skip
        for field, values in allowed.items():
            refuse_unless(self, [field], lambda value, of=values: value in of, "one of " + ", ".join(map(str, values)))
        shares = ("share_low", "share_high", "predict_until", "true_until", "adversarial_from", "view_until",
                  "decay_from", "visible", "crop_until", "ema")  # fmt: skip
        counts = ("batch", "steps", "orientations", "critic_width", "critic_downs", "penalty_every")
        refuse_impossible(self, counts, ("blocks", "predictor_blocks"), shares)
        self._check_sizes()
        if self.start == "smooth" and self.model in ("partial", "context"):
            raise BadConfig(
                "start", self.start, f'"empty" for the model {self.model}: it could not see what it changes'
            )
        if self.sigma <= 0:
            raise BadConfig("sigma", self.sigma, "more than 0")
        if self.guide != "none" and self.model not in GUIDED:
            raise BadConfig("guide", self.guide, f'"none" for the model {self.model}: it has no place for one')
        if not self.share_low <= self.share_high <= HIDDEN_LIMIT:
            raise BadConfig("share_high", self.share_high, f"from share_low ({self.share_low}) to {HIDDEN_LIMIT}")

    def _check_sizes(self):
        if self.size % 16 or not 32 <= self.size <= 512:
            raise BadConfig("size", self.size, "a multiple of 16 from 32 to 512")
        if self.crop and (self.crop % 16 or not 32 <= self.crop <= self.size):
            raise BadConfig("crop", self.crop, f"0, or a multiple of 16 from 32 to {self.size}")
        if self.crop_until and (not self.crop or self.model == "context"):
            raise BadConfig("crop_until", self.crop_until, "0 without windows, and for a context encoder")
        for side in {self.size, self.crop if self.crop_until else self.size}:
            self._check_critic(side // 2 if self.region else side)
        refuse_unless(self, ("width", "predictor_width"), lambda w: w >= 8 and w % 8 == 0, "a multiple of 8")

    def _check_critic(self, side: int):
        if self.critic_kind == "plain" and side % 2**self.critic_downs:
            raise BadConfig("critic_downs", self.critic_downs, f"so few halvings that {side} divides evenly")
        if self.critic_kind == "spectral" and side < 32:
            raise BadConfig("critic_kind", self.critic_kind, f'"plain" where a critic sees {side} pixels a side')

    @property
    def bins(self) -> int:
        """Channels of the guide; 0 where there is none."""
        return {"hog": self.orientations, "canny": 1, "none": 0}[self.guide]

    @property
    def guide_cell(self) -> int:
        """A pixel of the guide is so many of the picture's."""
        return self.cell if self.guide == "hog" else 1

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
                size=32, width=8, blocks=2, predictor_width=8, predictor_blocks=2, critic_width=8, critic_downs=3,
                cell=4, steps=150, learning_rate=2e-3, feature_net="none", adversarial_from=0.8, batch=12,
            ),
            "laptop": dict(
                size=64, width=24, blocks=6, predictor_width=16, predictor_blocks=4, critic_width=16, cell=4,
                batch=12, steps=1700, feature_net="none", adversarial_from=0.85,
            ),
            "gpu": dict(
                size=128, width=32, cell=4, batch=16, steps=12_000, ema=0.999, view_until=0.8, crop=64, crop_until=0.6,
                true_until=0.6, predict_until=0.8, adversarial_from=0.85, decay_from=0.6,
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
        """The published networks, loss terms and weights; the faults of the description stay corrected.

        Predictor, painter on the true guide, painter on the predicted one; the first two side by side, since neither
        hears of the other. The stages are EdgeConnect's: the source gives none. What differs still: the maps of VGG16
        are the three after its first poolings (:mod:`facelab.nets.features`), where the source names the first layer of
        each of four blocks; and pictures are in [-1, 1], not in [0, 1], which is why L1 weighs half as much.
        """
        values = dict(
            model="published", start="empty", size=128, channels=3, width=64, predictor_width=64, blocks=8,
            predictor_blocks=8, cell=8, norm="blocks", critic_kind="spectral", critic_width=64, penalty="none",
            lambda_penalty=0.0, penalty_every=1,
            lambda_guide_adv=1.0, lambda_l1=0.5, lambda_ssim=0.0, lambda_perceptual=0.1, lambda_style=250.0,
            lambda_adv=0.1, visible=1.0, perceptual="absolute", feature_net="vgg16", adversarial_from=0.0, batch=8,
            learning_rate=1e-4, critic_learning_rate=1e-5, beta1=0.0, beta2=0.9, decay_from=1.0, ema=0.0,
        )  # fmt: skip
        return cls(**{**values, **changes})
