"""Run the demo of a run until it is interrupted."""

from pathlib import Path

from csvision.config import command_schema
from csvision.errors import ConfigError
from csvision.run.directory import RunDirectory, with_model_path
from csvision.run.load import load
from csvision.run.loaded_run import warn_if_unfinished
from csvision.run.log import log
from csvision.run.run_data import read_data_spec

DRAWABLE_CHANNELS = (1, 3)


def demo(config: command_schema.DemoConfig) -> None:
    """Serve the page of a run on 127.0.0.1 until Ctrl-C.

    Raises ConfigError if a package is missing, the images cannot be drawn, or the port is not free.
    """
    try:
        from csvision.demo.responses import DemoNetwork
        from csvision.demo.server import HOST, build_app, build_server, open_socket
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise ConfigError(
            f"demo needs the package {error.name}; install it: pip install starlette uvicorn"
        ) from error
    run_dir = RunDirectory(Path(config.run))
    warn_if_unfinished(run_dir)
    spec = read_data_spec(run_dir)
    if spec.image_shape[0] not in DRAWABLE_CHANNELS:
        raise ConfigError(
            f"run={config.run}: images of {spec.image_shape[0]} channels cannot be drawn; use a "
            "run with images of 1 or 3 channels"
        )
    classifier = load(run_dir.path, config.model.path, config.check_weights)
    trained = with_model_path(run_dir.read_config(), run_dir, config.model.path)
    app = build_app(DemoNetwork(classifier, trained.model, spec), run_dir.path.absolute().name)
    with open_socket(config.port) as opened:
        port = opened.getsockname()[1]
        log.info("http://%s:%d (Ctrl-C ends the demo)", HOST, port)
        build_server(app).run(sockets=[opened])
