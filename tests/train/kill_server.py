"""Trains in a child, kills it at a random moment, checks what is left; prints one JSON line a kill.

Torch and what it loads late are imported once; each child is a fork of this process, which keeps to one thread.
Usage: python kill_server.py FOLDER KILLS
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from facelab import seeding
from facelab.train import checkpoint
from facelab.train.fit import fit
from facelab.train.run import open_run
from facelab.train.state import State


def make(seed: int):
    torch.manual_seed(seed)
    model = nn.Linear(400, 400)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    return model, opt, State(total_steps=10**6, generator=seeding.generator(seed), cfg={"width": 400})


def train(folder: Path, pipe: int) -> None:
    model, opt, state = make(int.from_bytes(os.urandom(4), "big"))
    run = open_run(folder, model, opt, state, note=lambda line: None)

    def step(batch):
        os.write(pipe, b".")
        loss = model(batch).square().mean()
        loss.backward()
        opt.step()
        opt.zero_grad()
        return {"loss": loss.item()}

    def loader(number):
        return torch.randn(4, 400, generator=seeding.generator(0, number))

    fit(step, loader, 10**6, every=10**6, save_every=1, progress=False, prefetch=False, **run.hooks())


def kill_once(folder: Path, steps: int, after: float) -> dict:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            train(folder, writing)
        finally:
            os._exit(99)
    os.close(writing)
    for _ in range(steps):  # so that a busy machine does not kill before the first step
        os.read(reading, 1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    half = len(list((folder / "checkpoints").glob(".*.ckpt")))
    newest = checkpoint.latest(folder / "checkpoints")
    step = checkpoint.read(newest)["state"]["step"] if newest else 0
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "step": step, "half_written": half}


def main() -> None:
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    make(0)[1].step()  # an optimiser's first use imports for a second
    chance = random.Random(0)
    for _ in range(kills):
        print(json.dumps(kill_once(folder, chance.randint(2, 12), chance.uniform(0, 0.02))), flush=True)
    model, opt, state = make(0)
    open_run(folder, model, opt, state, note=lambda line: None)
    rows = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
    print(json.dumps({"rows_in_order": rows == list(range(1, state.step + 1)), "step": state.step}))


if __name__ == "__main__":
    main()
