"""Fetching one file over HTTP: resumed where it stopped, checked, and there only when it is whole."""

import logging
import shutil
import time
from pathlib import Path
from typing import cast

import requests

from syn2real.errors import InputError
from syn2real.files import file_digest, write_text

logger = logging.getLogger(__name__)

TRIES = 6
"""How often in a row a connection may fail without a new byte."""
CHUNK = 64 * 1024
"""Bytes that are written at a time; a cut connection costs one chunk at most."""
TIMEOUT = (15, 60)
"""Seconds to wait for a connection, and for the next byte."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries, at most."""
REPORT_EVERY = 10.0
"""Seconds between two lines of progress."""
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers that another try may cure."""


def new_session() -> requests.Session:
    """Return a session for downloads: one connection serves many files of a host."""
    session = requests.Session()
    # Some providers refuse a library's default name. Compressed transfer would make offsets meaningless.
    agent = "Mozilla/5.0 (compatible; syn2real)"
    session.headers.update({"User-Agent": agent, "Accept-Encoding": "identity"})
    return session


def download(
    session: requests.Session,
    url: str,
    path: Path,
    *,
    name: str,
    size: int | None = None,
    sha256: str | None = None,
    source: str = "",
    pause: float = 1.0,
) -> tuple[int, str]:
    """Fetch a file; a stopped download continues, if the provider's file is still the same.

    The bytes go to `<path>.part`. Beside it `<path>.part.tag` keeps the provider's validator (strong ETag,
    else Last-Modified), which is sent back as If-Range: a file that changed meanwhile begins again and is
    never glued to the old one's beginning.

    Parameters
    ----------
    session : requests.Session
        See `new_session`.
    url : str
        Where the file is.
    path : Path
        The finished file.
    name : str
        The data set, for messages.
    size, sha256 : int, str, optional
        What the file must have, bytes and hexadecimal digits.
    source : str
        What says so, for messages.
    pause : float
        Seconds before the second try; each further one waits twice as long.

    Returns
    -------
    size, sha256 : int, str
        Of the finished file.

    Raises
    ------
    InputError
        The file is not there, is not what it should be (it is removed then), the connection fails again and
        again or the disk is full (what has come is kept then).
    """
    if path.is_file():
        found = path.stat().st_size, file_digest(path)
        if size in (None, found[0]) and sha256 in (None, found[1]):
            return found
        logger.warning("%s: %s is not what it should be; it is fetched again", name, path)
        path.unlink()
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    if not (size and part.is_file() and part.stat().st_size == size):
        _persist(session, url, part, name, size, pause)
    found = part.stat().st_size, file_digest(part)
    _tag(part).unlink(missing_ok=True)
    for what, expected, got in (("size in bytes", size, found[0]), ("SHA-256", sha256, found[1])):
        if expected not in (None, got):
            part.unlink()
            raise InputError(
                f"{url} has the {what} {got}, but {source} says {expected}; the file was removed. If this "
                "happens again, the provider has another file: fix or remove the line that says so",
                file=name,
            )
    part.replace(path)
    return found


def _persist(
    session: requests.Session, url: str, part: Path, name: str, size: int | None, pause: float
) -> None:
    """Try until the file is whole; only tries in a row that bring nothing new count as failed."""
    failed = furthest = 0
    while True:
        wait = pause * 2**failed
        try:
            _stream(session, url, part, name, size)
            return
        except requests.HTTPError as error:
            response = cast(requests.Response, error.response)
            problem = f"{url} answers {response.status_code} ({response.reason})"
            if response.status_code not in PASSING:
                raise InputError(f"{problem}; has the file moved?", file=name) from None
            asked = response.headers.get("Retry-After", "")
            wait = max(wait, float(asked)) if asked.isdecimal() else wait
        except requests.RequestException as error:
            problem = f"{url}: the connection failed ({_last_cause(error)})"
        reached = part.stat().st_size if part.is_file() else 0
        failed = 0 if reached > furthest else failed + 1
        furthest = max(furthest, reached)
        if failed == TRIES:
            kept = f"{reached:,} bytes are kept and the next call continues there"
            raise InputError(f"{problem}, {TRIES} times in a row; {kept}", file=name)
        wait = min(wait, LONGEST_PAUSE)
        logger.warning("%s: %s; again in %.0f s", name, problem, wait)
        time.sleep(wait)


def _stream(session: requests.Session, url: str, part: Path, name: str, size: int | None) -> None:
    """Fetch what is missing of a file in one request."""
    offset = part.stat().st_size if part.is_file() else 0
    tag = _tag(part).read_text(encoding="utf-8") if offset and _tag(part).is_file() else ""
    asked = {"Range": f"bytes={offset}-", "If-Range": tag} if tag else {}
    with session.get(url, headers=asked, stream=True, timeout=TIMEOUT) as response:
        if response.status_code in (206, 416) and not _continues(response, offset, tag):
            _tag(part).unlink(missing_ok=True)  # not what was asked for: the next try asks for everything
            raise requests.ConnectionError(f"the file cannot be continued at byte {offset:,}")
        response.raise_for_status()
        resumed = response.status_code == 206
        if not resumed:
            offset = 0
            part.unlink(missing_ok=True)
            write_text(_tag(part), _validator(response))
        length = response.headers.get("Content-Length", "")
        total = offset + int(length) if length.isdecimal() else size
        _need_space(part, name, (total or 0) - offset)
        _write(response, part, name, offset, total)


def _continues(response: requests.Response, offset: int, tag: str) -> bool:
    """Return whether an answer is the rest of the very file that was begun."""
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return response.status_code == 206 and start == str(offset) and _validator(response) == tag


def _validator(response: requests.Response) -> str:
    """Return what identifies a version of a file; weak ETags do not promise equal bytes."""
    etag = str(response.headers.get("ETag", ""))
    return etag if etag and not etag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _write(response: requests.Response, part: Path, name: str, offset: int, total: int | None) -> None:
    """Append an answer's bytes to the file, and log how far it is."""
    logged, done = time.monotonic(), offset
    whole = f"of {total / 1e6:,.1f} MB" if total else "MB of unknown size"
    logger.info("%s: %s from %.1f %s", name, part.stem, offset / 1e6, whole)
    with part.open("ab") as stream:
        for chunk in response.iter_content(CHUNK):
            try:
                stream.write(chunk)
                stream.flush()
            except OSError as error:
                raise _no_space(part, name, str(error.strerror)) from None
            done += len(chunk)
            if time.monotonic() - logged > REPORT_EVERY:
                logged = time.monotonic()
                logger.info("%s: %s %.1f %s", name, part.stem, done / 1e6, whole)


def _need_space(part: Path, name: str, missing: int) -> None:
    """Raise InputError when the disk cannot take what is still to come."""
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise _no_space(part, name, f"{missing / 1e6:,.0f} MB more are needed, {free / 1e6:,.0f} MB are free")


def _no_space(part: Path, name: str, cause: str) -> InputError:
    kept = part.stat().st_size if part.is_file() else 0
    problem = f"cannot be written ({cause}); {kept:,} bytes are kept: free space and call again"
    return InputError(problem, file=part, key=name)


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _last_cause(error: BaseException) -> str:
    """Return the innermost reason of a failure, in a few words."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
