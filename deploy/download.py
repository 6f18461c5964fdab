"""One file over HTTPS, in its place only when it is whole: bounded in size and time, its SHA-256 told, or insisted on."""

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from deploy.errors import Problem
from worker.protocol.bundle import file_sha256

SILENCE_S = 30.0
"""A server that says nothing for so long is given up."""
LONGEST_S = 3600.0
"""For the whole file, however steadily it trickles."""
CHUNK_BYTES = 1 << 20
LOCAL = ("127.0.0.1", "::1", "localhost")
"""Hosts that may be asked without TLS: nobody stands between."""


def download(
    url: str,
    to: Path,
    most_bytes: int,
    sha256: str | None = None,
    progress: Callable[[int, int | None], object] = lambda done, of: None,
) -> None:
    """Fetch `url` into `to`, by way of a .part file beside it that is gone afterwards; raises Problem.

    `progress` is told bytes so far, and of how many where the server says it.
    """
    shown = address_words(url)
    part = to.with_name(f"{to.name}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _open(url) as answer, part.open("wb") as file:
                _copy(answer, file, most_bytes, shown, progress)
            check_sha256(part, sha256, shown)
            os.replace(part, to)
        finally:
            part.unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        raise Problem(
            f"{shown}: the server answers {error.code} {error.reason}; give another address by --url"
        ) from None
    except TimeoutError:
        raise Problem(f"{shown}: the server was silent for {SILENCE_S:g} s; try again later, or give --url") from None
    except (OSError, http.client.HTTPException, ValueError) as error:  # no route, no name, no TLS, no room, no HTTP
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, TimeoutError):
            raise Problem(
                f"{shown}: no server answers within {SILENCE_S:g} s; try again later, or give --url"
            ) from None
        raise Problem(f"{shown}: can't be fetched ({reason}); try again later, or give --url") from None


def check_address(url: str) -> None:
    """Raise Problem unless it is HTTPS, or this machine's own."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise Problem("--url is no address") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL)):
        raise Problem(f"{address_words(url)}: https:// is needed, since anybody on the way could change the file")


def check_sha256(path: Path, sha256: str | None, shown: str) -> None:
    """Raise Problem where it is another file than the one that was asked for."""
    if sha256 is None:
        return
    found = file_sha256(path)
    if found != sha256:
        raise Problem(f"{shown}: SHA-256 {found} isn't the {sha256} of --sha256; nothing was kept")


def address_words(url: str) -> str:
    """The address without passwords, keys and whatever else stands behind a question mark."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "--url"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows only to addresses that might have been given."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str) -> http.client.HTTPResponse:
    check_address(url)
    answer: http.client.HTTPResponse = urllib.request.build_opener(_Redirects).open(url, timeout=SILENCE_S)
    return answer


def _copy(
    answer: http.client.HTTPResponse,
    file: IO[bytes],
    most_bytes: int,
    shown: str,
    progress: Callable[[int, int | None], object],
) -> None:
    """All of the answer; raises Problem for one that is too long, too short or too slow."""
    told = answer.headers.get("Content-Length", "")
    expected = int(told) if told.isdecimal() else None
    begun, done = time.monotonic(), 0
    too_long = Problem(f"{shown}: more than {most_bytes / 1e6:.0f} MB, which these weights never are; nothing was kept")
    if expected is not None and expected > most_bytes:
        raise too_long
    while chunk := answer.read1(CHUNK_BYTES):  # whatever is there, so that the clock below is looked at
        done += len(chunk)
        if done > most_bytes:
            raise too_long
        if time.monotonic() - begun > LONGEST_S:
            raise Problem(f"{shown}: not done within {LONGEST_S:g} s; nothing was kept")
        file.write(chunk)
        progress(done, expected)
    if expected is not None and done != expected:
        raise Problem(f"{shown}: cut off after {done} of {expected} bytes; fetch it again")
