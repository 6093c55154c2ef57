"""A run killed at any moment goes on from its newest checkpoint."""

import json
import signal
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).with_name("kill_server.py")


def test_25_kills_never_cost_a_checkpoint(tmp_path):
    command = [sys.executable, "-W", "error::UserWarning", str(SERVER), str(tmp_path / "run"), "25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *kills, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) == 25 and {kill["signal"] for kill in kills} == {signal.SIGKILL}
    steps = [kill["step"] for kill in kills]
    assert steps == sorted(steps), "a kill lost a checkpoint that had been written"
    assert len(set(steps)) == 25, "a child was killed before it could save"
    assert sum(kill["half_written"] for kill in kills) >= 1, "no kill fell into a write"
    assert end == {"rows_in_order": True, "step": steps[-1]}
