"""Which systems can be ablated, and what is their own in it: variants, base, batches, and how a run is looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from facelab.errors import BadConfig
from facelab.studies.ablation import (
    diagnosis,
    facemask_variants,
    guide_variants,
    nir_variants,
    turning_variants,
    variants,
)
from facelab.studies.ablation.variants import Variant
from facelab.studies.batches import Loader, masked_photographs_here
from facelab.studies.evaluation import measure, run_restore
from facelab.studies.infrared import lacking
from facelab.studies.inpainting import with_oracle
from facelab.studies.natural import covers_facemask
from facelab.studies.parts import natural_photographs
from facelab.studies.tasks import task
from facelab.studies.training import system
from facelab.studies.trials import Trial


@dataclasses.dataclass(frozen=True)
class Subject:
    """A system whose variants are compared.

    Args:
        system: its name.
        lesson: that shows its records.
        variants: the table.
        base: settings of the base.
        steps: of a run, unless told otherwise.
        everything: configuration and dataset → the configuration whose batches hold all that any variant needs.
        own_batches: settings for which a variant's batches are drawn by themselves.
        watch: see :func:`facelab.studies.training.train`.
        also: model, first trial and configuration → further values, name → one a picture.
        told: trial and configuration → the trial with all that this variant's restorer is told.
        lacking: configuration and dataset → why it cannot be trained there; empty where it can.
        each_trial: metrics kept picture by picture for every trial, as ``"metric, label"``, whose means are kept, too.
        nets: feature nets of Fréchet distances, metric → name.
    """

    system: str
    lesson: str
    variants: Sequence[Variant]
    base: Mapping[str, Any]
    steps: int
    everything: Callable[[Any, str], Any]
    own_batches: tuple[str, ...] = ()
    watch: Callable[..., Any] | None = None
    also: Callable[[Any, Trial, Any], dict[str, list[float]]] | None = None
    told: Callable[[Trial, Any], Trial] = lambda test, cfg: test
    lacking: Callable[[Any, str], str] = lambda cfg, data: ""
    each_trial: tuple[str, ...] = ()
    nets: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def loader(self, data: str, cfg: Any, seed: int) -> Loader:
        """The batches of one seed that serve every variant like ``cfg``."""
        return task(self.system).loader(data, self.everything(cfg, data), seed, None)

    def drawn_alone(self, cfg: Any, base: Any) -> str:
        """A name for the batches of ``cfg`` where they are not the base's; else empty."""
        return "-".join(str(getattr(cfg, n)) for n in self.own_batches if getattr(cfg, n) != getattr(base, n))


def _for_oagan(cfg: Any, data: str) -> Any:
    return dataclasses.replace(variants.with_labels(cfg, data), adversarial_from=0.0)


def _for_facemasks(cfg: Any, data: str) -> Any:
    return dataclasses.replace(cfg, natural_every=max(1, cfg.natural_every))


def _told_and_real(model: Any, test: Trial, cfg: Any) -> dict[str, list[float]]:
    """PSNR in the hole when the true hole is given, and which real photographs (in colour, 0 or 1) are well covered."""
    restore = partial(system("mask_removal").restore, model)
    with torch.no_grad():
        image, _, _ = run_restore(restore, test.occluded, test.hole)
        out = {"psnr_told": [round(value, 2) for value in measure(image, test)["psnr_hole"].tolist()]}
        if masked_photographs_here(cfg.channels):
            part = natural_photographs(("val", "test"), cfg.size)
            _, hole, _ = run_restore(restore, part.take(range(len(part)))[0])
            out["real"] = covers_facemask(hole).int().tolist()
    return out


SUBJECTS = {
    "oagan": Subject(
        "oagan", "05", variants.VARIANTS, variants.BASE, 500, _for_oagan, watch=diagnosis.watch
    ),
    "mask_removal": Subject(
        "mask_removal", "06", facemask_variants.VARIANTS, facemask_variants.BASE, 700, _for_facemasks,
        own_batches=("fit",), also=_told_and_real,
    ),
    "frontalize": Subject(
        "frontalize", "07", turning_variants.VARIANTS, turning_variants.BASE, 750, lambda cfg, data: cfg,
        each_trial=("psnr", "ssim", "identity", "rank1"),
        nets={"frechet": "effnet-lite0", "frechet_second": "effnet-lite1"},
    ),
    "vis2nir": Subject(
        "vis2nir", "08", nir_variants.VARIANTS, nir_variants.BASE, 900, lambda cfg, data: cfg,
        own_batches=("align", "equalise", "lambda_pixel"), lacking=lacking,
        each_trial=("psnr", "ssim", "identity", "rank1"),
        nets={"frechet": "effnet-lite0", "frechet_second": "effnet-lite1"},
    ),
    "hog_inpaint": Subject(
        "hog_inpaint", "09", guide_variants.VARIANTS, guide_variants.BASE, 800, lambda cfg, data: cfg,
        told=with_oracle, each_trial=("psnr",),
        nets={"frechet": "effnet-lite0", "frechet_second": "effnet-lite1"},
    ),
}  # fmt: skip


def subject(name: str) -> Subject:
    """A system that can be ablated, by name.

    Raises:
        BadConfig: none of that name.
    """
    if name not in SUBJECTS:
        raise BadConfig("system", name, "one of " + ", ".join(SUBJECTS))
    return SUBJECTS[name]
