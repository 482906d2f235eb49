"""The whole machinery on statements whose truth is known, quick claims, and going on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import csvision
from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.decide import decided
from csvision.claims.jobs import Job, Store
from csvision.claims.paired import differences
from csvision.claims.profile import FULL, QUICK, Profile
from csvision.claims.progress import Progress
from csvision.claims.record import ClaimRecord, read_records
from csvision.claims.rules import Comparison, Difference, Exact, Verdict

ROOT = Path(__file__).parents[2]

SMALL = ("model=mlp", "model.hidden=[8]", "epochs=6")

FAIR = Arm("learns", (*SMALL, "optimizer.lr=0.01"))

IDLE = Arm("hardly learns", (*SMALL, "optimizer.lr=0.000001"))


@pytest.fixture
def profile(digits_csv: Path) -> Profile:
    """Eight seeds on a few real digits."""
    data = ("data=csv", f"data.csv={digits_csv}", "data.val_size=0")
    return Profile("full", tuple(range(8)), (100,), (0.01,), data, data)


def square(value: int) -> int:
    return value**2


def measure_exactly(bench: Bench) -> Measurement:
    (found,) = bench.run([Job(square, {"value": 12})])
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


def measure_learning(bench: Bench) -> Measurement:
    runs = bench.train([FAIR, IDLE])
    gain = differences(runs[FAIR.name], runs[IDLE.name], "test/acc")
    return Measurement(
        evidence={"C2a": gain, "C2b": [-points for points in gain], "C2c": gain},
        finding="",
        arms=bench.complete([FAIR, IDLE]),
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


def test_a_true_statement_holds_and_a_false_one_is_refuted(
    profile: Profile, tmp_path: Path
) -> None:
    records = list(decided([EXACT, LEARNING], profile, tmp_path / "jobs", 2))
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
    assert learning.arms[FAIR.name].startswith("python scripts/train.py model=mlp")
    assert learning.arms[FAIR.name].endswith("data.val_size=0 seed=0")

    # Once more: nothing is computed again, and everything comes out as before.
    started = time.perf_counter()
    again = list(decided([EXACT, LEARNING], profile, tmp_path / "jobs", 2))
    assert time.perf_counter() - started < 3
    assert again == records


def test_an_arm_is_what_csvision_trains(profile: Profile, tmp_path: Path) -> None:
    progress = Progress({"C2": 1.0}, 1)
    progress.begin("C2")
    bench = Bench(profile, Store(tmp_path / "jobs"), 1, progress)
    (run, *_) = bench.train([FAIR])[FAIR.name]
    threads = ("accelerator=cpu", "accelerator.threads=1", "quiet=true", "logger=none")
    typed = csvision.train(*FAIR.overrides, *profile.data, "seed=0", *threads)
    assert run == typed.metrics


def test_learning_rates_are_chosen_on_validation_rows(digits_csv: Path, tmp_path: Path) -> None:
    data = ("data=csv", f"data.csv={digits_csv}")
    profile = Profile(
        "full", (0,), (100, 101), (1e-6, 0.01, 1e-5), data, (*data, "data.val_size=0.3")
    )
    progress = Progress({"C2": 1.0}, 2)
    progress.begin("C2")
    bench = Bench(profile, Store(tmp_path / "jobs"), 2, progress)
    arms = bench.tuned([Arm("a", SMALL), Arm("b", (*SMALL, "batch_size=16"))])
    assert [arm.overrides[-1] for arm in arms] == ["optimizer.lr=0.01"] * 2
    assert [arm.name for arm in arms] == ["a", "b"]
    assert len(list((tmp_path / "jobs").iterdir())) == 2 * 3 * 2


def test_profiles_keep_tuning_and_scoring_apart() -> None:
    assert len(FULL.seeds) >= 8
    for profile in (FULL, QUICK, FULL.from_seed(50)):
        assert not set(profile.seeds) & set(profile.tuning_seeds)
        assert "data.val_size=0" in profile.data
    assert "data=fmnist" in FULL.data
    assert FULL.from_seed(0) == FULL
    assert FULL.from_seed(50).name == "full_from_seed_50"
    assert not set(FULL.from_seed(50).seeds) & set(FULL.seeds)
    assert QUICK.full is False
    assert FULL.from_seed(50).full is True
    assert (FULL.words, FULL.from_seed(50).words) == ("", " seed=50")
    assert QUICK.from_seed(7).words == " profile=quick seed=7"


PROGRAM = """
import csvision

(record,) = csvision.decide("claim=[B14]", "profile=quick")
print(record.id, [entry.id for entry in record.statements])
"""


def test_a_script_without_a_guard_can_decide(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "B14 ['B14a', 'B14b', 'B14c', 'B14d']"
    # Once: the processes that trained did not execute it again.
    assert done.stdout.count("B14a undecided") == 1


class TestCommand:
    @pytest.fixture
    def arguments(self) -> list[str]:
        script = str(ROOT / "scripts" / "claims.py")
        return [sys.executable, script, "claim=[A3,B14]", "profile=quick"]

    def test_quick_claims_leave_records_but_no_page(
        self, arguments: list[str], tmp_path: Path
    ) -> None:
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        assert "A3a holds, A3b refuted" in done.stdout
        assert "no evidence" in done.stdout
        assert "left)" in done.stdout
        folder = tmp_path / "outputs" / "claims" / "quick"
        assert done.stdout.splitlines()[-1] == "outputs/claims/quick/claims.json"
        assert [path.name for path in folder.iterdir()] == ["claims.json"]
        records = read_records(folder / "claims.json")
        assert [record.id for record in records] == ["A3", "B14"]
        assert {record.profile for record in records} == {"quick"}
        assert records[0].command == "python scripts/claims.py 'claim=[A3]' profile=quick"

        # One claim anew: the other's record stays, and no training is repeated.
        jobs = {path: path.stat().st_mtime_ns for path in (folder.parent / "jobs").iterdir()}
        subprocess.run([*arguments, "claim=[B14]"], capture_output=True, check=True)
        assert [record.id for record in read_records(folder / "claims.json")] == ["A3", "B14"]
        assert {path: path.stat().st_mtime_ns for path in jobs} == jobs

    @pytest.mark.parametrize("damage", ["{}", "[", '[{"id": "B6"}]'])
    def test_results_that_cannot_be_read_are_told_before_anything_is_measured(
        self, damage: str, arguments: list[str], tmp_path: Path
    ) -> None:
        path = tmp_path / "outputs" / "claims" / "quick" / "claims.json"
        path.parent.mkdir(parents=True)
        path.write_text(damage)
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "claims.json holds no claims" in line
        assert not (path.parents[1] / "jobs").exists()
        assert path.read_text() == damage

    def test_a_place_that_takes_no_results_is_told_before_anything_is_measured(
        self, arguments: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        done = subprocess.run(
            [*arguments, "outputs=file"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: file/claims/quick cannot be made: ")

    def test_an_interrupted_run_goes_on_where_it_was(
        self, arguments: list[str], tmp_path: Path
    ) -> None:
        folder = tmp_path / "outputs" / "claims" / "jobs"
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # A shell lets what it starts in the background ignore Ctrl-C, its tests included.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 60
        while len(list(folder.glob("*.json"))) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        # As a terminal does: the processes of the jobs get it too.
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

    def test_a_full_profile_without_the_official_images_says_how_to_get_them(self) -> None:
        script = str(ROOT / "scripts" / "claims.py")
        done = subprocess.run(
            [sys.executable, script, "claim=[B14]"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "fashion_mnist.py" in line
