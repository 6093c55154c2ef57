"""VIS → NIR: every setting of one run."""

from __future__ import annotations

import dataclasses

from facelab.errors import BadConfig
from facelab.losses.adversarial import PAIRS
from facelab.losses.similarity import ASPECTS
from facelab.nets.cyclegan import NORMS, REACHES, UPS
from facelab.nets.features import NAMES as FEATURE_NETS
from facelab.train.settings import refuse_impossible, refuse_other_types, refuse_unless

MODELS = ("cyclegan", "pix2pix")
PERCEPTUAL = 0.1
"""Weight of the study's perceptual term, which it does not tell; relative to the size of what is compared."""
PLAIN = dict(back="pixels", lambda_cyc=3.0, norm="instance", lambda_range=0.0)
"""CycleGAN's own, but for a weaker cycle: its weight of 10 keeps shadows in that near infrared has not."""
OURS = dict(back="structure", lambda_cyc=1.0, norm="batch", lambda_range=1.0)
"""What is ours beside A: a cycle that asks for structure, batch norm, and a term for what saturates."""


def studied(variant: str) -> dict[str, object]:
    """What the study has added at ``"A"``, ``"B"`` or ``"C"``; ``""``: nothing, CycleGAN on crops as they come.

    ``"ours"`` is what came out best here, nearest to hidden truths by PSNR and by identity distance (record
    ``08_synth-600-nir.jsonl``); what a :class:`Config` is unless told otherwise, and what the shipped weights have: A,
    of which little more has to come back than infrared can hold, with batch norm, and with a term against saturation.

    Raises:
        BadConfig: another name.

    Taught in: lesson 08.
    """
    if variant not in ("", "A", "B", "C", "ours"):
        raise BadConfig("variant", variant, "A, B, C, ours, or nothing")
    if variant == "ours":
        return OURS | dict(align=True, equalise=False, lambda_perceptual=0.0)
    feature_net = {"feature_net": "effnet-lite0"} if variant == "C" else {}
    steps = dict(align=bool(variant), equalise=variant in ("B", "C"), lambda_perceptual=PERCEPTUAL * (variant == "C"))
    return PLAIN | steps | feature_net


@dataclasses.dataclass(frozen=True)
class Config:
    """Every setting of one run; impossible values are refused by name.

    ``lambda_*`` are weights of loss terms.
    """

    model: str = "cyclegan"  # "pix2pix": one translator, shown the true picture beside each: an upper bound
    size: int = 64  # pixels
    channels: int = 3  # of visible pictures; near-infrared ones have one
    width: int = 32  # of the translators; published: 64
    blocks: int = 6  # residual ones; published: 9 for 256 px
    norm: str = "batch"  # statistics of each process's own pictures; published: instance
    up: str = "resized"  # published: "transposed"
    change: bool = True  # translators change the picture they are shown; published: False, they paint one anew
    critic_width: int = 32  # published: 64
    critic_norm: str = "instance"
    reach: int = 34  # pixels that one logit sees; 0: the whole picture. Published: 70, of pictures of 256
    align: bool = True  # A: eyes at one place
    equalise: bool = False  # B: the luminance of visible pictures
    loss: str = "lsgan"
    lambda_adv: float = 1.0
    lambda_cyc: float = 1.0  # published: 10
    back: str = "structure"  # what of a visible picture the cycle term asks back, and no other term; published: pixels
    lambda_identity_mapping: float = 0.0  # published: half of lambda_cyc, and none for some of its tasks
    lambda_perceptual: float = 0.0  # C: relative, on the feature net's maps of what comes back
    lambda_pixel: float = 0.0  # of the true counterpart, where pairs exist: the translator is shown the truth then
    lambda_range: float = 1.0  # of what saturates the tanh, beyond white and black; published: none
    grain: float = 0.0  # spread of noise over translated pictures before they go back: nothing can hide in them then
    feature_net: str = "effnet-lite0"
    pool: int = 50  # earlier fakes a critic is shown; 0: none
    batch: int = 2  # published: 1
    steps: int = 900
    learning_rate: float = 1e-3  # published: 2e-4, at a batch of 1
    critic_learning_rate: float = 5e-4  # published: 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the run after which rates fall to zero on a straight line
    ema: float = 0.99  # 0: no average of the translators; published: none

    def __post_init__(self):
        refuse_other_types(self)
        allowed = {
            "model": MODELS, "channels": (1, 3), "norm": NORMS, "critic_norm": NORMS, "up": UPS, "loss": tuple(PAIRS),
            "back": ASPECTS, "reach": (0, *REACHES), "feature_net": ("none", *FEATURE_NETS),
        }  # fmt: skip
        for field, values in allowed.items():
            refuse_unless(self, [field], lambda value, of=values: value in of, "one of " + ", ".join(map(str, values)))
        counts = ("batch", "steps", "width", "blocks", "critic_width")
        refuse_impossible(self, counts, ("pool", "grain"), ("decay_from", "ema"))
        if self.size % 4 or not 32 <= self.size <= 512:
            raise BadConfig("size", self.size, "a multiple of 4 from 32 to 512")
        if self.reach == 0 and self.size & (self.size - 1):
            raise BadConfig("size", self.size, "a power of two for a critic of whole pictures: it halves down to 4")
        if self.lambda_perceptual and self.feature_net == "none":
            raise BadConfig("lambda_perceptual", self.lambda_perceptual, "0 without a feature_net")
        if self.model == "pix2pix" and not self.lambda_pixel:
            raise BadConfig("lambda_pixel", 0.0, "more than 0 for pix2pix: it learns from the truth; published: 100")

    @property
    def paired(self) -> bool:
        """The true counterparts are shown."""
        return self.lambda_pixel > 0

    @property
    def view(self) -> float:
        """Share of the side by which training pictures are moved: where eyes are aligned, hardly."""
        return 0.02 if self.align else 0.04

    @classmethod
    def for_profile(cls, profile: str, **changes: object) -> Config:
        """Settings of ``smoke``, ``laptop`` or ``gpu``, with ``changes`` on top; pix2pix is told the truth."""
        profiles = {
            "smoke": dict(
                size=32, width=8, blocks=2, critic_width=8, reach=16, steps=40, batch=8, ema=0.9, feature_net="none",
                learning_rate=2e-3, critic_learning_rate=1e-3, pool=20,
            ),
            "laptop": dict(size=64, width=16, critic_width=16, steps=700),
            "gpu": dict(size=128, width=32, blocks=9, reach=70, steps=20_000, batch=8, learning_rate=5e-4, ema=0.999),
        }  # fmt: skip
        if profile not in profiles:
            raise BadConfig("profile", profile, "one of " + ", ".join(profiles))
        told = dict(lambda_pixel=100.0) if changes.get("model") == "pix2pix" else {}
        return cls(**{**profiles[profile], **told, **changes})

    @classmethod
    def published(cls, variant: str = "C", **changes: object) -> Config:
        """CycleGAN as published for 128 px, with what the study adds, see :func:`studied`.

        Raises:
            BadConfig: another variant than the study's.
        """
        if variant == "ours":
            raise BadConfig("variant", variant, "A, B, C, or nothing: ours was not published")
        settings = dict(
            size=128, width=64, blocks=6, up="transposed", change=False, critic_width=64, reach=70, batch=1,
            lambda_cyc=10.0, lambda_identity_mapping=5.0, learning_rate=2e-4, critic_learning_rate=2e-4, ema=0.0,
        )  # fmt: skip
        return cls(**{**studied(variant), **settings, **changes})
