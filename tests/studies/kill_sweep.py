"""Kill a sweep at random moments until it ends by itself, and compare its results with those of one never killed.

Usage: python kill_sweep.py FOLDER KILLS STEPS SIZE SEEDS; prints one JSON line.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

SWEEP = """
import sys
from pathlib import Path
from facelab.studies.ablation.plan import Plan
from facelab.studies.ablation.sweep import sweep
from facelab.studies.ablation.variants import BASE, chosen
if __name__ == "__main__":
    steps, size, seeds = map(int, sys.argv[2:])
    base = BASE | {"size": size, "critic_downs": 3}
    sweep(Plan(chosen(["SN + GP"]), "orl", seeds, steps, Path(sys.argv[1]), jobs=2, count=8, base=base, device="cpu"))
"""


def start(script: Path, folder: Path, *numbers: str) -> subprocess.Popen:
    """In a process group of its own, so that a kill also reaches the workers, as a machine that stops does."""
    command = [sys.executable, str(script), str(folder), *numbers]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def results(folder: Path) -> list[dict]:
    """Every row of the results and of the course, without times."""
    texts = [(folder / name).read_text("utf-8") for name in ("results.jsonl", "course.jsonl")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def table(folder: Path) -> list[str]:
    """The lines of the table without their last column, the times."""
    return [line.rsplit(",", 1)[0] for line in (folder / "table.csv").read_text("utf-8").splitlines()]


def main() -> None:
    folder, kills, numbers = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "sweep_in_a_file.py"  # the workers import it, so it must be a file
    script.write_text(SWEEP)
    begun = time.monotonic()
    assert start(script, folder / "whole", *numbers).wait() == 0
    length, chance, killed = time.monotonic() - begun, random.Random(0), 0
    for workers_too in [False, *[True] * (kills - 1)]:  # the first kill spares the workers: they must end by themselves
        child = start(script, folder / "killed", *numbers)
        time.sleep(moment := chance.uniform(0.5, 1.5) * length / (kills + 1))  # together less than all the work
        print(f"killed after {moment:.1f} of {length:.1f} s", file=sys.stderr)
        if child.poll() is None:
            killed += 1
            (os.killpg if workers_too else os.kill)(child.pid, signal.SIGKILL)
        child.wait()
    assert start(script, folder / "killed", *numbers).wait() == 0
    whole, broken = results(folder / "whole"), results(folder / "killed")
    same_table = table(folder / "whole") == table(folder / "killed")
    print(json.dumps({"killed": killed, "same": whole == broken, "same_table": same_table, "rows": len(whole)}))


if __name__ == "__main__":
    main()
