"""Frontalization: every setting of one run."""

from __future__ import annotations

import dataclasses

from facelab.errors import BadConfig
from facelab.losses.adversarial import PAIRS
from facelab.losses.penalties import PENALTIES
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.nets.frontal import overview
from facelab.nets.frontal_eyes import ENCODERS
from facelab.nets.frontal_published import levels_of
from facelab.train.settings import refuse_impossible, refuse_other_types, refuse_unless

OURS, PUBLISHED = ("flow", "unet"), ("ae", "pix2pix", "dcgan", "cvae")
MODELS = OURS + PUBLISHED


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms. The source has no weights in common; the comments give those of TP-GAN
    (Huang et al. 2017), which has the same terms.
    """

    model: str = "flow"  # ours; "unet": ours without warped skips; the source's: "ae", "pix2pix", "dcgan", "cvae"
    size: int = 64  # pixels
    channels: int = 3
    width: int = 32  # of the generator; published: 64, of DCGAN and CVAE 16
    blocks: int = 4  # dilated residual blocks in the middle of ours
    attention: int = 4  # heads of self-attention behind them; 0: none
    ask: bool = True  # flows begin with every place being asked what it shows; False: convolutions compute them
    copy: bool = True  # what is seen is copied, in another light; False: everything is painted
    mirror: bool = True  # the warped skips look at the mirror image of the turned face, too
    encoder: str = "none"  # frozen eyes, of ours beside an encoder of its own; published: "vggface"
    latent: int = 2  # numbers of the CVAE's code
    critic_width: int = 24
    critic_side: bool = False  # the critic is shown the turned face beside its candidate
    loss: str = "nonsaturating"
    penalty: str = "r1"  # the source has none
    lambda_penalty: float = 2.0
    penalty_every: int = 4  # the penalty is taken every so many critic steps, as much heavier
    lambda_l1: float = 100.0  # TP-GAN: 1, so that all its other weights count a hundred times as much here
    lambda_mse: float = 0.0
    lambda_ssim: float = 50.0  # of 1 - SSIM; TP-GAN: none
    lambda_symmetry: float = 2.0  # TP-GAN: 0.3; ours is small, since light and hair are not symmetric
    lambda_perceptual: float = 4.0  # relative, on maps of the feature net; TP-GAN: none
    lambda_identity_preserving: float = 5.0  # TP-GAN: 0.003, of squared distances on a face network
    face_steps: int = 0  # a face network is trained first, so long, for that term; 0: the feature net stands in
    face_told: bool = False  # the decoder of ours is told that network's vector of the turned face
    face_width: int = 24  # of that network
    lambda_adv: float = 1.0  # TP-GAN: 0.001
    lambda_tv: float = 0.0  # TP-GAN: 0.0001; it smooths what the critic has sharpened
    lambda_match: float = 80.0  # do our flows point to where a place is really seen? Only where the data knows
    lambda_asked: float = 50.0  # are questions answered at the right places? With "ask", and beside lambda_match
    lambda_kl: float = 1.0  # of the CVAE, beside the squared error summed over a picture in [0, 1]
    feature_net: str = "effnet-lite0"  # "none": no perceptual term, and no identity-preserving one without a face net
    paint_from: float = 0.0  # share of the run in which only matches teach, at half the cost; then pictures are made
    adversarial_from: float = 0.5  # share of the run after which the critic joins
    batch: int = 16
    view_until: float = 1.0  # share of the run after which pictures are only mirrored: resampling softens them
    steps: int = 1500
    learning_rate: float = 1e-3  # of the generator
    critic_learning_rate: float = 4e-4
    beta1: float = 0.9  # of the generator; with 0.5, as critics want it, flows learn half as fast
    critic_beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the run after which the learning rate falls to zero on a cosine
    ema: float = 0.995  # 0: no average of the generator

    def __post_init__(self):
        refuse_other_types(self)
        allowed = {
            "model": MODELS, "channels": (1, 3), "encoder": ENCODERS, "loss": tuple(PAIRS),
            "penalty": tuple(PENALTIES), "feature_net": ("none", *FEATURE_NETS),
        }  # fmt: skip
        for field, values in allowed.items():
            refuse_unless(self, [field], lambda value, of=values: value in of, "one of " + ", ".join(map(str, values)))
        shares = ("paint_from", "adversarial_from", "view_until", "decay_from", "ema")
        counts = ("batch", "steps", "width", "latent", "critic_width", "penalty_every", "face_width")
        refuse_impossible(self, counts, ("blocks", "attention", "face_steps"), shares)
        refuse_unless(self, ["paint_from"], lambda share: share < 1, "less than 1: pictures are made in the end")
        self._check_sizes()
        if self.face_told and not (self.face_steps and self.model in OURS):
            raise BadConfig("face_told", True, "False for the source's models, and without face_steps")
        if self.model == "flow" and self.copy and not self.lambda_match:
            raise BadConfig("copy", True, "False without lambda_match: nothing would teach its flows")
        if self.encoder != "none" and self.model in ("dcgan", "cvae"):
            raise BadConfig("encoder", self.encoder, f'"none" for the model {self.model}: it has an encoder of its own')

    def _check_sizes(self):
        if self.size % self.multiple or not 32 <= self.size <= 512:
            raise BadConfig("size", self.size, f"a multiple of {self.multiple} from 32 to 512")
        if self.model == "dcgan" and self.size & (self.size - 1):
            raise BadConfig("size", self.size, "a power of two for the model dcgan: it halves down to one place")
        if self.model == "flow" and 32 % (self.size // overview(self.size) // 4):
            raise BadConfig("size", self.size, "32, 64, 128, 256 or 512 for the model flow: questions lie on a grid")
        if self.model in OURS:
            refuse_unless(self, ["width"], lambda w: w % 8 == 0, "a multiple of 8")
            if self.attention and 6 * self.width % self.attention:
                raise BadConfig("attention", self.attention, f"a divisor of {6 * self.width}, six times the width")

    @property
    def multiple(self) -> int:
        """What divides both sides of a picture the networks take."""
        if self.model in OURS:
            return 16 * overview(self.size)
        return max(16, 2 ** levels_of(self.size)) if self.model in ("ae", "pix2pix") else 16

    @property
    def one_size(self) -> bool:
        """The networks take pictures of ``size`` alone: there are dense layers in them, or a map of one place."""
        return self.model in ("dcgan", "cvae")

    @property
    def judged(self) -> bool:
        """There is a critic."""
        return self.model != "cvae" and self.lambda_adv > 0

    @property
    def view_steps(self) -> int:
        """Steps whose pictures are shifted, scaled and turned; afterwards they are only mirrored."""
        return int(self.steps * self.view_until)

    @classmethod
    def for_profile(cls, profile: str, **changes: object) -> Config:
        """Settings of ``smoke``, ``laptop`` or ``gpu``, with ``changes`` on top.

        The source's models keep their loss terms, and are as wide, and learn as fast, as the profile's time allows.
        Those that had frozen eyes have the profile's; the DCGAN is told the truth (published: it is not).
        """
        profiles = {
            "smoke": dict(
                size=32, width=8, blocks=2, critic_width=8, steps=60, learning_rate=2e-3, feature_net="none",
                paint_from=0.2, adversarial_from=0.8, batch=12, ema=0.98,
            ),
            "laptop": dict(
                size=64, width=16, critic_width=16, batch=8, steps=600, feature_net="none", encoder="effnet-lite0",
                paint_from=0.25, adversarial_from=0.75,
            ),
            "gpu": dict(
                size=128, width=24, encoder="effnet-lite0", batch=32, steps=12_000, ema=0.999, view_until=0.8,
                paint_from=0.3, adversarial_from=0.6, face_steps=3000, face_told=True, face_width=16,
                lambda_identity_preserving=10.0,
            ),
        }  # fmt: skip
        if profile not in profiles:
            raise BadConfig("profile", profile, "one of " + ", ".join(profiles))
        model = changes.get("model", "flow")
        if model not in PUBLISHED:
            return cls(**{**profiles[profile], **changes})
        kept = {name: profiles[profile][name] for name in ("size", "steps", "batch")}
        widths = {"smoke": (8, 8), "laptop": (16, 16), "gpu": (32, 16)}[profile]
        faster = dict(
            width=widths[model in ("dcgan", "cvae")], critic_width=widths[1], learning_rate=1e-3,
            critic_learning_rate=4e-4, decay_from=0.5, ema=0.0 if profile == "smoke" else 0.995,
            encoder=profiles[profile].get("encoder", "none") if model in ("ae", "pix2pix") else "none",
        )  # fmt: skip
        faster |= {"lambda_l1": 100.0} if model == "dcgan" else {}
        return cls(**{**_published(model), **faster, **kept, **changes})

    @classmethod
    def published(cls, model: str = "pix2pix", **changes: object) -> Config:
        """The published networks, loss terms and rates of one of the source's models, for 128 px.

        What its code does wrong stays corrected: pix2pix's critic learned a hundredth as fast as the generator, from
        cross-entropy while the generator was judged by least squares; here both use least squares, at one rate.
        """
        if model not in PUBLISHED:
            raise BadConfig("model", model, "one of " + ", ".join(PUBLISHED))
        return cls(**{"size": 128, **_published(model), **changes})


def _published(model: str) -> dict[str, object]:
    none = dict(
        lambda_l1=0.0, lambda_ssim=0.0, lambda_symmetry=0.0, lambda_perceptual=0.0, lambda_identity_preserving=0.0,
        lambda_adv=0.0, lambda_match=0.0, lambda_asked=0.0, lambda_penalty=0.0, penalty="none", penalty_every=1,
        feature_net="none", adversarial_from=0.0, beta1=0.5, decay_from=1.0, ema=0.0,
    )  # fmt: skip
    own = {
        "ae": dict(encoder="vggface", width=64, lambda_mse=1.0, learning_rate=1e-4, beta1=0.9, batch=64),
        "pix2pix": dict(
            encoder="vggface", width=64, lambda_l1=100.0, lambda_adv=1.0, loss="lsgan", critic_side=True,
            critic_width=64, learning_rate=2e-4, critic_learning_rate=2e-4, batch=64,
        ),
        "dcgan": dict(
            width=16, lambda_adv=1.0, critic_width=16, learning_rate=2e-4, critic_learning_rate=2e-4, batch=64
        ),
        "cvae": dict(width=16, latent=2, lambda_mse=1.0, lambda_kl=1.0, learning_rate=1e-3, beta1=0.9, batch=32),
    }  # fmt: skip
    return {"model": model, **none, **own[model]}
