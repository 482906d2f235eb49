"""What a real TensorBoard server shows of real runs, asked over HTTP as its web page does."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pandas as pd
import pytest
from matplotlib.image import imread

import csvision
from csvision.config.monitor import SCORES
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_TRAINING, digits

EPOCHS = 3
NAMES = ["cnn_seed1", "mlp_seed0"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDirectory]:
    """Train two networks with two seeds; the keys are the names of their directories."""
    home = tmp_path_factory.mktemp("home")
    digits(200).to_csv(home / "digits.csv", index=False)
    overrides = (
        *(*SMALL_TRAINING, f"data.csv={home / 'digits.csv'}", "data.cache=none"),
        *("logger=tensorboard", f"epochs={EPOCHS}", "model.hidden=[8]"),
    )
    runs = {}
    for name in NAMES:
        model, _, seed = name.partition("_seed")
        result = csvision.train(
            *overrides, f"model={model}", f"seed={seed}", f"output_dir={home / 'outputs'}"
        )
        runs[name] = RunDirectory(result.directory.rename(home / name))
    return runs


class Server:
    """A TensorBoard server on this machine."""

    def __init__(self, logdir: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/data"
        options = ["--logdir", str(logdir), "--host", "127.0.0.1", "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fetch(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> bytes:
        url = f"{self.url}/{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"})
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            content: bytes = response.read()
        return content

    def fetch_json(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        return json.loads(self.fetch(path, body, **query))

    def wait_for(self, runs: list[str]) -> None:
        """Wait until all data are loaded; the graph is the last entry of a run."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if sorted(self.fetch_json("plugin/graphs/info")) == runs:
                    return
            except OSError:
                assert self.process.poll() is None
            time.sleep(0.1)
        raise AssertionError("TensorBoard did not load the runs in two minutes")


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def tensorboard(runs: dict[str, RunDirectory]) -> Iterator[Server]:
    server = Server(runs[NAMES[0]].path.parent, free_port())
    try:
        server.wait_for(NAMES)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(timeout=20)


def read_metrics(run: RunDirectory) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(run.metrics.read_text(encoding="utf-8"))
    return content


class TestServer:
    @pytest.mark.slow
    def test_lists_the_runs(self, tensorboard: Server) -> None:
        assert sorted(tensorboard.fetch_json("runs")) == NAMES

    @pytest.mark.slow
    def test_scalars_have_the_names_of_the_metrics(self, tensorboard: Server) -> None:
        tags = tensorboard.fetch_json("plugin/scalars/tags")
        names = ("loss", *SCORES)
        epoch = {"curves/train/loss", *(f"curves/val/{name}" for name in names)}
        test = {f"test/{name}" for name in names}
        assert {name: set(tags[name]) for name in NAMES} == dict.fromkeys(NAMES, epoch | test)

    @pytest.mark.parametrize("name", NAMES)
    def test_curves_have_a_point_per_epoch(
        self, name: str, tensorboard: Server, runs: dict[str, RunDirectory]
    ) -> None:
        history = pd.read_csv(runs[name].history)
        for tag in ("train/loss", "val/loss", "val/acc"):
            points = tensorboard.fetch_json("plugin/scalars/scalars", run=name, tag=f"curves/{tag}")
            assert [step for _, step, _ in points] == [*range(1, EPOCHS + 1)]
            values = [value for _, _, value in points]
            assert values == pytest.approx(history[tag].to_list(), rel=1e-5)

    @pytest.mark.parametrize("name", NAMES)
    def test_test_metrics_have_one_point(
        self, name: str, tensorboard: Server, runs: dict[str, RunDirectory]
    ) -> None:
        points = tensorboard.fetch_json("plugin/scalars/scalars", run=name, tag="test/acc")
        ((_, step, value),) = points
        assert step == EPOCHS
        assert value == pytest.approx(read_metrics(runs[name])["test/acc"])

    @pytest.mark.slow
    @pytest.mark.parametrize("name", NAMES)
    def test_figures_can_be_decoded(self, name: str, tensorboard: Server) -> None:
        tags = tensorboard.fetch_json("plugin/images/tags")[name]
        assert set(tags) == {"visualizations/confusion matrix", "visualizations/test images"}
        for tag in tags:
            (image,) = tensorboard.fetch_json("plugin/images/images", run=name, tag=tag, sample=0)
            assert image["step"] == EPOCHS
            png = tensorboard.fetch(f"plugin/images/individualImage?{image['query']}")
            height, width, channels = imread(BytesIO(png)).shape
            assert min(height, width) > 150
            assert channels in (3, 4)

    def test_text_contains_the_config(self, tensorboard: Server) -> None:
        (tag,) = tensorboard.fetch_json("plugin/text/tags")["cnn_seed1"]
        (text,) = tensorboard.fetch_json("plugin/text/text", run="cnn_seed1", tag=tag)
        for line in ("seed: 1", "batch_size: ", "digits.csv"):
            assert line in text["text"]

    @pytest.mark.parametrize(
        ("name", "layers"), [("mlp_seed0", ["MLP", "dense"]), ("cnn_seed1", ["CNN", "stages"])]
    )
    def test_graph_contains_the_layers(
        self, name: str, layers: list[str], tensorboard: Server
    ) -> None:
        graph = tensorboard.fetch("plugin/graphs/graph", run=name, conceptual="false").decode()
        assert f'name: "{layers[0]}/' in graph
        assert layers[1] in graph

    def test_hparams_have_values_and_final_metrics_of_each_run(
        self, tensorboard: Server, runs: dict[str, RunDirectory]
    ) -> None:
        statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
        body = {"startIndex": 0, "sliceSize": 100, "allowedStatuses": statuses, "colParams": []}
        groups = tensorboard.fetch_json("plugin/hparams/session_groups", body)["sessionGroups"]
        rows = {group["sessions"][0]["name"]: group for group in groups}
        assert sorted(rows) == NAMES
        assert [rows[name]["name"].partition(" #")[0] for name in NAMES] == ["cnn", "mlp"]
        for name in NAMES:
            (session,) = rows[name]["sessions"]
            assert session["status"] == "STATUS_SUCCESS"
            values = rows[name]["hparams"]
            assert f"{values['model']}_seed{values['seed']:.0f}" == name
            assert values["lr"] == 0.03
            shown = {value["name"]["tag"]: value["value"] for value in session["metricValues"]}
            metrics = read_metrics(runs[name])
            for tag in ("test/acc", "test/loss", "test/f1"):
                assert shown[tag] == pytest.approx(metrics[tag])

    def test_hparams_have_the_keys_of_all_runs(self, tensorboard: Server) -> None:
        experiment = tensorboard.fetch_json("plugin/hparams/experiment", {"experimentName": ""})
        columns = {column["name"]: column for column in experiment["hparamInfos"]}
        assert set(columns) > {"hidden", "stages", "lr", "val_size"}
        assert sorted(columns["model"]["domainDiscrete"]) == ["cnn", "mlp"]
        assert columns["seed"]["domainInterval"] == {"minValue": 0, "maxValue": 1}
        assert not {"output_dir", "quiet", "logger", "limit_rows"} & set(columns)
        assert not any("None" in column.get("domainDiscrete", []) for column in columns.values())
        metrics = {metric["name"]["tag"] for metric in experiment["metricInfos"]}
        assert metrics == {
            "curves/train/loss",
            *(f"{split}/{name}" for split in ("test", "curves/val") for name in ("loss", *SCORES)),
        }


UNTRACEABLE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))

    def forward(self, images):
        if torch.jit.is_tracing():
            raise RuntimeError("cannot be traced")
        return self.layers(images)
"""


@pytest.mark.slow
def test_network_that_cannot_be_traced_has_no_graph(digits_csv: Path) -> None:
    Path("net.py").write_text(UNTRACEABLE, encoding="utf-8")
    custom = ("model=custom", "model.path=net.py:Net", "logger=tensorboard", "epochs=1")
    run = RunDirectory(csvision.train(*SMALL_TRAINING, *custom).directory)
    assert run.read_manifest()["state"] == "finished"
    log = run.log.read_text(encoding="utf-8")
    assert "TensorBoard has no graph of the network: cannot be traced" in log
