"""What every test stands on: no network beyond this machine, one torch thread, no data but our own."""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path

import pytest

# A test session is one of several programs on the machine; a kernel or a worker it starts inherits these.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

REPO = Path(__file__).resolve().parents[1]
REAL_DATA = os.environ.pop("FACELAB_DATA", None)  # the default is to see no real data, whatever the shell says
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NetworkForbidden(RuntimeError):
    """A test tried to leave this machine."""


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):  # a Unix socket: a path on this machine
        return True
    return str(address[0]) in LOOPBACK or str(address[0]).startswith("127.")


@pytest.fixture(autouse=True, scope="session")
def offline():
    """Let sockets reach loopback only, in this process."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
    yield
    patch.undo()


def _guarded(original):
    def call(self, *args):
        address = args[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address):
            raise NetworkForbidden(f"a test tried to reach {address!r}; tests may use loopback only")
        return original(self, *args)

    return call


def _guarded_lookup(original):
    def call(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "", "0.0.0.0", "::") and not _is_local((name,)):
            raise NetworkForbidden(f"a test tried to look up {name!r}; tests may use loopback only")
        return original(host, *args, **kwargs)

    return call


@pytest.fixture(autouse=True)
def one_thread():
    """One torch thread: the same bits whatever else the machine does."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def data_root(request, monkeypatch):
    """Hide ``FACELAB_DATA`` unless the test is marked ``real_data``; keep caches in ``build/test-cache``."""
    if request.node.get_closest_marker("real_data") and REAL_DATA:
        monkeypatch.setenv("FACELAB_DATA", REAL_DATA)
    else:
        monkeypatch.delenv("FACELAB_DATA", raising=False)


@pytest.fixture(autouse=True, scope="session")
def cache_root():
    """Decoded pictures and landmarks are kept between test runs: they are checked for staleness when read."""
    patch = pytest.MonkeyPatch()
    patch.setenv("FACELAB_CACHE", str(REPO / "build" / "test-cache"))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root folder."""
    return REPO


@pytest.fixture
def glibc():
    """Skip where freed memory cannot be kept: only glibc has the call."""
    if os.name != "posix" or not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("the C library is not glibc")
