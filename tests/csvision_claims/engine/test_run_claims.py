"""Claims from end to end: statements of known truth, quick claims, and resuming."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import csvision
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job, JobCache
from csvision_claims.engine.paired import paired_differences
from csvision_claims.engine.profile import FULL, QUICK, Profile
from csvision_claims.engine.record import ClaimRecord, read_records
from csvision_claims.engine.rules import Comparison, Difference, Exact, Verdict
from csvision_claims.engine.run_claims import run_claims
from csvision_claims.engine.runner import Runner
from tests.cli.conftest import RunCommand

pytestmark = pytest.mark.slow

SMALL = ("model=mlp", "model.hidden=[8]", "epochs=6")

LEARNING_ARM = Arm("learns", (*SMALL, "optimizer.lr=0.01"))

IDLE_ARM = Arm("hardly learns", (*SMALL, "optimizer.lr=0.000001"))


@pytest.fixture
def profile(digits_csv: Path) -> Profile:
    """Eight seeds on a few real digits."""
    data = ("data=csv", f"data.csv={digits_csv}", "data.val_size=0")
    return Profile("full", tuple(range(8)), (100,), (0.01,), data, data, full=True)


def square(value: int) -> int:
    return value**2


def measure_exactly(runner: Runner) -> Measurement:
    (found,) = runner.run([Job(square, {"value": 12})])
    return Measurement(
        evidence={
            "C1a": [Comparison("12 squared", 144, found)],
            "C1b": [Comparison("12 squared", 143, found)],
        },
        finding="",
    )


EXACT = Claim(
    "C1",
    "A square",
    (
        Statement("C1a", "Twelve squared is 144", Exact()),
        Statement("C1b", "Twelve squared is 143", Exact()),
    ),
    "why",
    "method",
    measure_exactly,
)


def measure_learning(runner: Runner) -> Measurement:
    runs = runner.train([LEARNING_ARM, IDLE_ARM])
    gain = paired_differences(runs[LEARNING_ARM.name], runs[IDLE_ARM.name], "test/acc")
    return Measurement(
        evidence={"C2a": gain, "C2b": [-points for points in gain], "C2c": gain},
        finding="",
        arms=runner.with_data([LEARNING_ARM, IDLE_ARM]),
    )


LEARNING = Claim(
    "C2",
    "Learning helps",
    (
        Statement("C2a", "A network that learns is a point better", Difference(1.0, "points")),
        Statement("C2b", "One that does not learn is a point better", Difference(1.0, "points")),
        Statement("C2c", "Learning is 99 points better", Difference(99.0, "points")),
    ),
    "why",
    "method",
    measure_learning,
)


def verdicts(records: Iterator[ClaimRecord]) -> dict[str, Verdict]:
    return {entry.id: entry.decision.verdict for r in records for entry in r.statements}


def test_true_statement_holds_and_false_one_is_refuted(profile: Profile, tmp_path: Path) -> None:
    records = list(run_claims([EXACT, LEARNING], profile, tmp_path / "jobs", 2))
    assert verdicts(iter(records)) == {
        "C1a": Verdict.holds,
        "C1b": Verdict.refuted,
        "C2a": Verdict.holds,
        "C2b": Verdict.refuted,
        "C2c": Verdict.refuted,
    }
    learning = records[1]
    assert learning.statements[0].decision.count == 8
    assert learning.seconds > 0
    assert learning.arms[LEARNING_ARM.name].startswith("csvision train model=mlp")
    assert learning.arms[LEARNING_ARM.name].endswith("data.val_size=0 seed=0")

    # The second run computes nothing and gives the same records.
    started = time.perf_counter()
    again = list(run_claims([EXACT, LEARNING], profile, tmp_path / "jobs", 2))
    assert time.perf_counter() - started < 3
    assert again == records


def test_arm_equals_run_of_csvision(profile: Profile, tmp_path: Path) -> None:
    runner = Runner(profile, JobCache(tmp_path / "jobs"), 1)
    runner.start("C2", 1)
    (metrics, *_) = runner.train([LEARNING_ARM])[LEARNING_ARM.name]
    common = ("accelerator=cpu", "accelerator.num_threads=1", "quiet=true", "logger=none")
    result = csvision.train(*LEARNING_ARM.overrides, *profile.data, "seed=0", *common)
    assert metrics == result.metrics


def test_learning_rates_are_chosen_on_validation_rows(digits_csv: Path, tmp_path: Path) -> None:
    data = ("data=csv", f"data.csv={digits_csv}")
    profile = Profile(
        "full", (0,), (100, 101), (1e-6, 0.01, 1e-5), data, (*data, "data.val_size=0.3")
    )
    runner = Runner(profile, JobCache(tmp_path / "jobs"), 2)
    runner.start("C2", 1)
    arms = runner.tune_lr([Arm("a", SMALL), Arm("b", (*SMALL, "batch_size=16"))])
    assert [arm.overrides[-1] for arm in arms] == ["optimizer.lr=0.01"] * 2
    assert [arm.name for arm in arms] == ["a", "b"]
    assert len(list((tmp_path / "jobs").iterdir())) == 2 * 3 * 2


KEPT: list[bytes] = []


def grow(size: int, number: int) -> int:
    """Keep memory, wait until joblib measures it again, and return the process."""
    KEPT.append(b"x" * size)
    time.sleep(1.1)
    return os.getpid()


@pytest.mark.slow
# A warning as an error in a thread of joblib would let this test wait forever.
@pytest.mark.filterwarnings("default:A worker stopped")
def test_worker_is_kept_when_it_grows(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    runner = Runner(QUICK, JobCache(tmp_path), 2)
    runner.start("C1", 1)
    processes = runner.run([Job(grow, {"size": 400_000_000, "number": n}) for n in range(6)])
    assert len(set(processes)) <= 2
    assert [str(warning.message) for warning in recwarn] == []


def test_new_version_of_a_claim_is_measured_again(profile: Profile, tmp_path: Path) -> None:
    runner = Runner(profile, JobCache(tmp_path), 1)
    jobs = [Job(square, {"value": 12}), Job(square, {"value": 12}), Job(square, {"value": 3})]
    for claim, version, files in (("C1", 1, 2), ("C1", 1, 2), ("C1", 2, 4), ("C2", 2, 6)):
        runner.start(claim, version)
        assert runner.run(jobs) == [144, 144, 9]
        assert len(list(tmp_path.glob("*.json"))) == files


def test_setup_is_recorded_for_the_full_profile_only(profile: Profile, tmp_path: Path) -> None:
    claim = replace(EXACT, setup=("csvision prepare-fashion-mnist",))
    (full,) = run_claims([claim], profile, tmp_path, 1)
    (quick,) = run_claims([claim], QUICK, tmp_path, 1)
    assert full.setup == ["csvision prepare-fashion-mnist"]
    assert quick.setup == []
    assert full.command == "csvision claims claim=C1"
    assert quick.command == "csvision claims claim=C1 profile=quick"


def test_profiles_separate_tuning_from_scoring() -> None:
    assert len(FULL.seeds) >= 8
    for profile in (FULL, QUICK, FULL.shift_seeds(50)):
        assert not set(profile.seeds) & set(profile.tuning_seeds)
        assert "data.val_size=0" in profile.data
    assert "data=fmnist" in FULL.data
    assert FULL.shift_seeds(0) == FULL
    assert FULL.shift_seeds(50).name == "full_from_seed_50"
    assert not set(FULL.shift_seeds(50).seeds) & set(FULL.seeds)
    assert QUICK.full is False
    assert FULL.shift_seeds(50).full is True
    assert (FULL.cli_args, FULL.shift_seeds(50).cli_args) == ("", " seed=50")
    assert QUICK.shift_seeds(7).cli_args == " profile=quick seed=7"


PROGRAM = """
from csvision_claims import run_claims

(record,) = run_claims("claim=[B3]", "profile=quick")
print(record.id, [entry.id for entry in record.statements])
"""


def test_script_without_main_guard_can_run_claims(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "B3 ['B3a', 'B3b']"
    # The worker processes did not import the script.
    assert done.stdout.count("B3b undecided") == 1


class TestCommand:
    @pytest.fixture
    def arguments(self) -> list[str]:
        command = [sys.executable, "-m", "csvision", "claims"]
        return [*command, "claim=[A3,B3]", "profile=quick"]

    def test_quick_claims_write_records_but_no_page(
        self, arguments: list[str], tmp_path: Path
    ) -> None:
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        assert "A3a holds, A3b refuted" in done.stdout
        assert "profile=quick only checks" in done.stdout
        assert "claim 1 of 2)" in done.stdout
        folder = tmp_path / "outputs" / "claims" / "quick"
        assert done.stdout.splitlines()[-1] == "outputs/claims/quick/claims.json"
        assert [path.name for path in folder.iterdir()] == ["claims.json"]
        records = read_records(folder / "claims.json")
        assert [record.id for record in records] == ["A3", "B3"]
        assert {record.profile for record in records} == {"quick"}
        assert records[0].command == "csvision claims claim=A3 profile=quick"

        # Running one claim again keeps the other record and repeats no training.
        jobs = {path: path.stat().st_mtime_ns for path in (folder.parent / "jobs").iterdir()}
        subprocess.run([*arguments, "claim=[B3]"], capture_output=True, check=True)
        assert [record.id for record in read_records(folder / "claims.json")] == ["A3", "B3"]
        assert {path: path.stat().st_mtime_ns for path in jobs} == jobs

    @pytest.mark.parametrize("damage", ["{}", "[", '[{"id": "B6"}]'])
    def test_unreadable_records_are_reported_before_measuring(
        self, damage: str, tmp_path: Path, csvision_command: RunCommand
    ) -> None:
        path = tmp_path / "outputs" / "claims" / "quick" / "claims.json"
        path.parent.mkdir(parents=True)
        path.write_text(damage)
        error = csvision_command("claims", "claim=[A3,B3]", "profile=quick").error
        assert "claims.json: not a file of recorded claims" in error
        assert not (path.parents[1] / "jobs").exists()
        assert path.read_text() == damage

    def test_unwritable_output_is_reported_before_measuring(
        self, tmp_path: Path, csvision_command: RunCommand
    ) -> None:
        (tmp_path / "file").touch()
        refused = csvision_command("claims", "claim=A3", "profile=quick", "output_dir=file")
        assert refused.error.startswith("file/claims/quick")

    @pytest.mark.parametrize(
        ("override", "key"),
        [("profile=quick", "profile"), ("claim=A3", "claim"), ("seed=1", "seed")],
    )
    def test_publish_accepts_only_a_complete_study(
        self, override: str, key: str, csvision_command: RunCommand
    ) -> None:
        error = csvision_command("claims", "publish=true", override).error
        assert error.startswith("publish=true: ")
        assert f"{key}=" in error

    @pytest.mark.thorough
    def test_interrupted_run_resumes_where_it_stopped(
        self, arguments: list[str], tmp_path: Path
    ) -> None:
        folder = tmp_path / "outputs" / "claims" / "jobs"
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # A shell makes background processes, and so these tests, ignore Ctrl-C.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 60
        while len(list(folder.glob("*.json"))) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        # A terminal signals all processes of the group, the workers included.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert errors.decode().splitlines()[-1] == "interrupted"
        assert "Traceback" not in errors.decode()
        kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
        assert len(kept) >= 3
        subprocess.run(arguments, capture_output=True, check=True)
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        assert len(list(folder.glob("*.json"))) > len(kept)

    def test_full_profile_without_official_images_names_the_command(
        self, csvision_command: RunCommand
    ) -> None:
        assert "prepare-fashion-mnist" in csvision_command("claims", "claim=[B14]").error
