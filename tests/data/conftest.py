"""Tiny synthetic sets in the published layouts, and a web server that misbehaves on request."""

from __future__ import annotations

import http.server
import threading

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo():
    """photo(path, size, seed, mode): a small smooth picture at ``path``, folders made as needed."""

    def make(path, size=(20, 24), seed=0, mode="RGB"):
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode).save(path)
        return path

    return make


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        name = self.path.strip("/")
        getattr(self, f"answer_{name}", self.answer_good)()

    def log_message(self, *_):
        pass

    def send(self, body, status=200, length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def count(self):
        return sum(path == self.path for path, _ in self.server.seen)

    def answer_good(self):
        self.send(self.server.body, ETag='"v1"')

    def answer_flaky(self):
        self.send(b"busy", 500) if self.count() == 1 else self.answer_good()

    def answer_down(self):
        self.send(b"busy", 503)

    def answer_gone(self):
        self.send(b"gone", 404)

    def answer_page(self):
        self.send(b"\n<!DOCTYPE html><html><body>Quota exceeded</body></html>")

    def answer_always_short(self):
        self.send(self.server.body[:1000], length=len(self.server.body))

    def answer_short(self):
        """Cut off the first time; afterwards good, with ranges."""
        if self.count() == 1:
            return self.send(self.server.body[:1000], length=len(self.server.body), ETag='"v1"')
        self.answer_ranged()

    def answer_ranged(self):
        body, span = self.server.body, self.headers.get("Range")
        if span is None or self.headers.get("If-Range") != '"v1"':
            return self.answer_good()
        start = int(span.removeprefix("bytes=").removesuffix("-"))
        self.send(body[start:], 206, ETag='"v1"', Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")

    def answer_no_ranges(self):
        """Cut off the first time; afterwards the whole file, whatever range is asked."""
        if self.count() == 1:
            return self.send(self.server.body[:1000], length=len(self.server.body), ETag='"v1"')
        self.answer_good()

    def answer_wrong_piece(self):
        """Cut off the first time; then a piece that continues with other bytes; then the whole."""
        if self.count() == 1:
            return self.send(self.server.body[:1000], length=len(self.server.body), ETag='"v1"')
        if self.count() == 2:
            rest = bytes(len(self.server.body) - 1000)
            span = f"bytes 1000-{len(self.server.body) - 1}/{len(self.server.body)}"
            return self.send(rest, 206, ETag='"v1"', Content_Range=span)
        self.answer_good()


@pytest.fixture
def server():
    """A loopback server: ``.body`` is the true file, ``.seen`` the requests, ``.at(name)`` an address."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.body = np.random.default_rng(3).bytes(5000)
    running.seen = []
    running.at = lambda name: f"http://127.0.0.1:{running.server_address[1]}/{name}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()
