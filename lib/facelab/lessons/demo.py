"""What ``facelab demo`` does: serve lesson 11 with Voilà."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from facelab import files
from facelab.errors import MissingPart
from facelab.lessons.notebook import find_lesson
from facelab.studies.upload import MAX_BYTES

MESSAGE_BYTES = 2 * MAX_BYTES  # of one message from the browser; a longer one would end the connection without a word
CUT = (
    "<script>{ const read = FileReader.prototype.readAsArrayBuffer;"
    "FileReader.prototype.readAsArrayBuffer = function (file) {"
    f"return read.call(this, file.size > {MAX_BYTES} ? file.slice(0, {MAX_BYTES} + 1) : file); }}; }}</script>"
)
"""Of a file too large the page sends one byte more than is allowed: whatever its size, a sentence refuses it."""
IDLE = 600  # seconds after which a page that nobody has open any more gives its memory back
PATIENCE = 5.0  # seconds that the server is given to end by itself
LINK = '<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@^5/css/{}" type="text/css" />'  # noqa: E501
TEMPLATE = (
    "{%- extends 'lab/index.html.j2' -%}\n"
    "{%- block notebook_css -%}{{ super()"
    + "".join(f"|replace('{LINK.format(name)}', '')" for name in ("all.min.css", "v4-shims.min.css"))
    + " }}"
    + CUT
    + "{%- endblock notebook_css -%}\n"
)
"""Voilà's own page without what it would fetch from elsewhere, as widgets bring their icons; and :data:`CUT`."""


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``facelab demo``."""
    parser.add_argument("--port", type=int, default=8866, help="port (default: 8866)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser")


def demo_command(args: argparse.Namespace) -> int:
    """``facelab demo``: serve until interrupted.

    Raises:
        MissingPart: Voilà is not installed.
    """
    if importlib.util.find_spec("voila") is None:
        raise MissingPart("Voilà, which serves the demo,", "Install it with: pip install 'facelab[demo]'")
    if args.host not in ("127.0.0.1", "::1", "localhost"):
        print(f"Listening on {args.host}: everybody who reaches this machine can use the page; it has no password.",
              file=sys.stderr)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "voila", *options(args.host, args.port, not args.no_browser)]
        return serve(command, environment(folder))


def serve(command: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run a server until it ends; it also ends when this process is told to (SIGTERM), or is interrupted.

    Args:
        command: the server's program and its words. env: its environment; None = this process's own.

    Returns:
        The server's exit code.

    Raises:
        SystemExit: SIGTERM came; its code is 143.
    """
    before = signal.signal(signal.SIGTERM, _told_to_end)
    try:
        server = subprocess.Popen(command, env=env)
        try:
            return server.wait()
        finally:
            _end(server)
    finally:
        signal.signal(signal.SIGTERM, before)


def _told_to_end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _end(server: subprocess.Popen) -> None:
    """Whoever goes on serving after he was asked to end is killed."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def options(host: str, port: int, browser: bool) -> list[str]:
    """The words after ``voila``."""
    words = [str(find_lesson("11")), f"--Voila.ip={host}", f"--port={port}", "--template=facelab"]
    words += ["--show_tracebacks=False", f"--MappingKernelManager.cull_idle_timeout={IDLE}"]
    words += [f"--MappingKernelManager.cull_interval={IDLE // 10}"]
    return [*words, *([] if browser else ["--no-browser"])]


def environment(folder: str | Path) -> dict[str, str]:
    """This process's own, with this Python's programs first; the page's template and settings lie in ``folder``."""
    template, settings = Path(folder) / "voila" / "templates" / "facelab", {"websocket_max_message_size": MESSAGE_BYTES}
    files.write_text(template / "conf.json", '{"base_template": "lab"}\n')
    files.write_text(template / "index.html.j2", TEMPLATE)
    files.write_text(Path(folder) / "voila.json", json.dumps({"Voila": {"tornado_settings": settings}}) + "\n")
    first = {"PATH": str(Path(sys.executable).parent), "JUPYTER_PATH": str(folder), "JUPYTER_CONFIG_PATH": str(folder)}
    known = {name: os.environ.get(name, "") for name in first}
    return {**os.environ, **{name: os.pathsep.join(filter(None, (first[name], known[name]))) for name in first}}
