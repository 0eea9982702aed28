"""A local S3 server in this process, which can be told to fail, or to call back, at a request."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from tracing import untraced_threads

SECRETS = {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}


class Asked(NamedTuple):
    """A request: `PUT`, `/bucket/key`, `partNumber=2&uploadId=...`."""

    method: str
    path: str
    query: str

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")


def no_hook(asked: Asked) -> int | None:
    """Lets every request through."""


class S3Server:
    """Answers as S3 does. `hook` sees each request first; a status it returns is the answer."""

    def __init__(self) -> None:
        from fsspec.asyn import get_loop
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            create_backend_app,
        )
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Silent(WSGIRequestHandler):
            def setup(self) -> None:
                sys.settrace(None)  # coverage measures nothing of a server's, and slows it down
                super().setup()

            def log(self, *_: Any) -> None:
                return

        self._app = DomainDispatcherApplication(create_backend_app)
        self.asked: list[Asked] = []
        self.hook: Callable[[Asked], int | None] = no_hook
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Silent
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        with untraced_threads():
            self._thread.start()
            get_loop()  # the thread in which s3fs sends, of fsspec alone
        self._buckets = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        return SECRETS | {"AWS_ENDPOINT_URL": self.url}

    def bucket(self) -> str:
        """A new, empty bucket."""
        self._buckets += 1
        name = f"bucket-{os.getpid()}-{self._buckets}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
            region_name="us-east-1",
        )

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every object below a prefix, by what follows it; asked without the hook."""
        before, self.hook = self.hook, no_hook
        client = self.client()
        found = {}
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for one in page.get("Contents", []):
                body = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                found[one["Key"].removeprefix(prefix)] = body
        self.hook = before
        return found

    def unfinished(self, bucket: str) -> list[str]:
        """Keys of uploads that were begun and neither completed nor given up."""
        found = self.client().list_multipart_uploads(Bucket=bucket)
        return [one["Key"] for one in found.get("Uploads", [])]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked = Asked(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        )
        self.asked.append(asked)
        status = self.hook(asked)
        if status is None:
            return self._app(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        code = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}[status]
        body = f"<Error><Code>{code}</Code><Message>told to fail</Message></Error>".encode()
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        start(f"{status} {code}", headers)
        return [body]
