"""The command ``facelab``. It only names things: what a command does lies in the room it calls, imported when asked."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from facelab import __version__
from facelab.errors import BadConfig, FacelabError
from facelab.systems import SYSTEMS

FAILED, USAGE, INTERRUPTED = 1, 2, 130
PROFILES = ("smoke", "laptop", "gpu")


class Command(NamedTuple):
    """One subcommand: a line of help, what adds its arguments, and what runs it (arguments → exit code)."""

    help: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``facelab``; the process's own where None.

    Returns:
        Exit code: 0 done, 1 failed with one line on stderr, 2 misused, 130 interrupted; ``run`` has more.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        args = parser(words[0] if words else "").parse_args(words)
        return COMMANDS[args.command].run(args) or 0
    except BadConfig as error:
        return _say(error, USAGE)
    except FacelabError as error:
        return _say(error, FAILED)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        return FAILED


def parser(chosen: str = "") -> argparse.ArgumentParser:
    """The parser; only the chosen command's arguments are added, because adding them may import its room."""
    about = "Learn adversarial image restoration by giving faces back."
    root = argparse.ArgumentParser(prog="facelab", description=about)
    root.add_argument("--version", action="version", version=f"facelab {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        if name == chosen:
            command.add(sub)
    return root


def _say(error: object, code: int) -> int:
    print(f"facelab: {error}", file=sys.stderr)
    return code


def _nothing(sub: argparse.ArgumentParser) -> None:
    """A command without arguments."""


def _doctor(args: argparse.Namespace) -> int:
    from facelab.doctor import doctor

    return doctor()


def _add_data(sub: argparse.ArgumentParser) -> None:
    actions = sub.add_subparsers(dest="action", metavar="list|check|get", required=True)
    actions.add_parser("list", help="what is here, what is missing, how to get it")
    check = actions.add_parser("check", help="count a dataset, decode its pictures, list those that cannot be used")
    check.add_argument("name", help="a name of `facelab data list`, or folder:/path/to/photos")
    check.add_argument("--all", action="store_true", help="decode every picture, not 500 spread over the set")
    get = actions.add_parser("get", help="fetch a dataset where its licence allows it, else say the exact steps")
    get.add_argument("name", help="a name of `facelab data list`")
    get.add_argument("--from", dest="source", help="address or file to take the archive from")
    get.add_argument("--all", action="store_true", help="decode every picture afterwards, not 500 of them")


def _data(args: argparse.Namespace) -> int:
    return {"list": _data_list, "check": _data_check, "get": _data_get}[args.action](args)


def _data_list(args: argparse.Namespace) -> int:
    from facelab.data.catalogue import report
    from facelab.files import data_root

    absent = "" if data_root().is_dir() else "; there is no such folder yet"
    print(f"Data root: {data_root()} (set FACELAB_DATA to change it{absent})")
    for row in report():
        counts = f"{row.photos:,} pictures" + (f", {row.people:,} people" if row.people else "")
        print(f"{row.name:<12} {'here: ' + counts if row.here else 'missing'}\n{'':<13}{row.what}")
        for line in (*row.notes, *(() if row.here else (f"to get it: {row.get}",))):
            print(f"{'':<13}{line}")
    return 0


def _data_check(args: argparse.Namespace) -> int:
    from facelab.data.catalogue import check
    from facelab.data.get import describe

    found = check(args.name, limit=None if args.all else 500)
    print(*describe(found), sep="\n")
    return 0 if found.ok else FAILED


def _data_get(args: argparse.Namespace) -> int:
    from facelab.data.catalogue import CATALOGUE
    from facelab.data.get import describe, get

    if args.name not in CATALOGUE:
        raise BadConfig("dataset", args.name, "one of " + ", ".join(CATALOGUE))
    found = get(args.name, None, args.source, limit=None if args.all else 500)
    print(*describe(found), sep="\n")
    return 0 if found.ok else FAILED


def _add_train(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("system", help=" or ".join(SYSTEMS))
    sub.add_argument("--profile", choices=PROFILES, default="laptop", help="how much work (default: laptop)")
    sub.add_argument("--data", help="dataset (default: orl; frontalize: synth; vis2nir: synth:nir), or folder:/path")
    sub.add_argument("--steps", type=int, default=0, help="training steps (default: the profile's)")
    sub.add_argument("--seconds", type=float, help="stop cleanly after so long; the same command resumes")
    sub.add_argument("--resume", choices=("auto", "never"), default="auto", help="go on from --out (default: auto)")
    sub.add_argument("--devices", type=int, default=1, help="processes on this machine (default: 1)")
    sub.add_argument("--out", help="run folder (default: runs/SYSTEM-DATA-seedN)")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--cutouts", metavar="FOLDER", help="also draw your own occluders: pictures with transparency")
    sub.add_argument("--start", metavar="WEIGHTS", help="begin with the generator of these weights, a file or a name")
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting; may repeat")


def _train(args: argparse.Namespace) -> None:
    from facelab.studies.training import system, train_system

    for name, value, low in (("steps", args.steps, 0), ("devices", args.devices, 1)):
        if value < low:
            raise BadConfig(f"--{name}", value, f"{low} or more")
    if args.seconds is not None and not args.seconds > 0:  # nan, too
        raise BadConfig("--seconds", args.seconds, "more than 0")
    changes = _settings(args.set, getattr(system(args.system).Config, "__dataclass_fields__", {}))
    train_system(
        args.system, profile=args.profile, data=args.data, steps=args.steps, resume=args.resume, devices=args.devices,
        out=args.out, seed=args.seed, changes=changes, seconds=args.seconds, cutouts=args.cutouts, start=args.start,
    )  # fmt: skip


def _settings(pairs: Sequence[str], known: Any) -> dict[str, Any]:
    """``["width=24", "penalty=r1"]`` to a dictionary; a value that is no Python literal is a word."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in known:
            raise BadConfig("--set", pair, "NAME=VALUE with NAME one of " + ", ".join(known))
        try:
            changes[name] = ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
        except (ValueError, SyntaxError):
            changes[name] = text
    return changes


def _add_evaluate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("system", help=" or ".join(SYSTEMS))
    sub.add_argument("--weights", help="a .safetensors file (default: the system's in weights/)")
    sub.add_argument("--data", help="dataset (default: as for train)")
    sub.add_argument("--count", type=int, default=256, help="pictures (default: 256)")
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument("--out", help="folder to write metrics.json into, too")
    sub.add_argument("--fid", action="store_true", help="measure FID, too; fetches its network (95 MB) once")


def _evaluate(args: argparse.Namespace) -> None:
    from facelab.studies.protocol import evaluate_command

    if args.count < 1:
        raise BadConfig("--count", args.count, "1 or more")
    evaluate_command(
        args.system, args.weights, args.data, count=args.count, seed=args.seed, out=args.out, with_fid=args.fid
    )


def _add_restore(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("system", help=" or ".join(SYSTEMS))
    sub.add_argument("inputs", nargs="+", metavar="IN", help="crops of one face (vis2nir: eyes aligned), or folders")
    sub.add_argument("--out", required=True, help="folder of the results")
    sub.add_argument("--weights", help="a .safetensors file (default: the system's in weights/)")
    sub.add_argument("--holes", help="folder with NAME.png for each picture, white = hidden")
    sub.add_argument("--invert-holes", action="store_true", help="in those, black is hidden")
    sub.add_argument("--find-faces", action="store_true", help="inputs are whole photographs: find the faces first")
    sub.add_argument("--device", default="cpu", help="cpu (default), cuda, or auto: a GPU where there is one")


def _restore(args: argparse.Namespace) -> int:
    from facelab.studies.restoring import restore_command, restore_files

    records = restore_files(
        args.system, args.inputs, args.out, weights=args.weights, holes=args.holes, invert_holes=args.invert_holes,
        find_faces=args.find_faces, device=args.device,
    )  # fmt: skip
    try:
        return restore_command(records)
    except BadConfig as error:
        if error.field != "device":
            raise
        why = " (torch finds no GPU here; `facelab doctor` says more)" if args.device.startswith("cuda") else ""
        raise BadConfig("--device", args.device, error.allowed + why) from None


def _in(room: str, name: str, about: str) -> Command:
    """A command whose room has ``add_NAME_arguments`` and ``NAME_command``."""

    def add(sub: argparse.ArgumentParser) -> None:
        getattr(import_module(room), f"add_{name}_arguments")(sub)

    def run(args: argparse.Namespace) -> int:
        return getattr(import_module(room), f"{name}_command")(args)

    return Command(about, add, run)


COMMANDS = {
    "doctor": Command("say in plain words what this machine can do", _nothing, _doctor),
    "data": Command("list, check or get datasets", _add_data, _data),
    "train": Command("train a system", _add_train, _train),
    "evaluate": Command("measure a system on people it never saw, beside its baselines", _add_evaluate, _evaluate),
    "restore": Command("give faces in files back", _add_restore, _restore),
    "ablate": _in("facelab.studies.ablation.command", "ablate", "compare variants of a system, one factor at a time"),
    "run": _in("facelab.lessons", "run", "execute lessons headlessly"),
    "book": _in("facelab.lessons", "book", "bind executed lessons into HTML pages"),
    "student": _in("facelab.lessons", "student", "write the lessons without their solutions"),
    "demo": _in("facelab.lessons.demo", "demo", "serve the web demo (lesson 11) on this machine"),
    "bench": _in("facelab.bench", "bench", "measure this machine: ours against the plain way"),
}
"""Every subcommand by name, in the order of the help."""


if __name__ == "__main__":
    sys.exit(main())
