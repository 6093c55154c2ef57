"""Engine: devices, number formats, and what several processes must agree on."""

import os

import pytest
import torch
from torch import nn

from facelab import seeding
from facelab.errors import BadConfig, FacelabError
from facelab.train import engine as engine_module
from facelab.train.engine import Engine, make_engine
from facelab.train.launch import launch
from facelab.train.optim import adam, align_layouts


def train_three_steps(tiny, batch_of, path, precision="fp32"):
    """Three steps of the tiny GAN (critic, separate penalty, generator) from one seed; main writes the weights."""
    torch.set_num_threads(1)
    engine = make_engine("cpu", precision)
    model, opts, state = tiny.build(seed=engine.rank, dropout=0.0, engine=engine)  # prepare() must equalise the weights
    state.generator = seeding.generator(0, "state")
    step = tiny.step(model, opts, state, engine, globals_too=False)
    for number in range(3):
        logs = step(engine.to_device(engine.shard(batch_of(number))))
        state.step += 1
    saved = {"weights": model.state_dict(), "logs": {k: torch.tensor(v) for k, v in logs.items()}}
    torch.save(saved, f"{path}.{engine.rank}")


def largest_difference(a, b):
    return max((a["weights"][name] - b["weights"][name]).abs().max().item() for name in a["weights"])


@pytest.fixture
def three_steps(tiny, tmp_path):
    def run(devices, name):
        path = tmp_path / name
        launch(train_three_steps, tiny, tiny.loader, path, devices=devices)
        return [torch.load(f"{path}.{rank}") for rank in range(devices)]

    return run


def test_two_processes_equal_one(three_steps, record_property):
    (one,), (first, second) = three_steps(1, "one"), three_steps(2, "two")
    record_property("largest difference", largest_difference(one, first))
    assert largest_difference(one, first) <= 1e-6
    assert largest_difference(first, second) == 0
    for name in one["logs"]:
        torch.testing.assert_close(one["logs"][name], first["logs"][name], rtol=1e-5, atol=1e-6)


def test_without_averaging_two_processes_drift_apart(three_steps, monkeypatch):
    monkeypatch.setattr(engine_module, "_average_gradients", lambda params, world: None)
    (one,), (first, second) = three_steps(1, "one"), three_steps(2, "two")
    assert largest_difference(one, first) > 1e-4 and largest_difference(first, second) > 1e-4


def talk(path):
    """What one process hears from the others."""
    engine = make_engine("cpu", "fp32", devices=2)
    w = nn.Parameter(torch.zeros(2))
    idle = nn.Parameter(torch.ones(1))
    opt = torch.optim.SGD([w, idle], lr=1.0)
    if engine.rank == 0:  # the other process has no gradient at all
        w.grad = torch.tensor([2.0, 4.0])
    engine.step(opt)
    heard = {
        "any": engine.any(engine.rank == 1),
        "none": engine.any(False),
        "mean": engine.mean({"rank": engine.rank, "loss": torch.tensor(3.0)}),
        "w": w.detach(),
        "idle": idle.detach(),
        "rand": engine.rand((2, 3), seeding.generator(0)),
        "shard": engine.shard({"x": torch.arange(4), "names": list("abcd"), "k": 7, "pair": [torch.arange(2)]}),
    }
    try:
        engine.shard(torch.zeros(3))
    except BadConfig as error:
        heard["refused"] = str(error)
    torch.save(heard, f"{path}.{engine.rank}")


def test_processes_hear_each_other(tmp_path):
    launch(talk, tmp_path / "heard", devices=2)
    heard = [torch.load(tmp_path / f"heard.{rank}") for rank in (0, 1)]
    for one in heard:
        assert one["any"] and not one["none"]
        assert one["mean"] == {"rank": 0.5, "loss": 3.0}
        assert one["w"].tolist() == [-1.0, -2.0] and one["idle"].item() == 1.0
        assert "multiple of the 2 processes" in one["refused"]
    whole = torch.rand((4, 3), generator=seeding.generator(0))
    assert torch.equal(torch.cat([one["rand"] for one in heard]), whole)
    assert heard[1]["shard"]["x"].tolist() == [2, 3] and heard[1]["shard"]["names"] == ["c", "d"]
    assert heard[1]["shard"]["k"] == 7 and heard[0]["shard"]["pair"][0].tolist() == [0]


def fail_in_one():
    if make_engine("cpu").rank == 1:
        raise FacelabError("picture 7 is broken")


def test_a_failing_process_ends_the_launch():
    with pytest.raises(FacelabError, match="picture 7 is broken"):
        launch(fail_in_one, devices=2)


def test_one_device_needs_no_launcher(monkeypatch):
    ran = []
    launch(ran.append, 3)
    assert ran == [3]
    monkeypatch.setitem(os.environ, "WORLD_SIZE", "2")  # torchrun: the processes are there already
    launch(ran.append, 4, devices=2)
    assert ran == [3, 4]


def test_a_plain_engine_does_not_import_accelerate():
    import subprocess
    import sys

    code = "import sys; from facelab.train import engine, run; engine.make_engine(); print('accelerate' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"device": "cuda:x"}, "device"),
        ({"device": "toaster"}, "auto cpu"),
        ({"device": "cpu", "precision": "fp16"}, "auto, bf16 or fp32"),
        ({"device": "cpu", "devices": 2}, "launch"),
    ],
)
def test_impossible_engines_are_refused(arguments, said):
    if torch.cuda.is_available() and arguments["device"].startswith("cuda"):
        pytest.skip("a GPU is here")
    with pytest.raises(BadConfig, match=said):
        make_engine(**arguments)


def test_precision_follows_the_hardware(monkeypatch):
    monkeypatch.setattr(engine_module, "cpu_has_bf16", lambda: True)
    assert make_engine("cpu").precision == "bf16"
    monkeypatch.setattr(engine_module, "cpu_has_bf16", lambda: False)
    assert make_engine("cpu").precision == "fp32"
    assert make_engine("cpu", "bf16").precision == "bf16"


def test_full_precision_inside_autocast():
    engine, net, x = Engine(precision="bf16"), nn.Conv2d(3, 3, 1), torch.randn(1, 3, 4, 4)
    with engine.autocast():
        assert net(x).dtype == torch.bfloat16
        with engine.full_precision():
            assert net(x).dtype == torch.float32
        assert net(x).dtype == torch.bfloat16
    with Engine(precision="fp32").autocast():
        assert net(x).dtype == torch.float32


def test_backward_can_spare_the_other_net():
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    Engine().backward(D(G(torch.ones(1, 2))).sum(), inputs=G.parameters())
    assert G.weight.grad is not None and D.weight.grad is None
    Engine().backward(D(G(torch.ones(1, 2))).sum())
    assert D.weight.grad is not None


def test_step_clips_and_forgets():
    w = nn.Parameter(torch.zeros(2))
    w.grad = torch.tensor([3.0, 4.0])
    Engine().step(torch.optim.SGD([w], lr=1.0), clip=1.0)
    torch.testing.assert_close(w.detach(), torch.tensor([-0.6, -0.8]))
    assert w.grad is None


def mismatched(fused):
    weight = nn.Parameter(torch.arange(48.0).reshape(4, 3, 2, 2).to(memory_format=torch.channels_last))
    return weight, torch.optim.Adam([weight], lr=0.1, fused=fused, foreach=None if fused else False)


def test_a_gradient_in_another_layout_moves_the_right_weights():
    results = []
    for fused in (True, False):
        weight, opt = mismatched(fused)
        for number in range(3):
            weight.grad = torch.randn(4, 3, 2, 2, generator=seeding.generator(0, number))  # contiguous
            Engine().step(opt)
        results.append(weight.detach())
    torch.testing.assert_close(*results, rtol=1e-6, atol=1e-6)


def test_state_in_another_layout_is_put_right():
    weight, opt = mismatched(True)
    weight.grad = torch.ones_like(weight)
    opt.step()
    kept = opt.state[weight]["exp_avg"]
    opt.state[weight]["exp_avg"] = kept.contiguous()
    align_layouts(opt)
    assert opt.state[weight]["exp_avg"].stride() == weight.stride()
    assert torch.equal(opt.state[weight]["exp_avg"], kept)


def test_adam_equals_the_plain_one():
    results = []
    for make in (adam, lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.5, 0.999), foreach=False, fused=False)):
        weight = nn.Parameter(torch.linspace(-1, 1, 12).reshape(3, 4))
        opt = make([weight], lr=0.05)
        for _ in range(5):
            weight.square().sum().backward()
            Engine().step(opt)
        results.append(weight.detach())
    torch.testing.assert_close(*results, rtol=1e-6, atol=1e-7)
    assert adam([nn.Parameter(torch.zeros(1))], 1.0).defaults["fused"]


def test_prepare_gives_the_same_module_channels_last():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    weight = net[0].weight.detach().clone()
    assert Engine().prepare(net) is net
    assert net[0].weight.is_contiguous(memory_format=torch.channels_last) and torch.equal(net[0].weight, weight)
    batch = Engine().to_device({"x": torch.zeros(2, 3, 4, 4), "y": [torch.zeros(2)], "name": "a"})
    assert batch["x"].is_contiguous(memory_format=torch.channels_last) and batch["name"] == "a"


def test_mean_and_draws_of_one_process():
    engine = Engine()
    assert engine.mean({"a": torch.tensor([2.0]), "b": 1}) == {"a": 2.0, "b": 1.0}
    assert engine.mean({}) == {}
    assert torch.equal(engine.randn((2, 2), seeding.generator(3)), torch.randn(2, 2, generator=seeding.generator(3)))
    slices = [Engine(rank=rank, world=3).rand((2, 5), seeding.generator(3)) for rank in range(3)]
    assert torch.equal(torch.cat(slices), torch.rand((6, 5), generator=seeding.generator(3)))
