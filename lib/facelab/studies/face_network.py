"""A face network of our own, trained on the people that a frontalizer trains on, for its identity-preserving term.

The published terms stand on networks that were trained on millions of photographs of other people; none of them comes
with a package. Held-out people are held out here, too. It is trained at the first use, and kept in the cache.
Taught in: lesson 07.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from facelab import files
from facelab.data.catalogue import open_dataset
from facelab.data.fingerprints import fingerprint, place_of
from facelab.errors import BadWeights
from facelab.losses.contrastive import supervised_contrastive
from facelab.nets.face_network import SIDE, FaceNetwork
from facelab.seeding import generator
from facelab.studies.trials import Trial
from facelab.studies.turning import pairs, turning_loader
from facelab.studies.turning_trials import held_out_trial
from facelab.train.engine import Engine
from facelab.train.fit import fit
from facelab.train.optim import adam
from facelab.train.run import open_run
from facelab.train.schedule import cosine_decay
from facelab.train.state import State
from facelab.train.weights import fill_module, read_weights, write_weights

VERSION = 1  # raise when the same settings would come out as another network
WARMUP = 50  # steps in which the learning rate rises
LOOKED_AT = 300  # pairs of validation people


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a face network is trained: ``batch`` pairs a step, each a turned face and the same person's from the front.

    Many people in a batch make the task hard; ``temperature`` says how much the most similar of them count.
    """

    size: ClassVar[int] = SIDE
    steps: int
    channels: int = 3
    width: int = 32
    batch: int = 48
    learning_rate: float = 1e-3
    temperature: float = 0.07
    decay_from: float = 0.3
    seed: int = 0


def face_network(data: str, settings: Settings, engine: Engine | None = None, progress: bool = True) -> FaceNetwork:
    """The face network for a dataset: read where it is kept, trained where it is not; frozen.

    Args:
        data: a dataset with pairs. settings: how it is trained.
        engine: where; one process trains, others wait for it.
        progress: show a bar or lines while it trains.

    Raises:
        LayoutError: the set has no pairs, or nobody is in its training part.

    Taught in: lesson 07.
    """
    crew, folder = engine or Engine(), folder_of(data, settings)
    with torch.random.fork_rng(devices=[]):  # fresh weights draw from torch's global generator
        if crew.is_main and _read(folder, settings) is None:
            _train(data, settings, folder, Engine(crew.device, crew.precision), progress)
        crew.wait()
        found = _read(folder, settings)
    return found.eval().requires_grad_(False)


def told_by(weights: str | Path, settings: Settings) -> FaceNetwork:
    """The face network that a generator is told by, out of its weights: the data it was trained on is theirs.

    Args:
        weights: of a frontalizer with ``face_told``, a file or name. settings: its ``channels`` and ``width``.

    Returns:
        The network, frozen.

    Raises:
        BadWeights: missing, damaged, or of a generator that is told nothing, or by a network of another width.

    Taught in: lesson 07.
    """
    net = FaceNetwork(settings.channels, settings.width)
    fill_module(net, read_weights(weights)[0], "G.face", weights)
    return net.eval().requires_grad_(False)


def folder_of(data: str, settings: Settings) -> Path:
    """The run folder of a face network, in the cache; every setting has a place of its own."""
    dataset = open_dataset(data)
    values = "-".join(str(value) for value in dataclasses.astuple(settings))
    return place_of(dataset, f"faces{VERSION}_{values}", fingerprint(dataset), files.cache_root())


def _read(folder: Path, settings: Settings) -> FaceNetwork | None:
    try:
        parts, _ = read_weights(folder / "weights.safetensors")
        net = FaceNetwork(settings.channels, settings.width)
        fill_module(net, parts, "E", folder)
    except BadWeights:
        return None
    return net


def _train(data: str, settings: Settings, folder: Path, engine: Engine, progress: bool) -> None:
    torch.manual_seed(settings.seed)
    net = engine.prepare(FaceNetwork(settings.channels, settings.width))
    opts = {"E": adam(net.parameters(), settings.learning_rate, (0.9, 0.99))}
    state = State(total_steps=settings.steps, generator=generator(settings.seed, "faces"), cfg=settings)
    run = open_run(folder, net, opts, state, engine=engine, about={"data": data})
    part = pairs(data, "train", settings.size, settings.channels)
    step = lambda batch: train_step(batch, net, opts, state, engine)  # noqa: E731
    test = held_out_trial(data, settings, LOOKED_AT, settings.seed)
    check = lambda done: {"rank1": rank1(net, test, engine)}  # noqa: E731
    fit(step, turning_loader(part, settings.batch, settings.seed), settings.steps, validate=check, progress=progress,
        every=max(1, settings.steps // 10), **run.hooks())  # fmt: skip
    last = run.history.rows[-1]
    card = {"data": data, "people": len(set(part.identities)), "settings": dataclasses.asdict(settings), **last}
    write_weights(folder / "weights.safetensors", {"E": net}, card)


def train_step(
    batch: dict[str, Tensor], net: nn.Module, opts: dict[str, torch.optim.Optimizer], state: State, engine: Engine
) -> dict[str, float]:
    """One step: turned faces and those from the front, each person's together.

    Args:
        batch: ``side front`` (N, C, S, S) in [-1, 1] and ``who`` (N,) int64.
        state: its ``step`` decides about the learning rate.
    """
    settings: Settings = state.cfg
    for group in opts["E"].param_groups:
        rising = min(1.0, (state.step + 1) / WARMUP)
        group["lr"] = settings.learning_rate * rising * cosine_decay(state.progress, settings.decay_from)
    with engine.autocast():
        vectors = net(torch.cat([batch["side"], batch["front"]]))
    loss = supervised_contrastive(vectors, batch["who"].repeat(2), settings.temperature)
    engine.backward(loss)
    engine.step(opts["E"])
    return {"contrastive": loss.item()}


@torch.no_grad()
def rank1(net: nn.Module, test: Trial, engine: Engine) -> float:
    """Share of turned faces that are nearest to the right person among all of a trial, by one frontal face of each."""
    people: dict[str, int] = {}
    for place, who in enumerate(test.identities):
        people.setdefault(who, place)
    right = torch.tensor([list(people).index(who) for who in test.identities])
    faces = test.occluded, test.truth[list(people.values())]
    with engine.autocast():
        side, front = (torch.cat([net(part.to(engine.device)) for part in some.split(64)]) for some in faces)
    return ((side @ front.T).argmax(1).cpu() == right).float().mean().item()
