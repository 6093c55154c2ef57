"""Downloads against a server that truncates, lies, fails and sends web pages."""

from __future__ import annotations

import hashlib
import urllib.request

import pytest

from facelab.data import fetch
from facelab.errors import BadConfig, DownloadFailed


@pytest.fixture
def naps():
    return []


def go(server, naps, tmp_path, name, **options):
    path = tmp_path / "set.bin"
    return fetch.download(server.at(name), path, sleep=naps.append, timeout=5, **options)


def sha(server):
    return hashlib.sha256(server.body).hexdigest()


def leftovers(tmp_path):
    return sorted(f.name for f in tmp_path.iterdir())


def test_good_file_arrives_and_nothing_else(server, naps, tmp_path):
    path = go(server, naps, tmp_path, "good", sha256=sha(server), md5=hashlib.md5(server.body).hexdigest())
    assert path.read_bytes() == server.body
    assert leftovers(tmp_path) == ["set.bin"] and naps == []


def test_500_then_200(server, naps, tmp_path):
    assert go(server, naps, tmp_path, "flaky", sha256=sha(server)).read_bytes() == server.body
    assert naps == [1.0]


def test_a_server_that_stays_down_is_asked_so_often_and_no_more(server, naps, tmp_path):
    with pytest.raises(DownloadFailed, match="503.*4 tries"):
        go(server, naps, tmp_path, "down", attempts=4)
    assert len(server.seen) == 4 and naps == [1.0, 2.0, 4.0]
    assert not (tmp_path / "set.bin").exists()


def test_404_is_final(server, naps, tmp_path):
    with pytest.raises(DownloadFailed, match="404"):
        go(server, naps, tmp_path, "gone")
    assert len(server.seen) == 1


def test_cut_off_body_is_continued_where_it_stopped(server, naps, tmp_path):
    assert go(server, naps, tmp_path, "short", sha256=sha(server)).read_bytes() == server.body
    assert server.seen[1][1]["Range"] == "bytes=1000-"
    assert leftovers(tmp_path) == ["set.bin"]


def test_server_that_ignores_the_range_gives_the_file_once(server, naps, tmp_path):
    assert go(server, naps, tmp_path, "no_ranges").read_bytes() == server.body
    assert server.seen[1][1]["Range"] == "bytes=1000-"


def test_wrong_continuation_is_found_by_the_checksum_and_begun_again(server, naps, tmp_path):
    assert go(server, naps, tmp_path, "wrong_piece", sha256=sha(server)).read_bytes() == server.body
    assert len(server.seen) == 3 and "Range" not in server.seen[2][1]


def test_always_cut_off_never_gets_a_name(server, naps, tmp_path):
    with pytest.raises(DownloadFailed, match="1,000 of 5,000"):
        go(server, naps, tmp_path, "always_short", attempts=3)
    assert not (tmp_path / "set.bin").exists()


def test_continues_in_a_later_process(server, naps, tmp_path):
    with pytest.raises(DownloadFailed):
        go(server, naps, tmp_path, "short", attempts=1)
    assert go(server, naps, tmp_path, "short").read_bytes() == server.body
    assert server.seen[1][1]["Range"] == "bytes=1000-"


def test_a_part_of_another_address_is_not_continued(server, naps, tmp_path):
    with pytest.raises(DownloadFailed):
        go(server, naps, tmp_path, "short", attempts=1)
    go(server, naps, tmp_path, "ranged")
    assert "Range" not in server.seen[1][1]


def test_lying_checksum_keeps_the_old_file(server, naps, tmp_path):
    (tmp_path / "set.bin").write_bytes(b"old and good")
    with pytest.raises(DownloadFailed, match="sha256 is"):
        go(server, naps, tmp_path, "good", sha256="0" * 64)
    assert (tmp_path / "set.bin").read_bytes() == b"old and good"
    assert leftovers(tmp_path) == ["set.bin"] and len(server.seen) == 1


def test_web_page_is_not_an_archive(server, naps, tmp_path):
    with pytest.raises(DownloadFailed, match="web page"):
        go(server, naps, tmp_path, "page")
    assert leftovers(tmp_path) == []


def test_right_file_is_not_fetched_again(server, naps, tmp_path):
    (tmp_path / "set.bin").write_bytes(server.body)
    go(server, naps, tmp_path, "good", sha256=sha(server))
    assert server.seen == []


def test_too_large_is_given_up(server, naps, tmp_path):
    with pytest.raises(DownloadFailed, match="4,000 bytes allowed"):
        go(server, naps, tmp_path, "good", max_bytes=4000)
    assert leftovers(tmp_path) == []


def test_no_server_at_all(naps, tmp_path):
    with pytest.raises(DownloadFailed, match="2 tries"):
        fetch.download("http://127.0.0.1:9/x", tmp_path / "x", attempts=2, sleep=naps.append, timeout=2)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "x.tgz"])
def test_only_web_addresses(url, tmp_path):
    with pytest.raises(BadConfig, match="http"):
        fetch.download(url, tmp_path / "x")


def test_https_never_falls_back_to_http():
    handler = fetch._NoWayDown()
    request = urllib.request.Request("https://127.0.0.1/set.tgz")
    with pytest.raises(DownloadFailed, match="not encrypted"):
        handler.redirect_request(request, None, 302, "Found", {}, "http://127.0.0.1/set.tgz")
    assert handler.redirect_request(request, None, 302, "Found", {}, "https://127.0.0.1/other.tgz") is not None
