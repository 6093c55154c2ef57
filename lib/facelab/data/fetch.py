"""Fetch a file so that its name appears only when its bytes are right."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facelab import files
from facelab.errors import BadConfig, DownloadFailed

BLOCK = 1 << 18
AGENT = {"User-Agent": "facelab (teaching; one file at a time)", "Accept-Encoding": "identity"}


class _TryAgain(Exception):
    """A failure that may pass: the server is busy, or the body ended early."""


class _NoWayDown(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from https to anything weaker."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise DownloadFailed(req.full_url, f"it redirects to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class Wanted:
    """What one download must satisfy."""

    url: str
    sha256: str | None = None
    md5: str | None = None
    max_bytes: int | None = None
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if urllib.parse.urlsplit(self.url).scheme not in ("http", "https"):
            raise BadConfig("url", self.url, "an http:// or https:// address")


def checksum(path: Path, kind: str) -> str:
    """Hex digest of a file's bytes; ``kind`` is ``"sha256"`` or ``"md5"`` (published sets still use md5)."""
    digest = hashlib.new(kind, usedforsecurity=False)
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def wrong_checksum(path: Path, sha256: str | None = None, md5: str | None = None) -> str:
    """What is wrong with a file's bytes, in words; "" where nothing is (or nothing was asked)."""
    for kind, expected in (("sha256", sha256), ("md5", md5)):
        if expected is not None and (found := checksum(path, kind)) != expected.lower():
            return f"its {kind} is {found}, expected {expected.lower()}"
    return ""


def download(
    url: str,
    path: str | Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    max_bytes: int | None = None,
    attempts: int = 5,
    timeout: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetch ``url`` to ``path``.

    The bytes go to a hidden ``.part`` file beside it, are continued there after an interruption where the server can
    (Range, guarded by its ETag or date), and get their name only after length, kind and checksum are right.

    Args:
        url: http or https; https is never given up for http.
        path: the file to make. One that is there and has the checksum (or, without one, is there at all) is kept.
        sha256: expected digest, hex.
        md5: expected digest, hex.
        max_bytes: give up on anything larger.
        attempts: tries in all; only 429, 5xx, time-outs and short bodies are tried again, after 1, 2, 4 … s (≤ 60).
        timeout: seconds without a byte before a try counts as failed.
        sleep: how to wait.
        progress: called with (bytes here, bytes in all or None).

    Raises:
        DownloadFailed: naming address, reason and remedy; an older file at ``path`` is untouched.
        BadConfig: the address is not http(s).
    """
    wanted, path = Wanted(url, sha256, md5, max_bytes, timeout), Path(path)
    if path.is_file() and not wrong_checksum(path, sha256, md5):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    for attempt in range(attempts):
        try:
            _receive(wanted, part, progress)
            _accept(wanted, part, path)
            return path
        except _TryAgain as error:
            if attempt == attempts - 1:
                raise DownloadFailed(url, f"{error} ({attempts} tries)") from error
            sleep(min(2.0**attempt, 60.0))
    raise BadConfig("attempts", attempts, "at least 1")


def _accept(wanted: Wanted, part: Path, path: Path) -> None:
    """Give the finished part its name, or remove it."""
    note = _note(part)
    with open(part, "rb") as source:
        start = source.read(512)
    page = looks_like_html(start) and path.suffix.lower() not in (".html", ".htm")
    wrong = wrong_checksum(part, wanted.sha256, wanted.md5)
    if not page and not wrong:
        with open(part, "rb+") as done:
            os.fsync(done.fileno())
        os.replace(part, path)
        note.unlink(missing_ok=True)
        return
    resumed = note.is_file() and json.loads(note.read_text("utf-8")).get("resumed", False)
    _forget(part)
    if page:
        hint = "The publisher may ask for a confirmation or have a quota: open the address in a browser."
        raise DownloadFailed(wanted.url, "a web page came instead of the file", hint)
    if resumed:
        raise _TryAgain(f"after continuing an interrupted download {wrong}")
    raise DownloadFailed(wanted.url, wrong, "The file was removed. Try another mirror; do not use what came.")


def looks_like_html(start: bytes) -> bool:
    """Whether a file's first bytes are a web page's."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _resume_headers(wanted: Wanted, part: Path) -> dict[str, str]:
    """Headers that ask for the rest, where the part is known to be of the same file; else the part is removed."""
    try:
        note = json.loads(_note(part).read_text("utf-8"))
        size = part.stat().st_size
        if note["url"] == wanted.url and note["validator"] and size:
            return {"Range": f"bytes={size}-", "If-Range": note["validator"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    _forget(part)
    return {}


def _receive(wanted: Wanted, part: Path, progress: Callable[[int, int | None], None] | None) -> None:
    headers = _resume_headers(wanted, part)
    request = urllib.request.Request(wanted.url, headers={**AGENT, **headers})
    opener = urllib.request.build_opener(_NoWayDown)
    try:
        with opener.open(request, timeout=wanted.timeout) as answer:
            _copy(wanted, answer, part, bool(headers), progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the part is longer than the file: it is another file's
            _forget(part)
        if error.code in (408, 416, 425, 429) or error.code >= 500:
            raise _TryAgain(f"the server answered {error.code} {error.reason}") from error
        raise DownloadFailed(wanted.url, f"the server answered {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _TryAgain(f"{type(error).__name__}: {error}") from error


def _copy(wanted: Wanted, answer, part: Path, asked: bool, progress: Callable | None) -> None:
    have = part.stat().st_size if asked else 0
    span = re.match(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
    resumed = answer.status == 206 and span is not None and int(span[1]) == have
    if answer.status == 206 and not resumed:
        _forget(part)
        raise _TryAgain("the server sent another piece than was asked for")
    length = answer.headers.get("Content-Length")
    start = have if resumed else 0
    total = start + int(length) if length and length.isdigit() else None
    validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    validator = None if validator and validator.startswith("W/") else validator
    files.write_text(_note(part), json.dumps({"url": wanted.url, "validator": validator, "resumed": resumed}))
    done = start
    with open(part, "ab" if resumed else "wb") as out:
        while block := answer.read(BLOCK):
            done += len(block)
            if wanted.max_bytes is not None and done > wanted.max_bytes:
                _forget(part)
                raise DownloadFailed(wanted.url, f"more than the {wanted.max_bytes:,} bytes allowed")
            out.write(block)
            if progress is not None:
                progress(done, total)
    if total is not None and done != total:
        raise _TryAgain(f"the body ended after {done:,} of {total:,} bytes")
