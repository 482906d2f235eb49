"""Training a run for more epochs: equal to a run that was started with as many, or refused."""

import json
from pathlib import Path

import pytest

import csvision
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_RUN, SMALL_TRAINING, reproducible_results
from tests.run.interrupt import interrupt_after, train_until

pytestmark = pytest.mark.usefixtures("digits_csv")

CONSTANT = (*SMALL_RUN, "scheduler=none")


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [("scheduler=none",), ("scheduler=step", "scheduler.step_size=2"), ("test_checkpoint=best",)],
    ids=lambda overrides: overrides[0],
)
def test_finished_run_equals_one_started_with_as_many_epochs(overrides: tuple[str, ...]) -> None:
    expected = RunDirectory(csvision.train(*CONSTANT, *overrides, "epochs=6").directory)
    run = RunDirectory(csvision.train(*CONSTANT, *overrides).directory)
    csvision.resume(run.path, epochs=5)
    csvision.resume(run.path, epochs=6)
    assert reproducible_results(run) == reproducible_results(expected)
    manifest = run.read_manifest()
    assert manifest["extended_from"] == [4, 5]
    assert manifest["config"]["epochs"] == 6
    assert (
        csvision.evaluate(run.path, "quiet=true").metrics.items()
        <= json.loads(run.metrics.read_text(encoding="utf-8")).items()
    )
    assert csvision.reproduce(run.path).equal


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [6, None], ids=["repeated", "plain resume"])
def test_interrupted_extension_is_resumed(epochs: int | None) -> None:
    expected = RunDirectory(csvision.train(*CONSTANT, "epochs=6").directory)
    run = train_until(20, CONSTANT)
    with interrupt_after(21):
        csvision.resume(run.path, epochs=6)
    csvision.resume(run.path, epochs=epochs)
    assert reproducible_results(run) == reproducible_results(expected)


@pytest.mark.parametrize("scheduler", ["cosine", "onecycle"])
def test_schedule_of_a_fixed_number_of_epochs_is_refused(
    scheduler: str, small_run: RunDirectory
) -> None:
    content = json.loads(small_run.manifest.read_text(encoding="utf-8"))
    content["config"]["scheduler"] = {
        "cosine": {"name": "cosine", "eta_min": 0.0},
        "onecycle": {
            "name": "onecycle",
            "pct_start": 0.3,
            "div_factor": 25.0,
            "final_div_factor": 1e4,
        },
    }[scheduler]
    small_run.manifest.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=rf"scheduler={scheduler} .*\(4\)"):
        csvision.resume(small_run.path, epochs=5)
    assert json.loads(small_run.manifest.read_text(encoding="utf-8")) == content


@pytest.mark.slow
def test_number_that_is_not_larger_is_refused() -> None:
    run = RunDirectory(csvision.train(*CONSTANT).directory)
    before = run.manifest.read_bytes()
    for epochs in (1, 3, 4):
        with pytest.raises(RunError, match=f"epochs={epochs} .* 4 epochs"):
            csvision.resume(run.path, epochs=epochs)
    assert run.manifest.read_bytes() == before


@pytest.mark.slow
def test_refused_extension_leaves_the_run_finished(digits_csv: Path) -> None:
    overrides = ("model=mlp", "model.hidden=[8]", "scheduler=none")
    run = RunDirectory(csvision.train(*SMALL_TRAINING, *overrides).directory)
    before = run.manifest.read_bytes()
    digits_csv.write_text("label,pixel0\n1,2\n2,3\n", encoding="utf-8")
    with pytest.raises(csvision.UserError, match=r"digits\.csv"):
        csvision.resume(run.path, epochs=9)
    assert run.manifest.read_bytes() == before
