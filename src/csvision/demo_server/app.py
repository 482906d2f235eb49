"""Serve the demo on the loopback interface.

Only this machine can connect. Requests of other pages are refused: they would have another Host or
Origin header.
"""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from csvision.demo_server.responses import DemoNetwork
from csvision.errors import ConfigError

FOLDER = Path(__file__).parent

HOST = "127.0.0.1"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data: blob:; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

FILES = {
    "/": ("demo.html", "text/html"),
    "/demo.js": ("demo.js", "text/javascript"),
    "/demo.css": ("demo.css", "text/css"),
}
"""The files of the page by their paths."""


def build_app(network: DemoNetwork, name: str) -> Starlette:
    """Return the application that shows the network of a run called `name`."""

    async def file(request: Request) -> Response:
        path, media_type = FILES[request.url.path]
        content = (FOLDER / path).read_text(encoding="utf-8")
        return Response(content, media_type=media_type, headers=HEADERS)

    async def model(request: Request) -> Response:
        channels, height, width = network.spec.image_shape
        sizes = {"channels": channels, "height": height, "width": width}
        return JSONResponse({"run": name, **sizes}, headers=HEADERS)

    async def predict(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin != str(request.base_url).rstrip("/"):
            return Response("another origin", 403, headers=HEADERS)
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > network.image_bytes:
                break
        if len(data) != network.image_bytes:
            return Response(f"an image has {network.image_bytes} bytes", 400, headers=HEADERS)
        # One image after another: hooks on the network are not safe with threads.
        content = json.dumps(network.respond(bytes(data)), allow_nan=False)
        return Response(content, media_type="application/json", headers=HEADERS)

    return Starlette(
        routes=[
            *(Route(path, file) for path in FILES),
            Route("/model", model),
            Route("/predict", predict, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


def open_socket(port: int) -> socket.socket:
    """Return a socket on the loopback interface; raises ConfigError if the port is not free."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
    except OSError as error:
        opened.close()
        raise ConfigError(
            f"port={port}: {error.strerror}; choose another one, or port=0 for a free one"
        ) from error
    return opened


def build_server(app: Starlette) -> Server:
    """Return a server of the application; `run(sockets=[opened])` blocks until Ctrl-C."""
    config = Config(
        app, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    return Server(config)


@contextmanager
def hide_shutdown_errors(server: Server) -> Iterator[None]:
    """Log no traceback of a request that is canceled because the server ends."""
    logger = logging.getLogger("uvicorn.error")

    def is_running(record: logging.LogRecord) -> bool:
        return not server.should_exit

    logger.addFilter(is_running)
    try:
        yield
    finally:
        logger.removeFilter(is_running)
