"""The rule that tests stay on this machine is itself tested."""

import os
import socket

import pytest


def test_a_far_address_is_refused():
    with socket.socket() as probe, pytest.raises(RuntimeError, match="loopback"):
        probe.connect(("192.0.2.1", 80))


def test_a_far_name_is_not_looked_up():
    with pytest.raises(RuntimeError, match="loopback"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_loopback_works():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_real_data_is_out_of_sight():
    assert "FACELAB_DATA" not in os.environ


def test_torch_has_one_thread():
    import torch

    assert torch.get_num_threads() == 1
