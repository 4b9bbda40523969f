"""A provider of data on this machine: an HTTP server that misbehaves on request."""

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """A file as it is served.

    Attributes
    ----------
    content : bytes
        What it holds.
    cut_after : list of int
        For each coming answer, after how many bytes the connection is cut; then no more.
    statuses : list of int
        For each coming answer, a status to give instead; then no more.
    ranges : bool
        Whether Range is understood.
    validator : bool
        Whether answers have an ETag.
    careless : bool
        Whether If-Range is overlooked, so that the rest of another file is given.
    """

    content: bytes
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    validator: bool = True
    careless: bool = False


class Provider(ThreadingHTTPServer):
    """A server on the loopback interface.

    Attributes
    ----------
    files : dict of str to Served
        By path, such as /a.zip.
    asked : list of (path, Range header)
        Every request, in order.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "Provider":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        path, asked = self.path, self.headers.get("Range")
        self.server.asked.append((path, asked))
        file = self.server.files.get(path)
        if file is None:
            self.send_error(404)
            return
        if file.statuses:
            self.send_error(file.statuses.pop(0))
            return
        etag = f'"{hashlib.md5(file.content).hexdigest()}"'
        start = 0
        same = file.careless or self.headers.get("If-Range") == etag
        if asked and file.ranges and same:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
        else:
            self.send_response(200)
        if file.validator:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(file.content) - start))
        self.end_headers()
        end = start + file.cut_after.pop(0) if file.cut_after else len(file.content)
        self.wfile.write(file.content[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of some files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def collection(name: str, models: Mapping[str, bytes], folder: str = "models") -> dict[str, bytes]:
    """Return the two archives of an object collection as BOP publishes them, by file name."""
    numbers = [str(int(re.sub(r"\D", "", model))) for model in models]
    listing = json.dumps({number: {"diameter": 100.0} for number in numbers}).encode()
    contents = {f"{folder}/{model}": content for model, content in models.items()}
    return {
        f"{name}_base.zip": zipped({f"{name}/camera.json": b"{}", f"{name}/dataset_info.md": b"#"}),
        f"{name}_models.zip": zipped({f"{folder}/models_info.json": listing, **contents}),
    }
