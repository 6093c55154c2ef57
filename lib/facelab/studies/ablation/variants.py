"""OA-GAN's variants: what each changes, and in what.

Every variant differs from its named parent in one factor, so that a difference has one cause. The one exception is in
the manner of the source project's own last run, which changed four at once; it says so. Variants of one seed see the
same batches, and those with the same networks begin with the same weights.

Taught in: lesson 05.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from facelab.data.catalogue import open_dataset
from facelab.errors import BadConfig
from facelab.studies.batches import people_of
from facelab.systems.oagan import Config

#: Stands for the number of people trained on, known only with the dataset.
PEOPLE = "people"
#: Settings that decide which batches come: the same in every variant, or nothing could be compared.
SHARED = ("size", "channels", "batch", "steps", "small_size", "small_until", "view_until",
          "share_low", "share_high", "crop", "crop_until")  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One row of an ablation.

    Args:
        name: of the row.
        parent: the row it is compared with; empty for the base.
        changes: settings that differ from the parent's; one, unless ``confounded``.
        about: the factor in words.
        confounded: several factors at once, on purpose: no difference to its parent has one cause.
        group: what kind of question it asks.
    """

    name: str
    parent: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    confounded: bool = False
    group: str = ""


#: The base: OA-GAN corrected (lesson 04), small enough for two minutes on one core, with weights and rates for so small
#: a run. As published, its critic is there from the first step, its finder starts from nothing, its gate is never told
#: the hole.
BASE = dict(
    model="unet", encoder="none", width=16, hole_width=16, blocks=3, critic_width=16, critic_downs=5, batch=12,
    loss="wgan", penalty="gp", lambda_adv=0.1, feature_net="effnet-lite0", teacher=0.0, adversarial_from=0.0,
    n_critic=1, natural_every=4, learning_rate=1e-3, critic_learning_rate=2e-4, ema=0.0,
)  # fmt: skip


def _v(name: str, parent: str, about: str, confounded: bool = False, **changes: Any) -> Variant:
    return Variant(name, parent, changes, about, confounded)


def _group(group: str, *variants: Variant) -> tuple[Variant, ...]:
    return tuple(dataclasses.replace(variant, group=group) for variant in variants)


VARIANTS = (
    *_group(
        "the base",
        Variant("base", "", about="WGAN, gradient penalty in the same step"),
    ),
    *_group(
        "the leash",
        _v("two-step", "base", "the penalty in an Adam step of its own, as released", two_step_penalty=True),
        _v("no penalty", "base", "nothing holds the critic", penalty="none"),
        _v("DRAGAN", "base", "penalty around real pictures, Gaussian noise, c = 1/16", penalty="dragan"),
        _v("DRAGAN, c = 10", "DRAGAN", "noise as far as the paper is quoted for", penalty="dragan-far"),
        _v("DRAGAN notebook", "DRAGAN", "the one-sided noise of its authors' notebook", penalty="dragan-notebook"),
        _v("DRAGAN + IN", "DRAGAN", "instance norm in the critic", critic_norm="instance"),
        _v("GP + IN", "base", "instance norm in the critic", critic_norm="instance"),
        _v("SN + GP", "base", "spectral norm in the critic", critic_norm="spectral"),
        _v("SN", "SN + GP", "spectral norm alone, WGAN loss", penalty="none"),
        _v("SN + hinge", "SN", "hinge loss", loss="hinge"),
        _v("R1", "base", "penalty on the slope at real pictures, towards zero", penalty="r1"),
        _v("R1 + NS", "R1", "non-saturating loss", loss="nonsaturating"),
        _v("quick critic", "base", "five times the critic's learning rate", critic_learning_rate=1e-3),
        _v("fed", "base", "three critic steps on every batch", critic_repeats=3),
        _v("same faces", "base", "the critic's real faces are those that were covered", critic_real="same"),
        _v("no natural", "base", "no natural batches", natural_every=0),
        _v("no critic", "no natural", "no adversarial term at all", lambda_adv=0.0),
        _v("late critic", "no natural", "the critic joins after half of the run", adversarial_from=0.5),
    ),
    *_group(
        "with the weight as released",
        _v("loud", "base", "adversarial weight 1, as released", lambda_adv=1.0),
        _v("loud, no penalty", "loud", "nothing holds the critic", penalty="none"),
        _v("loud, DRAGAN", "loud", "penalty around real pictures, Gaussian noise", penalty="dragan"),
        _v("loud, DRAGAN + IN", "loud, DRAGAN", "instance norm in the critic", critic_norm="instance"),
        _v("loud, GP + IN", "loud", "instance norm in the critic", critic_norm="instance"),
        _v("loud, SN + GP", "loud", "spectral norm in the critic", critic_norm="spectral"),
        _v("loud, SN", "loud, SN + GP", "spectral norm alone, WGAN loss", penalty="none"),
    ),
    *_group(
        "with the weight as released, and better fed",
        _v("loud, fed", "loud", "three critic steps on every batch", critic_repeats=3),
        _v("loud, fed, SN + GP", "loud, fed", "spectral norm in the critic", critic_norm="spectral"),
        _v("loud, fed, SN", "loud, fed, SN + GP", "spectral norm alone, WGAN loss", penalty="none"),
    ),
    *_group(
        "a test of the cause",
        _v("loud, LP", "loud", "the penalty forbids slopes above 1, no more", penalty="lp"),
        _v("loud, slope 0.1", "loud", "the penalty wants a slope of 0.1, not 1", penalty="gp-tenth"),
        _v("loud, slope 0.1, strict", "loud, slope 0.1", "and weighs what GP weighs", lambda_penalty=1000.0),
        _v("loud, mild", "loud", "the penalty weighs what that of slope 0.1 weighs", lambda_penalty=0.1),
        _v("loud, GP + IN, slope 0.1", "loud, GP + IN", "the penalty wants a slope of 0.1, not 1", penalty="gp-tenth"),
    ),
    *_group(
        "what pictures are compared by",
        _v("no features", "base", "neither perceptual nor style term", feature_net="none"),
        _v("Lite1", "base", "a deeper feature net, at the same weights", feature_net="effnet-lite1"),
        _v("random ResNet34", "base", "a feature net that learned nothing", feature_net="resnet34-random"),
        _v("ResNet34", "base", "ImageNet's ResNet34 as feature net, same weights", feature_net="resnet34"),
        _v("VGG16", "base", "the feature net of the paper, same weights", feature_net="vgg16"),
    ),
    *_group(
        "what is known",
        _v("identity", "base", "the critic also names the person", classes=PEOPLE),
        _v("identity, smooth", "identity", "label smoothing 0.1", label_smoothing=0.1),
        _v("no hole supervision", "base", "the true hole is not used", lambda_hole=0.0),
        _v("fourfold", "base", "in the manner of the source's last run: four factors at once", True,
           feature_net="resnet34-random", classes=PEOPLE, label_smoothing=0.1, critic_norm="spectral"),
        _v("fourfold, ImageNet", "fourfold", "with ImageNet's ResNet34, as it was run", feature_net="resnet34"),
    ),
    *_group(
        "ours",
        _v("eyes", "base", "another finder: frozen ImageNet eyes and a small decoder", encoder="effnet-lite0"),
        _v("eyes, enlarged", "eyes", "the eyes see the picture twice as large", enlarge=2),
        _v("eyes, told", "eyes", "half of each batch is told the true hole", teacher=0.5),
        _v("told", "base", "half of each batch is told the true hole", teacher=0.5),
        _v("EMA", "base", "a running average of the generator is judged", ema=0.98),
    ),
)  # fmt: skip


def slug(name: str) -> str:
    """A name as a folder may have it: ``"SN + GP"`` to ``"sn-gp"``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def by_name(variants: Sequence[Variant] = VARIANTS) -> dict[str, Variant]:
    """Variants by name, each with its parent among them.

    Raises:
        BadConfig: two whose names give one folder, a parent that is not there, or more than one factor without
            ``confounded``.
    """
    table: dict[str, Variant] = {}
    folders: set[str] = set()
    for variant in variants:
        if slug(variant.name) in folders:
            raise BadConfig("variant", variant.name, "a name of its own, also without its signs: it names a folder")
        folders.add(slug(variant.name))
        if variant.parent and variant.parent not in table:
            raise BadConfig(f"parent of {variant.name}", variant.parent, "a variant listed before it")
        if bool(variant.parent) != (len(variant.changes) > 0) or (len(variant.changes) > 1) != variant.confounded:
            raise BadConfig(f"changes of {variant.name}", dict(variant.changes), "exactly one setting, or confounded")
        if fixed := [name for name in variant.changes if name in SHARED]:
            raise BadConfig(f"changes of {variant.name}", fixed[0], "not a setting that decides about the batches")
        table[variant.name] = variant
    return table


def chosen(names: Sequence[str], ancestors: bool = True, variants: Sequence[Variant] = VARIANTS) -> list[Variant]:
    """The named variants and all their ancestors, in the table's order; all of them for no names.

    Args:
        names: of variants.
        ancestors: False leaves out those not named: then nothing but what is named can be compared.
        variants: the table.

    Raises:
        BadConfig: an unknown name.
    """
    table, wanted = by_name(variants), set()
    for name in names:
        if name not in table:
            raise BadConfig("variant", name, "one of " + "; ".join(table))
        while name and name not in wanted:
            wanted.add(name)
            name = table[name].parent if ancestors else ""
    return [variant for variant in variants if not names or variant.name in wanted]


def configuration(
    name: str,
    data: str,
    steps: int,
    variants: Sequence[Variant] = VARIANTS,
    base: Mapping[str, Any] | None = None,
    kind: type = Config,
) -> Any:
    """The full configuration of a variant: the base's settings, then its ancestors' changes, then its own.

    Args:
        name: of the variant.
        data: a dataset of the catalogue; decides about channels and the number of people.
        steps: training steps.
        variants: the table.
        base: settings of the base, e.g. ``size``; :data:`BASE` where None.
        kind: the system's ``Config``.
    """
    table, line = by_name(variants), [name]
    while table[line[-1]].parent:
        line.append(table[line[-1]].parent)
    settings: dict[str, Any] = {"size": 64, "channels": open_dataset(data).channels, "steps": steps}
    settings |= BASE if base is None else base
    for ancestor in reversed(line):
        settings |= table[ancestor].changes
    if settings.get("classes") == PEOPLE:
        settings["classes"] = len(people_of(data, settings["size"], settings["channels"]))
    return kind(**settings)


def with_labels(cfg: Config, data: str) -> Config:
    """The same configuration with an identity head, whose batches hold everything any variant needs."""
    return dataclasses.replace(cfg, classes=len(people_of(data, cfg.size, cfg.channels)))
