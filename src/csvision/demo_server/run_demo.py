"""Run the demo of a run until it is interrupted."""

from importlib.util import find_spec
from pathlib import Path

from csvision.config import command_schema
from csvision.demo_server.responses import DemoNetwork
from csvision.errors import ConfigError
from csvision.run.code_paths import CodePaths, with_code_paths
from csvision.run.directory import RunDirectory
from csvision.run.load import load
from csvision.run.loaded_run import warn_if_unfinished
from csvision.run.log import log
from csvision.run.run_data import read_data_spec

PACKAGES = ("starlette", "uvicorn")
"""The packages of the extra `demo`."""

DRAWABLE_CHANNELS = (1, 3)


def demo(config: command_schema.DemoConfig) -> None:
    """Serve the page of a run on 127.0.0.1 until Ctrl-C; raises ConfigError as `load_demo` does.

    Raises ConfigError, too, if the port is not free.
    """
    network = load_demo(config)
    from csvision.demo_server.app import (
        HOST,
        build_app,
        build_server,
        hide_shutdown_errors,
        open_socket,
    )

    app = build_app(network, Path(config.run).absolute().name)
    with open_socket(config.port) as opened:
        port = opened.getsockname()[1]
        log.info("http://%s:%d (Ctrl-C ends the demo)", HOST, port)
        server = build_server(app)
        with hide_shutdown_errors(server):
            server.run(sockets=[opened])


def load_demo(config: command_schema.DemoConfig) -> DemoNetwork:
    """Return the network of a run.

    Raises ConfigError if a package is missing or the images cannot be drawn, and RunError if the
    run cannot be loaded.
    """
    for package in PACKAGES:
        if find_spec(package) is None:
            raise ConfigError(
                f"demo needs the package {package}; install it: pip install {' '.join(PACKAGES)}"
            )
    run_dir = RunDirectory(Path(config.run))
    spec = read_data_spec(run_dir)
    if spec.image_shape[0] not in DRAWABLE_CHANNELS:
        raise ConfigError(
            f"run={config.run}: images of {spec.image_shape[0]} channels cannot be drawn; use a "
            "run with images of 1 or 3 channels"
        )
    paths = CodePaths(config.model.path, transform=config.transform.path)
    trained = with_code_paths(run_dir.read_config(), run_dir, paths, ("transform",))
    classifier = load(run_dir.path, paths.model, config.check_weights, paths.transform)
    warn_if_unfinished(run_dir)
    return DemoNetwork(classifier, trained.model, spec)
