"""The demo answers only its own page on this machine."""

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any

import pytest

from csvision.config.code_path_schema import ModelPathConfig, TransformPathConfig
from csvision.config.command_schema import DemoConfig
from csvision.demo_server.app import HOST, open_socket
from csvision.demo_server.run_demo import load_demo
from csvision.errors import ConfigError
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand
from tests.cli.conftest import csvision_command as csvision_command

Answer = tuple[int, str, dict[str, str]]


def request(address: str, method: str, path: str, **options: Any) -> Answer:
    connection = HTTPConnection(address.removeprefix("http://"), timeout=20)
    connection.request(method, path, **options)
    response = connection.getresponse()
    answer = response.status, response.read().decode(), dict(response.getheaders())
    connection.close()
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/demo.js", "/demo.css", "/model"])
def test_files_have_a_content_security_policy(address: str, path: str) -> None:
    status, text, headers = request(address, "GET", path)
    assert status == 200
    assert text
    assert "default-src 'none'" in headers["content-security-policy"]


def test_model_describes_the_images(address: str) -> None:
    _, text, _ = request(address, "GET", "/model")
    expected = {"run": "small run", "channels": 1, "height": 8, "width": 8}
    assert json.loads(text) == expected


def test_image_is_predicted(address: str) -> None:
    status, text, _ = request(address, "POST", "/predict", body=bytes(64))
    assert status == 200
    assert len(json.loads(text)["probabilities"]) == 10


@pytest.mark.parametrize("size", [0, 63, 65, 10_000_000])
def test_image_of_another_size_is_refused(address: str, size: int) -> None:
    try:
        status, text, _ = request(address, "POST", "/predict", body=bytes(size))
    except (BrokenPipeError, ConnectionResetError):
        # The server closes the connection before all of it was sent.
        assert size > 64
        return
    assert (status, text) == (400, "an image has 64 bytes")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_other_pages_are_refused(address: str, headers: dict[str, str], status: int) -> None:
    answer = request(address, "POST", "/predict", body=bytes(64), headers=headers)
    assert answer[0] == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/demo.py"), ("GET", "/../server.py")])
def test_other_files_are_not_served(address: str, method: str, path: str) -> None:
    assert request(address, method, path)[0] == 404


def test_only_this_machine_can_connect() -> None:
    with open_socket(0) as opened:
        assert opened.getsockname()[0] == HOST == "127.0.0.1"


def test_used_port_is_refused(
    address: str, small_run: RunDirectory, csvision_command: RunCommand
) -> None:
    port = address.rpartition(":")[2]
    error = csvision_command("demo", f"run={small_run.path}", f"port={port}").error
    assert error.startswith(f"port={port}: ")
    assert "port=0" in error


@pytest.mark.slow
def test_interrupt_prints_one_line_although_a_request_is_incomplete(
    small_run: RunDirectory,
) -> None:
    with open_socket(0) as opened:
        port = opened.getsockname()[1]
    # A process of its own: other tests run an event loop in this one.
    command = [sys.executable, "-m", "csvision", "demo", f"run={small_run.path}", f"port={port}"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        connection = connect(port)
        head = f"POST /predict HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Length: 64\r\n\r\n"
        connection.sendall(head.encode() + b"a few bytes")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
        connection.close()
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert output.splitlines() == [f"http://{HOST}:{port} (Ctrl-C ends the demo)"]


def connect(port: int) -> socket.socket:
    """Connect to a server that is starting."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(ConnectionError):
            return socket.create_connection((HOST, port))
        time.sleep(0.05)
    raise TimeoutError(port)


def demo_config(run_dir: RunDirectory) -> DemoConfig:
    return DemoConfig(str(run_dir.path), 0, ModelPathConfig(None), TransformPathConfig(None), True)


def test_missing_package_is_named(small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csvision.demo_server.run_demo.PACKAGES", ("starlette", "no_package"))
    with pytest.raises(ConfigError, match="no_package; install it: pip install starlette no_pack"):
        load_demo(demo_config(small_run))


def test_images_that_cannot_be_drawn_are_refused(small_run: RunDirectory) -> None:
    manifest = small_run.read_manifest()
    manifest["data"]["image_shape"] = [4, 4, 4]
    small_run.write_manifest(manifest)
    with pytest.raises(ConfigError, match="images of 4 channels cannot be drawn"):
        load_demo(demo_config(small_run))
