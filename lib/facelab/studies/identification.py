"""Closed-set identification: whose picture is it, of people that are all in the training set?

A training set is judged by the classifiers that it makes: what is compared is data, so everything else is the same for
every set, the number of pictures shown while training included.
Taught in: lesson 08.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from facelab import files
from facelab.errors import BadConfig, MissingPart
from facelab.faces import models
from facelab.faces.descriptor import descriptors
from facelab.metrics.lbp import chi_square, lbp
from facelab.nets.identifier import CosineHead, Identifier, small_identifier
from facelab.nets.inception_resnet import LENGTH, inception_resnet, weights_path, why_no_recognizer
from facelab.seeding import derive
from facelab.studies.albums import Album, digests
from facelab.studies.teaching import RATE, RATE_TUNED, STEPS, WIDTH, Job, taught
from facelab.train.engine import Engine


def identify(
    train: Album, test: Album, classifier: str, seed: int = 0, steps: int = STEPS, engine: Engine | None = None,
    balanced: bool = True, memory: dict[tuple[str, str], Tensor] | None = None,
) -> Tensor:  # fmt: skip
    """Teach a classifier who is who, and ask it.

    Args:
        train: what it is taught with. test: other pictures of the same people.
        classifier: one of :data:`CLASSIFIERS`.
        seed: of weights, order and variation; those of :data:`FIXED` draw nothing.
        steps: of the optimiser: the same for every training set, or the larger one would be trained for longer.
        engine: where it computes; one CPU process by default.
        balanced: half of each batch are real pictures, half added ones (and of a person's mean, half the weight).
        memory: vectors that frozen networks have given before; filled.

    Returns:
        (N,) float, 1 where a test picture was given its person's name, else 0.

    Raises:
        BadConfig: an unknown classifier, or somebody in the test who is not in the training set.
        MissingPart: what the classifier needs is not here.
        BadWeights: the weights of Inception-ResNet do not fit.

    Taught in: lesson 08.
    """
    _refuse_unknown(classifier)
    people = train.labels.unique()
    if strangers := sorted(set(test.labels.tolist()) - set(people.tolist())):
        raise BadConfig("test", f"person {strangers[0]}", "only people who are in the training set, too")
    job = Job(seed, steps, engine or Engine(), balanced, {} if memory is None else memory)
    named = CLASSIFIERS[classifier](train, test, job)
    return (named.cpu() == test.labels).float()


def _small(train: Album, test: Album, job: Job) -> Tensor:
    people = train.labels.unique()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(job.seed, "identifier"))
        net = job.engine.prepare(small_identifier(len(people), WIDTH))
    taught(net, train, job, {"net": (net, RATE)})
    return people[_asked(net, test.images, job.engine)]


def _tuned(train: Album, test: Album, job: Job) -> Tensor:
    """Batch norm keeps what it knows of faces: a batch of ours is no better sample of them."""
    people = train.labels.unique()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(job.seed, "identifier"))
        net = job.engine.prepare(Identifier(inception_resnet().requires_grad_(True), len(people))).eval()
    taught(net, train, job, {"body": (net.body, RATE_TUNED), "head": (net.head, RATE)})
    return people[_asked(net, test.images, job.engine)]


def _linear(train: Album, test: Album, job: Job) -> Tensor:
    """A head over vectors that stay as they are: they are computed once, so the pictures are not varied."""
    people, vectors = train.labels.unique(), _recognized(train, job)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(job.seed, "identifier"))
        head = job.engine.prepare(CosineHead(LENGTH, len(people)))
    taught(head, train, job, {"head": (head, RATE)}, lambda places, number: vectors[places])
    return people[_asked(head, _recognized(test, job), job.engine)]


@torch.no_grad()
def _asked(net: nn.Module, shown: Tensor, engine: Engine) -> Tensor:
    """Which person each is taken for, (N,) int64 on the CPU."""
    with engine.autocast():
        return torch.cat([net(engine.to_device(some)).float().argmax(1).cpu() for some in shown.split(64)])


def nearest_mean(vectors: Tensor, train: Album, asked: Tensor, balanced: bool = True) -> Tensor:
    """The person whose mean vector is nearest.

    Args:
        vectors: (N, D), of the pictures of ``train``. asked: (M, D).
        balanced: a person's real pictures together weigh as much as the added ones together.

    Returns:
        (M,) int64, labels.

    Taught in: lesson 08.
    """
    people, who = train.labels.unique(return_inverse=True)
    member = F.one_hot(who, len(people)).T.to(vectors.dtype)  # (K, N)
    kinds = [member * ~train.added, member * train.added] if balanced else [member]
    shares = [kind / kind.sum(1, keepdim=True).clamp_min(1) for kind in kinds]
    weights = sum(shares)
    return people[torch.cdist(asked, (weights / weights.sum(1, keepdim=True)) @ vectors).argmin(1)]


def _described(album: Album, name: str, job: Job, describe: Callable[[Album], Tensor]) -> Tensor:
    """Vectors of an album's pictures, each described once a memory."""
    marks = [hashlib.sha256(one.numpy().tobytes()).hexdigest() for one in album.points.contiguous()]
    keys = [(name, picture + points) for picture, points in zip(digests(album.images), marks, strict=True)]
    if new := [place for place, key in enumerate(keys) if key not in job.memory]:
        job.memory |= zip([keys[place] for place in new], describe(album.some(new)), strict=True)
    return torch.stack([job.memory[key] for key in keys])


def _dlib(train: Album, test: Album, job: Job) -> Tensor:
    mine, asked = (
        _described(album, "dlib", job, lambda some: descriptors(some.images, some.points)) for album in (train, test)
    )
    return nearest_mean(mine, train, asked, job.balanced)


def _recognized(album: Album, job: Job) -> Tensor:
    def describe(some: Album) -> Tensor:
        net = job.engine.prepare(inception_resnet())
        with torch.no_grad(), job.engine.autocast():
            return torch.cat([net(job.engine.to_device(part)).float().cpu() for part in some.images.split(32)])

    return _described(album, "inception-resnet", job, describe)


def _inception(train: Album, test: Album, job: Job) -> Tensor:
    return nearest_mean(_recognized(train, job), train, _recognized(test, job), job.balanced)


def _lbp(train: Album, test: Album, job: Job) -> Tensor:
    return train.labels[chi_square(lbp(test.images), lbp(train.images)).argmin(1)]


CLASSIFIERS: dict[str, Callable[[Album, Album, Job], Tensor]] = {
    "small": _small,
    "lbp": _lbp,
    "dlib": _dlib,
    "inception-resnet": _inception,
    "inception-resnet, head": _linear,
    "inception-resnet, tuned": _tuned,
}
"""From nothing; nearest neighbour by patterns; nearest mean of two frozen networks; a head on one; all of that one."""
FIXED = ("lbp", "dlib", "inception-resnet")
"""Nothing is drawn: one seed says all."""


def _refuse_unknown(classifier: str) -> None:
    if classifier not in CLASSIFIERS:
        raise BadConfig("classifier", classifier, "one of " + ", ".join(CLASSIFIERS))


def why_not(classifier: str) -> str:
    """What a classifier lacks on this machine and how to get it; empty where it can be used.

    Raises:
        BadConfig: an unknown classifier.
    """
    _refuse_unknown(classifier)
    if classifier.startswith("inception-resnet"):
        return why_no_recognizer()
    try:
        if classifier == "dlib":
            models.model_file("descriptor")
            models.dlib_module()
    except MissingPart as error:
        return str(error)
    return ""


def own_file(classifier: str) -> str:
    """What tells the file of weights apart that the user gave for a classifier: 16 hex digits; empty where none is.

    dlib's model is always the same one, for its checksum is known.
    """
    given = classifier.startswith("inception-resnet") and not why_not(classifier)
    return files.sha256_file(weights_path())[:16] if given else ""
