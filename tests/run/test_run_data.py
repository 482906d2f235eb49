"""Testing, resuming and reproducing a run whose data files have changed, grown or moved."""

import json
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.errors import DataError, RunError, UserError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_RUN, SMALL_TRAINING
from tests.run.interrupt import train_until


@pytest.fixture
def run_of_digits(small_run: RunDirectory, digits_csv: Path) -> RunDirectory:
    """Return a finished run whose data file is digits.csv in the current folder."""
    content = json.loads(small_run.manifest.read_text(encoding="utf-8"))
    content["config"]["data"]["csv"] = str(digits_csv)
    small_run.manifest.write_text(json.dumps(content), encoding="utf-8")
    return small_run


def predictions_of(folder: Path | None) -> pd.DataFrame:
    assert folder is not None
    return pd.read_csv(folder / "predictions.csv")


def change_lines(path: Path, *, delete: int | None = None, add: str = "", at: int = 300) -> None:
    """Delete the line of a row, or insert a line before a row."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if delete is not None:
        del lines[delete + 1]
    if add:
        lines.insert(at + 1, add + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def new_row(label: int | str) -> str:
    return ",".join([str(label), *["0", "255"] * 32])


class TestEvaluate:
    @pytest.mark.parametrize("split", ["train", "val", "test"])
    def test_file_without_a_row_of_the_run_is_refused(
        self, split: str, run_of_digits: RunDirectory, small_run_result: csvision.TrainResult
    ) -> None:
        row = int(getattr(small_run_result.splits, split).indices[0])
        change_lines(Path("digits.csv"), delete=row)
        with pytest.raises(RunError, match=r"digits\.csv has changed .*data\.csv=FILE"):
            csvision.evaluate(run_of_digits.path, "quiet=true")
        assert not run_of_digits.evaluations.exists()

    @pytest.mark.slow
    @pytest.mark.parametrize("at", [0, 150, 300])
    @pytest.mark.parametrize("label", [7, 10])
    def test_test_rows_are_found_in_a_file_with_additional_rows(
        self, at: int, label: int, run_of_digits: RunDirectory
    ) -> None:
        change_lines(Path("digits.csv"), add=new_row(label), at=at)
        now = predictions_of(csvision.evaluate(run_of_digits.path, "quiet=true").directory)
        before = predictions_of(run_of_digits.path)
        before["row"] += before["row"] >= at
        pd.testing.assert_frame_equal(now, before)

    @pytest.mark.slow
    def test_moved_file_is_found_by_its_new_path(self, run_of_digits: RunDirectory) -> None:
        Path("digits.csv").rename("moved.csv")
        with pytest.raises(RunError, match=r"digits\.csv.*data\.csv=FILE rows=test"):
            csvision.evaluate(run_of_digits.path, "quiet=true")
        result = csvision.evaluate(
            run_of_digits.path, "data.csv=moved.csv", "rows=test", "quiet=true"
        )
        pd.testing.assert_frame_equal(
            predictions_of(result.directory), predictions_of(run_of_digits.path)
        )

    def test_test_rows_of_another_file_are_refused(self, run_of_digits: RunDirectory) -> None:
        table = pd.read_csv("digits.csv")
        table.sample(frac=1, random_state=0).to_csv("other.csv", index=False)
        with pytest.raises(RunError, match=r"other\.csv .* in another order"):
            csvision.evaluate(run_of_digits.path, "data.csv=other.csv", "rows=test")

    @pytest.mark.slow
    @pytest.mark.parametrize("relabel", [0, 1])
    def test_training_images_in_another_file_are_reported(
        self,
        relabel: int,
        run_of_digits: RunDirectory,
        small_run_result: csvision.TrainResult,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        table = pd.read_csv("digits.csv")
        table["label"] = (table["label"] + relabel) % 10
        table.to_csv("digits.csv", index=False)
        csvision.evaluate(run_of_digits.path, "data.csv=digits.csv", "quiet=true")
        count = len(small_run_result.splits.train)
        assert f"digits.csv: {count} of 300 images also occur" in capsys.readouterr().out

    @pytest.mark.parametrize("damage", ["splits.npz", "split_sha256"])
    def test_damaged_record_is_refused(self, damage: str, run_of_digits: RunDirectory) -> None:
        if damage == "splits.npz":
            run_of_digits.splits.write_bytes(b"damaged")
        else:
            data = run_of_digits.read_manifest()["data"]
            run_of_digits.update_manifest(data=data | {"split_sha256": "0" * 64})
        with pytest.raises(RunError, match=r"splits\.npz is damaged"):
            csvision.evaluate(run_of_digits.path, "quiet=true")

    @pytest.mark.slow
    @pytest.mark.parametrize("rows", [(), ("data.csv=moved.csv", "rows=test")])
    def test_separate_test_file_alone_is_needed(
        self, rows: tuple[str, ...], digits_csv: Path
    ) -> None:
        pd.read_csv(digits_csv).tail(50).to_csv("test.csv", index=False)
        run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "data.test_csv=test.csv").directory
        digits_csv.unlink()
        if rows:
            Path("test.csv").rename("moved.csv")
        result = csvision.evaluate(run, *rows, "quiet=true")
        pd.testing.assert_frame_equal(predictions_of(result.directory), predictions_of(run))


class TestRunWithoutRecordedSplits:
    """Runs of earlier versions have no splits.npz."""

    @pytest.mark.slow
    def test_unchanged_file_gives_the_same_rows(self, run_of_digits: RunDirectory) -> None:
        run_of_digits.splits.unlink()
        result = csvision.evaluate(run_of_digits.path, "quiet=true")
        pd.testing.assert_frame_equal(
            predictions_of(result.directory), predictions_of(run_of_digits.path)
        )

    def test_changed_file_is_refused(self, run_of_digits: RunDirectory) -> None:
        run_of_digits.splits.unlink()
        change_lines(Path("digits.csv"), add=new_row(7))
        with pytest.raises(RunError, match=r"digits\.csv has changed"):
            csvision.evaluate(run_of_digits.path, "quiet=true")


class TestResumeAndReproduce:
    @pytest.mark.slow
    def test_resumed_run_uses_its_rows_of_a_grown_file(
        self, digits_csv: Path, small_run: RunDirectory
    ) -> None:
        run = train_until(20, SMALL_RUN)
        data = run.read_manifest()["data"]
        change_lines(digits_csv, add=new_row(10), at=0)
        csvision.resume(run.path)
        manifest = run.read_manifest()
        assert manifest["weights_sha256"] == small_run.read_manifest()["weights_sha256"]
        assert manifest["data"] == data
        assert csvision.reproduce(run.path).equal

    def test_missing_file_is_named(self, run_of_digits: RunDirectory) -> None:
        Path("digits.csv").unlink()
        with pytest.raises(RunError, match=r"digits\.csv, .* does not exist; put it back"):
            csvision.reproduce(run_of_digits.path)

    def test_changed_file_is_refused(self, run_of_digits: RunDirectory) -> None:
        change_lines(Path("digits.csv"), delete=7)
        with pytest.raises(RunError, match=r"digits\.csv has changed"):
            csvision.reproduce(run_of_digits.path)
        assert not run_of_digits.reproductions.exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [("label,pixel0\n", DataError), ("label,a,b\n1,2,3\n", UserError)],
    ids=["no rows", "another table"],
)
def test_file_that_is_no_longer_an_image_file_is_refused(
    content: str, error: type[UserError], run_of_digits: RunDirectory
) -> None:
    Path("digits.csv").write_text(content, encoding="utf-8")
    with pytest.raises(error, match=r"digits\.csv"):
        csvision.evaluate(run_of_digits.path, "quiet=true")
