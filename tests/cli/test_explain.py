"""The command explain: its formats, its errors, and what it reads."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from csvision.files import write_json
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand
from tests.conftest import digits

SMALL = ("data.image_shape=[3,28,28]",)


def test_prints_the_tables_of_the_layers(csvision_command: RunCommand) -> None:
    output = csvision_command("explain", "model=cnn", *SMALL)
    assert (output.code, output.err) == (0, "")
    lines = output.out.splitlines()
    assert lines[0] == "cnn on images of 3x28x28 (channels x height x width), 10 classes"
    assert lines[3].split() == [
        *("stages.0.convolution", "3x28x28", "32x28x28"),
        *("(28", "+", "2*1", "-", "3)/1", "+", "1", "=", "28"),
        *("32*(3*3*3", "+", "1)", "=", "896"),
    ]
    assert "220,810" in output.out
    assert "10x10" in output.out


def test_prints_json(csvision_command: RunCommand) -> None:
    output = csvision_command("explain", "model=mlp", "num_classes=3", "format=json")
    content = json.loads(output.out)
    assert content["num_classes"] == 3
    assert content["parameters"] == 109_386 - 7 * 65
    assert [layer["name"] for layer in content["layers"]] == [
        *("flatten", "dense.0", "dense.1", "logits")
    ]


def test_writes_a_picture(csvision_command: RunCommand, working_folder: Path) -> None:
    output = csvision_command("explain", "format=svg", "output=new/net.svg")
    assert output.out == f"{Path('new/net.svg')}\n"
    root = ElementTree.fromstring((working_folder / "new" / "net.svg").read_text("utf-8"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"stages.0.convolution", "stages.1.pool", "logits"} <= set(texts)
    assert "size: (28 + 2*1 - 3)/1 + 1 = 28" in texts


@pytest.mark.slow
def test_batch_size_changes_memory_only(csvision_command: RunCommand) -> None:
    one, two = (
        json.loads(csvision_command("explain", "format=json", f"batch_size={size}").out)
        for size in (1, 2)
    )
    assert two["kept_bytes"] == 2 * one["kept_bytes"]
    assert two["parameters"] == one["parameters"]


def test_file_of_the_user_gives_shape_and_classes(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    output = csvision_command("explain", "data=csv", f"data.csv={digits_csv}", "data.pad=1")
    assert output.out.startswith("cnn on images of 1x10x10 (channels x height x width), 10 classes")


def test_file_is_not_read_if_shape_and_classes_are_given(csvision_command: RunCommand) -> None:
    words = ("data=csv", "data.csv=missing.csv", "data.image_shape=[1,8,8]", "num_classes=4")
    assert csvision_command("explain", *words).code == 0


@pytest.mark.slow
def test_run_gives_its_network(small_run_result: object, csvision_command: RunCommand) -> None:
    directory = small_run_result.directory  # type: ignore[attr-defined]
    output = csvision_command("explain", f"run={directory}", "format=json")
    content = json.loads(output.out)
    assert content["image_shape"] == [1, 8, 8]
    classifier = small_run_result.classifier  # type: ignore[attr-defined]
    weights = classifier.network.parameters()
    assert content["parameters"] == sum(each.numel() for each in weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("model.stages.1.kernel_size=99",), "model.stages.1.convolution"),
        (("model.stages.1.padding=sam",), "model.stages.1.padding=sam"),
        (("data.image_shape=[28,28]",), "data.image_shape=[28, 28]"),
        (("position=[1,2,3]",), "position=[1, 2, 3] must be [row,column]"),
        (("position=[1]",), "position=[1] must be [row,column]"),
        (("run=nowhere",), "run=nowhere"),
        (("run=nowhere", "model=mlp", "seed=3"), "run=nowhere: the run has its own seed and model"),
        (("run=nowhere", "data.pad=2", "row=0"), "run=nowhere: the run has its own data.pad;"),
        (("run=nowhere", "data.csv=a.csv"), "run=nowhere: the run has its own data.csv; remove"),
        (("model=custom", "model.path=none.py:Net"), "model.path=none.py:Net"),
        (("output=.",), "output=."),
        (("format=svg", "output=y.png"), "output=y.png is not the name of a file with format=svg"),
        (("output=y.svg",), "output=y.svg is not the name of a file with format=text"),
        (("filter=0",), "filter=0: row is missing"),
        (
            ("layer=stages.1.convolution", "position=[3,4]"),
            "layer=stages.1.convolution position=[3,4]: row is missing",
        ),
        (("num_classes=1",), "num_classes=1 must be >= 2"),
    ],
)
def test_error_names_its_key(
    words: tuple[str, ...], key: str, csvision_command: RunCommand
) -> None:
    assert csvision_command("explain", *words).error.startswith(key)


@pytest.mark.parametrize("name", ["net.svg", "net.PNG"])
def test_name_of_another_format_is_refused_until_the_advice_is_followed(
    name: str, csvision_command: RunCommand
) -> None:
    error = csvision_command("explain", f"output={name}").error
    followed = error.rpartition(" write ")[2].split(" or ")
    assert followed == [*["format=svg"] * (name == "net.svg"), "output=net.txt"]
    assert not Path(name).exists()
    assert csvision_command("explain", followed[-1]).code == 0
    if name == "net.svg":
        assert csvision_command("explain", f"output={name}", followed[0]).code == 0


@pytest.mark.slow
def test_channels_at_the_end_are_recognized_where_a_layer_does_not_fit(
    csvision_command: RunCommand,
) -> None:
    error = csvision_command("explain", "data.image_shape=[28,20,3]").error
    assert error.startswith("model.stages.1.pool: ")
    assert error.endswith("write data.image_shape=[3,28,20]")
    followed = csvision_command("explain", "data.image_shape=[3,28,20]")
    assert followed.out.startswith("cnn on images of 3x28x20")
    # Here, the first number can be that of channels.
    assert "channels" not in csvision_command("explain", "data.image_shape=[1,1,1]").error


class TestFilter:
    @pytest.mark.slow
    def test_prints_the_products(self, csvision_command: RunCommand) -> None:
        output = csvision_command("explain", "row=0", "filter=3", "position=[17,1]")
        assert (output.code, output.err) == (0, "")
        lines = output.out.splitlines()
        assert lines[0].startswith("filter 3 of 32 of stages.0.convolution at position [17, 1]")
        assert lines[0].endswith("image in row 0 (Ankle boot)")
        assert lines[-1].startswith("next position [17, 2]: ")

    @pytest.mark.slow
    def test_untrained_weights_are_those_of_a_training_with_the_seed(
        self, csvision_command: RunCommand
    ) -> None:
        found = [
            json.loads(csvision_command("explain", "row=0", "format=json", *words).out)
            for words in (("seed=1",), ("seed=1", "data.normalize=true"), ("seed=2",))
        ]
        weights = [content["channels"][0]["weights"] for content in found]
        assert weights[0] == weights[1] != weights[2]
        patches = [content["channels"][0]["patch"] for content in found]
        assert patches[0] != patches[1]

    @pytest.mark.slow
    def test_run_gives_weights_and_images(
        self, small_run_result: object, csvision_command: RunCommand
    ) -> None:
        directory = small_run_result.directory  # type: ignore[attr-defined]
        words = (f"run={directory}", "row=5", "filter=2", "position=[3,3]", "format=json")
        content = json.loads(csvision_command("explain", *words).out)
        network = small_run_result.classifier.network  # type: ignore[attr-defined]
        weights = network.stages[0].convolution.weight[2, 0].tolist()
        assert content["channels"][0]["weights"] == weights
        table = small_run_result.splits.train.table  # type: ignore[attr-defined]
        patch = (table.images[5, 0, 2:5, 2:5] / 255).tolist()
        assert content["channels"][0]["patch"][1] == pytest.approx(patch[1], abs=1e-6)
        assert content["label"] == table.classes[table.labels[5]]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("words", "start"),
        [
            (("row=6000",), "row=6000: the file has 6,000 rows, from 0"),
            (("row=0", "model=mlp"), "row: the network has no convolution"),
            (("row=0", "filter=32"), "filter=32: stages.0.convolution has 32 filters"),
            (("row=0", "position=[28,0]"), "position=[28,0]: the output of stages.0"),
            (("row=0", "layer=stages.7.convolution"), "layer=stages.7.convolution is no conv"),
        ],
    )
    def test_error_names_its_key(
        self, words: tuple[str, ...], start: str, csvision_command: RunCommand
    ) -> None:
        assert csvision_command("explain", *words).error.startswith(start)

    @pytest.mark.slow
    def test_moved_file_of_a_run_is_given_by_its_key(
        self, small_run: RunDirectory, digits_csv: Path, csvision_command: RunCommand
    ) -> None:
        content = small_run.read_manifest()
        content["config"]["data"]["csv"] = str(digits_csv)
        write_json(small_run.manifest, content)
        words = (f"run={small_run.path}", "row=5", "format=json")
        expected = csvision_command("explain", *words).out
        digits_csv.rename("moved.csv")
        error = csvision_command("explain", *words).error
        assert error.endswith(
            "digits.csv, a data file of the run, does not exist; if it was moved: data.csv=FILE"
        )
        assert csvision_command("explain", *words, "data.csv=moved.csv").out == expected
        assert csvision_command("explain", *words, "data=csv", "data.csv=moved.csv").out == expected

    @pytest.mark.parametrize("words", [(), ("row=0",)])
    def test_code_that_the_run_does_not_have_is_refused(
        self, words: tuple[str, ...], small_run: RunDirectory, csvision_command: RunCommand
    ) -> None:
        code = ("model=custom", "model.path=a.py:B")
        error = csvision_command("explain", f"run={small_run.path}", *code, *words).error
        assert error.endswith("which was trained with model=cnn; leave out model.path")

    @pytest.mark.slow
    def test_other_file_may_have_other_labels_or_none(
        self, small_run: RunDirectory, csvision_command: RunCommand
    ) -> None:
        table = digits(3)
        table.drop(columns="label").to_csv("none.csv", index=False)
        table.assign(label=[0, 1, 77]).to_csv("other.csv", index=False)
        for csv in ("none.csv", "other.csv"):
            words = (f"run={small_run.path}", "row=2", f"data.csv={csv}", "format=json")
            assert json.loads(csvision_command("explain", *words).out)["label"] == ""

    def test_shape_must_be_that_of_the_file(self, csvision_command: RunCommand) -> None:
        error = csvision_command("explain", "row=0", "data.image_shape=[3,28,28]").error
        assert "needs 2352; check data.image_shape" in error
