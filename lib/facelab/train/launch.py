"""Start several training processes from one, in a notebook or a script."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

import torch

from facelab.errors import FacelabError, MissingPart
from facelab.train.engine import launched


def launch(function: Callable[..., None], *args: object, devices: int = 1) -> None:
    """Run ``function(*args)`` in ``devices`` processes and wait for them; it calls ``make_engine`` itself.

    Under ``torchrun`` the processes exist already, and the function just runs. Processes are forked: nothing may have
    used a GPU before, and on the CPU each computes on one thread, because thread pools do not survive a fork.

    Args:
        function: returns nothing; processes share results through files.
        *args: handed on.
        devices: number of processes.

    Raises:
        MissingPart: several processes without the extra ``multi``.
        FacelabError: one of several processes failed; with its reason.
    """
    if devices <= 1 or launched() > 1:
        function(*args)
        return
    try:
        from accelerate import notebook_launcher
    except ImportError:
        raise MissingPart("accelerate", "Several processes need it: pip install 'facelab[multi]'.") from None
    try:
        notebook_launcher(_in_child, (function, args), num_processes=devices, use_port=str(_free_port()))
    except torch.distributed.elastic.multiprocessing.errors.ChildFailedError as error:
        raise FacelabError(f"one of {devices} training processes failed: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """The last line of what the process that failed first said."""
    message = error.get_first_failure()[1].message  # with a record of the process a dictionary, else text
    lines = str(message.get("message", "") if isinstance(message, dict) else message).strip().splitlines()
    return lines[-1] if lines else "no message"


def _in_child(function: Callable[..., None], args: tuple) -> None:
    if not torch.cuda.is_available():
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
    try:
        function(*args)
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            with contextlib.suppress(Exception):  # the error of the function matters, not that of hanging up
                torch.distributed.destroy_process_group()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
