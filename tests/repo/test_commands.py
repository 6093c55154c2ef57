"""The Makefile, the README, CI and the command line agree with each other."""

import ast
import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from facelab import cli

TRAIN = ["train", "oagan", "--profile", "smoke", "--steps", "1", "--out", "run"]  # cheap where it is not refused


def targets(makefile: str) -> set[str]:
    return {
        name for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.M) for name in line.split()
    }  # fmt: skip


@pytest.fixture(scope="module")
def makefile(repo) -> str:
    return (repo / "Makefile").read_text(encoding="utf-8")


def test_help_lists_every_target(repo, makefile):
    done = subprocess.run(["make", "-s"], cwd=repo, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make (\S+)", done.stdout, re.M))
    assert listed == targets(makefile)
    assert {"course", "lab", "test", "book", "figures", "student", "mutants"} <= listed


def test_every_target_makes_the_environment_it_needs(makefile):
    free = {"help", ".venv", "browser", "clean"}
    rules = dict(re.findall(r"^([a-z.]+):([^=\n#]*)##", makefile, re.M))
    assert [name for name in targets(makefile) - free if "$(READY)" not in rules[name]] == []


def test_commands_quoted_in_the_readme_exist(repo, makefile):
    text = (repo / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))
    made = set(re.findall(r"\bmake ([a-z.]+)", code))
    asked = set(re.findall(r"(?<!from )\bfacelab ([a-z]+)", code))
    assert {"course", "lab", "test"} <= made and made <= targets(makefile)
    assert asked and asked <= set(cli.COMMANDS)


def test_lab_opens_any_folder_and_its_terminals_keep_the_path(repo):
    def recipe(*words: str) -> str:
        done = subprocess.run(["make", "-n", "lab", *words], cwd=repo, capture_output=True, text=True, check=True)
        return next(line for line in done.stdout.replace("\\\n", " ").splitlines() if "jupyter lab" in line)

    assert recipe().endswith('"notebooks"') and recipe("DIR=student").endswith('"student"')
    words = shlex.split(recipe())  # shell_command set: no login shell, which would reset PATH
    (given,) = [word.partition("=")[2] for word in words if word.startswith("--ServerApp.terminado_settings=")]
    assert ast.literal_eval(given)["shell_command"] and words[0].startswith(f"PATH={repo}/.venv/bin:")
    done = subprocess.run(["make", "lab", "DIR=nosuch"], cwd=repo, capture_output=True, text=True)
    assert done.returncode and "make student" in done.stdout


def test_copies_to_work_in_stay_out_of_the_history(repo):
    done = subprocess.run(["git", "check-ignore", "student/00_start_here.ipynb"], cwd=repo, capture_output=True)
    if not (repo / ".git").exists():
        pytest.skip("not a git checkout")
    assert done.returncode == 0


def test_continuous_integration_runs_make_test_and_nothing_else(repo):
    lines = (repo / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ['cd "$(dirname "$0")/.." && exec make test']
    assert (repo / ".ci" / "run").stat().st_mode & 0o111


def test_an_old_python_is_refused_in_words(repo, tmp_path):
    shutil.copy(repo / "Makefile", tmp_path)
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    done = subprocess.run(["make", ".venv", "PYTHON="], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "3.11" in done.stdout and not (tmp_path / ".venv").exists()
    old = tmp_path / "old"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.exit(\"facelab needs Python 3.11\")'\n")
    old.chmod(0o755)
    done = subprocess.run(["make", ".venv", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and not (tmp_path / ".venv").exists()


def test_a_ready_environment_is_left_alone(repo, tmp_path):
    shutil.copy(repo / "Makefile", tmp_path)
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".ready").touch()
    done = subprocess.run(["make", ".venv"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "Installing" not in done.stdout


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0 and cli.COMMANDS[name].help in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["data", "check", "nosuch"], 2, "nosuch"),
        (["data", "get", "nosuch"], 2, "nosuch"),
        (["data", "check", "lfw"], 1, "lfw"),
        (["train", "nosuch"], 2, "oagan"),
        (["train", "oagan", "--set", "wdth=3"], 2, "wdth"),
        (["train", "oagan", "--steps", "-1"], 2, "--steps"),
        ([*TRAIN, "--seconds", "-1"], 2, "--seconds"),
        ([*TRAIN, "--seconds", "0"], 2, "--seconds"),
        ([*TRAIN, "--seconds", "nan"], 2, "--seconds"),
        ([*TRAIN, "--out", "a_file"], 2, "a file has this name"),
        (["restore", "oagan", "a.png", "--out", "a_file"], 2, "a file has this name"),
        (["run", "0", "--out", "a_file"], 2, "a file has this name"),
        (["student", "--out", "a_file/below"], 2, "a file has this name"),
        (["evaluate", "oagan", "--count", "0"], 2, "--count"),
        (["restore", "oagan", "a.png", "--out", "o", "--weights", "absent.safetensors"], 1, "absent.safetensors"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(words, code, says, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACELAB_DATA", str(tmp_path))
    for name in ("a.png", "a_file"):
        (tmp_path / name).write_text("")
    assert cli.main(words) == code
    error = capsys.readouterr().err
    assert error.startswith("facelab: ") and says in error and "Traceback" not in error


NIR = "synth:20:nir"
SMALL = ["--set", "width=4", "--set", "critic_width=4"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of vis2nir by its command, on the system's own data, which is a small set here."""
    from facelab.studies.tasks import TASKS

    folder, patch = tmp_path_factory.mktemp("trained") / "run", pytest.MonkeyPatch()
    patch.setitem(TASKS, "vis2nir", dataclasses.replace(TASKS["vis2nir"], data=NIR))
    words = ["train", "vis2nir", "--profile", "smoke", "--steps", "2", *SMALL, "--out", str(folder)]
    assert cli.main(words) == 0
    patch.undo()
    return folder


def test_each_system_has_data_of_its_own_that_it_can_use():
    from facelab.data.catalogue import open_dataset
    from facelab.studies.tasks import TASKS

    own = {name: open_dataset(task.data) for name, task in TASKS.items()}
    assert {name: dataset.name for name, dataset in own.items()} == {
        "oagan": "orl", "mask_removal": "orl", "frontalize": "synth", "vis2nir": "synth:nir", "hog_inpaint": "orl",
    }  # fmt: skip
    assert own["frontalize"].pairs and {"vis", "nir"} <= set(own["vis2nir"].groups)


def test_help_names_the_data_of_each_system(capsys):
    from facelab.studies.tasks import TASKS

    for command in ("train", "ablate"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        for name, task in TASKS.items():
            assert "default: orl" in shown if task.data == "orl" else re.search(rf"{name}:? {task.data}\b", shown)


def test_train_takes_the_systems_own_data_and_says_what_it_was_shown(trained):
    card = json.loads((trained / "weights.json").read_text("utf-8"))
    assert card["system"] == "vis2nir" and card["data"] == NIR and card["steps"] == 2
    assert set(card["split"]["train"]) == {"vis", "nir"}


@pytest.mark.parametrize("command", ["train", "ablate"])
def test_the_wrong_data_is_refused_before_a_folder_is_made(command, tmp_path, capsys):
    assert cli.main([command, "vis2nir", "--data", "orl", "--out", str(tmp_path / "new")]) == 1
    assert "near-infrared" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_evaluate_prints_tables_says_what_the_truth_is_and_writes_them(trained, tmp_path, capsys, monkeypatch):
    pytest.importorskip("dlib")
    from facelab.studies import protocol

    monkeypatch.setattr(protocol, "inception", lambda **more: pytest.fail("fetched for nothing"))
    words = ["evaluate", "vis2nir", "--weights", str(trained / "weights.safetensors"), "--data", NIR]
    assert cli.main([*words, "--count", "3", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"{NIR}: 3 pictures of 3 people; truth: rendered" in shown and "| mean face |" in shown
    assert "| vis2nir |" in shown and "rank1" in shown
    kept = json.loads((tmp_path / "metrics.json").read_text("utf-8"))["trials"][NIR]
    assert kept["truth"] == "rendered" and set(kept["rows"]) == {"input", "mean face", "vis2nir"}
    assert cli.main([*words, "--fid", "--out", str(tmp_path)]) == 2, "a picture a person, and too few people"
    assert "100 or more test pictures for FID" in capsys.readouterr().err


def test_ablate_runs_cells_of_vis2nir_and_goes_on_where_it_was(tmp_path, capsys):
    pytest.importorskip("dlib")
    words = ["ablate", "vis2nir", "--data", NIR, "--seeds", "1", "--budget", "2", "--size", "32", "--count", "2",
             "--jobs", "1", "--device", "cpu", "--out", str(tmp_path)]  # fmt: skip
    assert cli.main([*words, "--alone", "--variants", "pix2pix", "batch norm"]) == 0
    shown = capsys.readouterr()
    assert "| pix2pix |" in shown.out and "| batch norm |" in shown.out and "2 of 2" in shown.err
    header, *rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    assert [row["ended"] for row in rows] == ["done"] * 2 and set(header["baselines"]) == {"input", "mean face"}
    assert cli.main([*words, "--variants", "pix2pix", "--alone"]) == 0 and "of" not in capsys.readouterr().err


def test_help_and_refusal_name_the_same_devices(capsys, monkeypatch, tmp_path):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        cli.main(["restore", "--help"])
    shown = re.search(r"--device DEVICE\s+(.*)", " ".join(capsys.readouterr().out.split()))[1]
    assert all(name in shown for name in ("cpu (default)", "cuda", "auto"))
    (tmp_path / "a.png").write_text("")
    for device, gpu in (("cuda", True), ("cuda:1", True), ("tpu", False)):
        assert cli.main(["restore", "oagan", str(tmp_path / "a.png"), "--out", str(tmp_path), "--device", device]) == 2
        error = capsys.readouterr().err
        assert "--device" in error and "auto cpu" in error and ("no GPU" in error) == gpu


def test_a_data_root_that_is_not_there_is_remarked_on(capsys, monkeypatch, tmp_path):
    for folder, remarked in ((tmp_path, False), (tmp_path / "mistyped", True)):
        monkeypatch.setenv("FACELAB_DATA", str(folder))
        assert cli.main(["data", "list"]) == 0
        assert ("no such folder" in capsys.readouterr().out.splitlines()[0]) == remarked


def test_a_misuse_is_code_2():
    with pytest.raises(SystemExit) as stop:
        cli.main(["nosuch"])
    assert stop.value.code == 2


def test_settings_are_read_as_literals_or_words():
    assert cli._settings(["a=3", "b=r1", "c=(1, 2)"], {"a", "b", "c"}) == {"a": 3, "b": "r1", "c": (1, 2)}


def test_data_list_names_every_set(capsys):
    from facelab.data.catalogue import CATALOGUE

    assert cli.main(["data", "list"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{name} ", out, re.M) for name in CATALOGUE) and "400 pictures, 40 people" in out


def test_the_library_in_fifteen_lines_runs(repo, capsys):
    code = re.search(r"```python\n(.*?)```", (repo / "README.md").read_text(encoding="utf-8"), re.S)[1]
    if not (repo / "weights" / "oagan.safetensors").is_file():  # an untrained network takes the same path
        untrained = 'cfg = oagan.Config.for_profile("smoke", channels=1); model = oagan.build(cfg)'
        code = code.replace('model, cfg = oagan.load("oagan")', untrained)
    exec(compile(code, "README.md", "exec"), {})
    assert re.fullmatch(r"covered -?[\d.]+ dB, restored -?[\d.]+ dB\n", capsys.readouterr().out)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
