"""Where training computes: device, number format, one process or several.

The model is never wrapped. Each process trains a plain module on its slice of the batch, and :meth:`Engine.step`
averages the gradients of one optimiser just before that optimiser moves. The usual wrapper averages during the backward
pass instead, and waits for every parameter to take part in it; a gradient penalty never reaches the last layer's bias
nor an auxiliary head, so that wrapper stalls or silently leaves the processes apart. Averaging in ``step`` has no such
condition: several forward passes, double backward, frozen nets and idle heads need no guard.

For N processes to equal one, losses must be means over the batch, without batch statistics (BatchNorm).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from facelab.errors import BadConfig, MissingPart
from facelab.machine import cpu_has_bf16, keep_freed_memory
from facelab.train.optim import align_layouts, parameters


@dataclass
class Engine:
    """One process's view of the training machine.

    Args:
        device: where tensors live.
        precision: ``"bf16"`` (autocast) or ``"fp32"``.
        rank: this process's number, 0 to world - 1.
        world: number of processes.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "fp32"
    rank: int = 0
    world: int = 1

    @property
    def is_main(self) -> bool:
        """True in the one process that writes files and prints."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager:
        """Forward passes inside run in this engine's precision; parameters stay fp32."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def full_precision(self) -> AbstractContextManager:
        """Forward passes inside run in fp32, for penalties. Give them fp32 inputs."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=False)

    def backward(self, loss: Tensor, inputs: Iterable[Tensor] | None = None) -> None:
        """Collect gradients of ``loss``.

        Args:
            loss: scalar, mean over this process's slice of the batch.
            inputs: the parameters that may collect (all by default). In G's half name G's parameters, or freeze D:
                gradients left in D would otherwise be added to D's next step.
        """
        loss.backward(inputs=list(inputs) if inputs is not None else None)

    def step(self, opt: Optimizer, clip: float | None = None) -> None:
        """Average the optimiser's gradients over all processes, clip, move, and forget the gradients.

        A gradient missing in one process counts as zero; missing in all, it stays missing.

        Args:
            opt: the optimiser that moves.
            clip: largest allowed global gradient norm, or None.
        """
        params = parameters(opt)
        if self.world > 1:
            _average_gradients(params, self.world)
        if clip is not None:
            nn.utils.clip_grad_norm_(params, clip)
        align_layouts(opt)
        opt.step()
        opt.zero_grad(set_to_none=True)

    def rand(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        """Uniform numbers in [0, 1): drawn for the whole batch, so that any number of processes draws the same.

        Args:
            shape: this process's shape; the first dimension is its share of the batch.
            generator: source of the numbers, in the same state in every process.

        Returns:
            tensor of ``shape`` on the device.
        """
        return self._draw(torch.rand, shape, generator)

    def randn(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        """Normal numbers (mean 0, deviation 1); see :meth:`rand`."""
        return self._draw(torch.randn, shape, generator)

    def _draw(self, sample: Callable[..., Tensor], shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
        count = shape[0]
        where = generator.device if generator is not None else "cpu"
        whole = sample((count * self.world, *shape[1:]), generator=generator, device=where)
        return whole[self.rank * count : (self.rank + 1) * count].to(self.device)

    def mean(self, logs: Mapping[str, float | Tensor]) -> dict[str, float]:
        """Numbers to report, averaged over the processes; every process gives the same names.

        Args:
            logs: name → float or tensor of one element.
        """
        if self.world == 1 and not any(isinstance(value, Tensor) for value in logs.values()):
            return {name: float(value) for name, value in logs.items()}
        values = [torch.as_tensor(v, dtype=torch.float32, device=self.device).detach() for v in logs.values()]
        packed = torch.stack([value.reshape(()) for value in values])
        if self.world > 1:
            torch.distributed.all_reduce(packed)
            packed /= self.world
        return dict(zip(logs, packed.tolist(), strict=True))

    def any(self, flag: bool) -> bool:
        """True in every process if it is true in one of them."""
        if self.world == 1:
            return bool(flag)
        votes = torch.tensor(float(flag), device=self.device)
        torch.distributed.all_reduce(votes)
        return votes.item() > 0

    def wait(self) -> None:
        """Go on when every process has come here."""
        self.any(False)

    def shard(self, batch: Any) -> Any:
        """This process's contiguous slice of a global batch (tensors, lists, or dicts of them).

        Raises:
            BadConfig: the batch does not divide evenly among the processes.
        """
        if self.world == 1:
            return batch
        if isinstance(batch, Mapping):
            return {name: self.shard(value) for name, value in batch.items()}
        if isinstance(batch, list | tuple) and any(isinstance(part, Tensor | Mapping) for part in batch):
            return type(batch)(self.shard(part) for part in batch)
        if not isinstance(batch, Tensor | list | tuple) or (isinstance(batch, Tensor) and batch.ndim == 0):
            return batch
        if len(batch) % self.world:
            raise BadConfig("batch size", len(batch), f"a multiple of the {self.world} processes")
        share = len(batch) // self.world
        return batch[self.rank * share : (self.rank + 1) * share]

    def to_device(self, batch: Any) -> Any:
        """Move tensors (also inside dicts, lists and tuples) to the device; 4-D ones become channels-last."""
        if isinstance(batch, Mapping):
            return {name: self.to_device(value) for name, value in batch.items()}
        if isinstance(batch, list | tuple):
            return type(batch)(self.to_device(part) for part in batch)
        if not isinstance(batch, Tensor):
            return batch
        if batch.ndim == 4:
            return batch.to(self.device, non_blocking=True, memory_format=torch.channels_last)
        return batch.to(self.device, non_blocking=True)

    def prepare(self, model: nn.Module) -> nn.Module:
        """Put a model on the device, channels-last, with process 0's weights everywhere.

        Returns:
            the same module, not a wrapper.
        """
        model.to(self.device)
        if self.world > 1:
            with torch.no_grad():
                for tensor in [*model.parameters(), *model.buffers()]:
                    sent = tensor.detach().clone(memory_format=torch.contiguous_format)
                    torch.distributed.broadcast(sent, 0)
                    tensor.copy_(sent)
        return model.to(memory_format=torch.channels_last)


def _average_gradients(params: list[nn.Parameter], world: int) -> None:
    present = [float(p.grad is not None) for p in params]
    flat = [(torch.zeros_like(p) if p.grad is None else p.grad).float().reshape(-1) for p in params]
    packed = torch.cat([*flat, torch.tensor(present, device=params[0].device)])
    torch.distributed.all_reduce(packed)
    *parts, votes = packed.split([p.numel() for p in params] + [len(params)])
    for param, part, vote in zip(params, parts, votes.tolist(), strict=True):
        param.grad = torch.empty_like(param).copy_((part / world).view(param.shape)) if vote else None


def _pick_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = name.split(":")[0]
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not here.get(kind, False):
        raise BadConfig("device", name, "one of auto " + " ".join(k for k, there in here.items() if there))
    return torch.device(name)


def _pick_precision(name: str, device: torch.device) -> str:
    if name not in ("auto", "bf16", "fp32"):
        raise BadConfig("precision", name, "auto, bf16 or fp32")
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and cpu_has_bf16() else "fp32"


def launched() -> int:
    """Number of processes a launcher has started, 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def make_engine(device: str = "auto", precision: str = "auto", devices: int = 1) -> Engine:
    """The engine for this process; joins the others when a launcher started several.

    On a CPU the process keeps freed memory from now on (:func:`facelab.machine.keep_freed_memory`).

    Args:
        device: ``"auto"`` (a GPU where there is one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        precision: ``"auto"`` (bf16 where the hardware has it), ``"bf16"``, ``"fp32"``.
        devices: processes expected; more than one need :func:`facelab.train.launch.launch` or ``torchrun``.

    Raises:
        BadConfig: a device that is not here, or fewer processes than ``devices``.
        MissingPart: several processes without the extra ``multi``.
    """
    where = _pick_device(device)
    if where.type == "cpu":
        keep_freed_memory()
    if launched() > 1:
        crew = _join(where)
        own = where if where.type == "cpu" else crew.device
        return Engine(own, _pick_precision(precision, own), crew.process_index, crew.num_processes)
    if devices > 1:
        raise BadConfig("devices", devices, "1, or start through facelab.train.launch or torchrun")
    return Engine(where, _pick_precision(precision, where))


def _join(device: torch.device):
    try:
        from accelerate import PartialState
    except ImportError:
        raise MissingPart("accelerate", "Several processes need it: pip install 'facelab[multi]'.") from None
    return PartialState(cpu=device.type == "cpu")
