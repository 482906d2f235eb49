"""The demo of a small run, served in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import csvision
from csvision.demo_server.app import build_app, build_server, open_socket
from csvision.demo_server.responses import DemoNetwork
from csvision.run.directory import RunDirectory
from csvision.run.run_data import read_data_spec


def demo_network(result: csvision.TrainResult) -> DemoNetwork:
    """Return the network of a run with the images that it takes."""
    spec = read_data_spec(RunDirectory(result.directory))
    return DemoNetwork(csvision.load(result), result.config.model, spec)


@contextmanager
def serve_demo(network: DemoNetwork) -> Iterator[str]:
    """Serve a network in a thread; yield the address."""
    with open_socket(0) as opened:
        server = build_server(build_app(network, "small run"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        try:
            # The socket accepts connections only when the server listens.
            while not server.started and thread.is_alive():
                thread.join(0.01)
            yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def network(small_run_result: csvision.TrainResult) -> DemoNetwork:
    return demo_network(small_run_result)


@pytest.fixture(scope="session")
def address(network: DemoNetwork) -> Iterator[str]:
    with serve_demo(network) as address:
        yield address
