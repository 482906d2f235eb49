"""What the real TensorBoard shows of a real sweep, asked over HTTP as its pages ask."""

import json
import os
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
from sklearn.datasets import load_digits

SCRIPT = Path(__file__).parents[2] / "scripts" / "train.py"
EPOCHS = 3
JOBS = ["0_mlp_seed0", "1_mlp_seed1", "2_cnn_seed0", "3_cnn_seed1"]
SMALL = (
    "data=csv",
    "data.csv=digits.csv",
    f"epochs={EPOCHS}",
    "model.hidden=[8]",
    "accelerator=cpu",
    "optimizer.lr=0.03",
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep over two networks and two seeds."""
    home = tmp_path_factory.mktemp("home")
    images, labels = load_digits(return_X_y=True)
    table = pd.DataFrame(images[:200] * 15).astype(int)
    table.insert(0, "label", labels[:200])
    table.to_csv(home / "digits.csv", index=False)
    subprocess.run(
        [sys.executable, SCRIPT, "-m", *SMALL, "model=mlp,cnn", "seed=0,1"],
        cwd=home,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
    (folder,) = (home / "outputs/sweeps").iterdir()
    return folder


class Server:
    """A TensorBoard on this machine."""

    def __init__(self, logdir: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/data"
        options = ["--logdir", str(logdir), "--host", "127.0.0.1", "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fetch(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> bytes:
        address = f"{self.address}/{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = Request(address, data, {"Content-Type": "application/json"})
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            content: bytes = response.read()
        return content

    def ask(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        return json.loads(self.fetch(path, body, **query))

    def wait_for(self, runs: list[str]) -> None:
        """Wait until all that was logged is loaded: the graph is the last thing of a run."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                if sorted(self.ask("plugin/graphs/info")) == runs:
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
def tensorboard(sweep: Path) -> Iterator[Server]:
    server = Server(sweep, free_port())
    try:
        server.wait_for(JOBS)
        yield server
    finally:
        server.process.terminate()
        server.process.wait(timeout=20)


def metrics_of(sweep: Path, job: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((sweep / job / "metrics.json").read_text())
    return content


def test_lists_each_job_as_a_run(tensorboard: Server) -> None:
    assert sorted(tensorboard.ask("runs")) == JOBS


class TestScalars:
    def test_have_these_names(self, tensorboard: Server) -> None:
        tags = tensorboard.ask("plugin/scalars/tags")
        names = {"lr", "seconds", "train/loss", "val/loss", "val/acc"}
        assert {job: set(tags[job]) for job in JOBS} == dict.fromkeys(
            JOBS, names | {"test/loss", "test/acc", "test/f1"}
        )

    @pytest.mark.parametrize("job", JOBS)
    def test_have_a_point_an_epoch(self, job: str, tensorboard: Server, sweep: Path) -> None:
        history = pd.read_csv(sweep / job / "history.csv")
        for name in ("train/loss", "val/loss", "val/acc", "lr"):
            points = tensorboard.ask("plugin/scalars/scalars", run=job, tag=name)
            assert [step for _, step, _ in points] == [*range(1, EPOCHS + 1)]
            values = [value for _, _, value in points]
            assert values == pytest.approx(history[name].to_list(), rel=1e-5)

    def test_of_the_test_have_one(self, tensorboard: Server, sweep: Path) -> None:
        for job in JOBS:
            points = tensorboard.ask("plugin/scalars/scalars", run=job, tag="test/acc")
            ((_, step, value),) = points
            assert step == EPOCHS
            assert value == pytest.approx(metrics_of(sweep, job)["test/acc"])


class TestPages:
    def test_have_the_pictures(self, tensorboard: Server) -> None:
        tags = tensorboard.ask("plugin/images/tags")
        for job in JOBS:
            assert set(tags[job]) == {"confusion matrix", "test images"}
            for tag in tags[job]:
                (image,) = tensorboard.ask("plugin/images/images", run=job, tag=tag, sample=0)
                assert image["step"] == EPOCHS
                picture = tensorboard.fetch(f"plugin/images/individualImage?{image['query']}")
                height, width, channels = imread(BytesIO(picture)).shape
                assert min(height, width) > 150
                assert channels in (3, 4)

    def test_have_the_configuration(self, tensorboard: Server) -> None:
        (tag,) = tensorboard.ask("plugin/text/tags")["1_mlp_seed1"]
        (text,) = tensorboard.ask("plugin/text/text", run="1_mlp_seed1", tag=tag)
        for line in ("seed: 1", "batch_size: ", "csv: digits.csv"):
            assert line in text["text"]

    def test_have_the_graph(self, tensorboard: Server) -> None:
        for job, layer in (("0_mlp_seed0", "dense"), ("2_cnn_seed0", "stages")):
            graph = tensorboard.fetch("plugin/graphs/graph", run=job, conceptual="false").decode()
            assert f'name: "{("MLP", "CNN")["cnn" in job]}/' in graph
            assert layer in graph


class TestHyperparameters:
    def test_lists_each_job_with_its_settings_and_final_metrics(
        self, tensorboard: Server, sweep: Path
    ) -> None:
        statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
        body = {"startIndex": 0, "sliceSize": 100, "allowedStatuses": statuses, "colParams": []}
        groups = tensorboard.ask("plugin/hparams/session_groups", body)["sessionGroups"]
        rows = {group["name"]: group for group in groups}
        assert sorted(rows) == JOBS
        for job in JOBS:
            (session,) = rows[job]["sessions"]
            assert session["status"] == "STATUS_SUCCESS"
            settings = rows[job]["hparams"]
            assert f"{settings['model.name']}_seed{settings['seed']:.0f}" == job[2:]
            assert settings["optimizer.lr"] == 0.03
            values = {value["name"]["tag"]: value["value"] for value in session["metricValues"]}
            metrics = metrics_of(sweep, job)
            for name in ("test/acc", "test/loss", "test/f1"):
                assert values[name] == pytest.approx(metrics[name])

    def test_has_the_columns_of_all_jobs_and_knows_which_differ(self, tensorboard: Server) -> None:
        experiment = tensorboard.ask("plugin/hparams/experiment", {"experimentName": ""})
        columns = {column["name"]: column for column in experiment["hparamInfos"]}
        assert set(columns) > {"model.hidden", "model.stages", "optimizer.lr", "data.val_size"}
        assert sorted(columns["model.name"]["domainDiscrete"]) == ["cnn", "mlp"]
        assert columns["seed"]["domainInterval"] == {"minValue": 0, "maxValue": 1}
        assert not {"outputs", "quiet", "logger.name", "debug.rows"} & set(columns)
        metrics = {metric["name"]["tag"] for metric in experiment["metricInfos"]}
        assert metrics >= {"test/acc", "test/loss", "test/f1", "val/acc"}
