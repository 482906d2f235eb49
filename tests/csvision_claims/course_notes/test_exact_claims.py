"""The claims that are decided exactly: their verdicts, and cases worked out by hand."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from csvision_claims.engine.catalog import load_claim
from csvision_claims.engine.charts import chart_from_dict
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import JobCache
from csvision_claims.engine.profile import QUICK
from csvision_claims.engine.rules import Comparison, Exact, Verdict
from csvision_claims.engine.runner import Runner

VERDICTS = {
    "A1a": "holds",
    "A1b": "refuted",
    "A2a": "holds",
    "A2b": "holds",
    "A3a": "holds",
    "A3b": "refuted",
    "A4a": "holds",
    "A4b": "refuted",
    "A4c": "refuted",
    "A5": "holds",
    "A6a": "holds",
    "A6b": "refuted",
    "A7": "holds",
    "A8a": "holds",
    "A8b": "holds",
    "A9a": "holds",
    "A9b": "holds",
    "A9c": "holds",
    "A9d": "refuted",
    "A9e": "refuted",
    "A11a": "holds",
    "A11b": "refuted",
    "A12a": "holds",
    "A12b": "refuted",
    "A12c": "refuted",
    "B1a": "refuted",
    "B1b": "holds",
    "B6": "holds",
    "B7a": "refuted",
    "B7b": "holds",
    "B11a": "refuted",
    "B11b": "holds",
    "B11c": "refuted",
    "B13a": "holds",
    "B13b": "holds",
}

CLAIMS = list(dict.fromkeys(name.rstrip("abcde") for name in VERDICTS))

MAX_CASES = 60


class Laboratory:
    """Measures each claim once, when it is first used."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.measured: dict[str, Measurement] = {}

    def __getitem__(self, name: str) -> Measurement:
        if name not in self.measured:
            claim = load_claim(name)
            self.runner.start(name, claim.version)
            self.measured[name] = claim.measure(self.runner)
        return self.measured[name]

    def evidence(self, statement: str) -> list[Comparison]:
        cases: list[Comparison] = self[claim_of(statement).id].evidence[statement]
        return cases

    def case(self, statement: str, name: str) -> tuple[float, float]:
        """The claimed and the measured value of one case."""
        (found,) = (case for case in self.evidence(statement) if case.case == name)
        return found.claimed, found.measured


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("tables")))
        yield Laboratory(Runner(QUICK, JobCache(tmp_path_factory.mktemp("jobs")), 1))


def claim_of(statement: str) -> Claim:
    return load_claim(re.sub(r"[a-z]$", "", statement))


def statement_of(name: str) -> Statement:
    (found,) = (entry for entry in claim_of(name).statements if entry.id == name)
    return found


def test_all_statements_of_exact_claims_are_listed() -> None:
    assert [entry.id for name in CLAIMS for entry in load_claim(name).statements] == list(VERDICTS)
    assert all(isinstance(statement_of(name).rule, Exact) for name in VERDICTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str, laboratory: Laboratory) -> None:
    evidence = laboratory.evidence(name)
    assert statement_of(name).decide(evidence).verdict == VERDICTS[name]
    assert 0 < len(evidence) <= MAX_CASES
    assert len({case.case for case in evidence}) == len(evidence)


@pytest.mark.slow
@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_depends_on_the_measured_values(name: str, laboratory: Laboratory) -> None:
    statement, evidence = statement_of(name), laboratory.evidence(name)
    if VERDICTS[name] == "refuted":
        as_claimed = [replace(case, measured=case.claimed) for case in evidence]
        assert statement.decide(as_claimed).verdict is Verdict.holds
        return
    for index, case in enumerate(evidence):
        other = [*evidence]
        # Far more than rounding errors, but small.
        size = max(abs(case.measured), case.scale)
        other[index] = replace(case, measured=case.measured + (size / 1e6 or 1))
        if isinstance(case.measured, int):
            other[index] = replace(case, measured=case.measured + 1)
        assert statement.decide(other).verdict is Verdict.refuted


@pytest.mark.parametrize("name", CLAIMS)
def test_measurement_is_complete_and_serializable(name: str, laboratory: Laboratory) -> None:
    measured = laboratory[name]
    assert measured.evidence.keys() == {entry.id for entry in load_claim(name).statements}
    assert measured.charts
    for chart in measured.charts:
        assert len(re.findall(r"\d", chart.alt)) > 1
        assert chart_from_dict(json.loads(json.dumps(asdict(chart)))) == chart
    assert len({tuple(row) for row in measured.table}) == 1
    assert json.loads(json.dumps(measured.table)) == measured.table
    assert measured.finding.endswith(".")
    for text in (load_claim(name).why, load_claim(name).method):
        assert text.endswith(".")
        assert text.count(". ") <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "case", "claimed", "measured"),
    [
        ("A2a", "n = 28, f = 3", 26, 26),
        ("A2a", "n = 3, f = 3", 1, 1),
        ("A2a", "pairs up to n = 32 that agree", 32 * 33 // 2, 528),
        ("A2b", "3 channels, 1 filters: maps", 1, 1),
        ("A2b", "16 channels, 32 filters: maps", 32, 32),
        ("A2b", "16 channels, 32 filters: side", 26, 26),
        ("A3a", "n = 28, f = 3, p = 1", 28, 28),
        ("A3a", "n = 7, f = 5, p = 0", 3, 3),
        ("A3b", "n = 28, f = 3, p = 1", 30, 28),
        ("A3b", "n = 28, f = 2, p = 1", 29, 29),
        ("A4a", "n = 28, f = 5: valid", 24, 24),
        ("A4a", "n = 28, f = 5: same", 28, 28),
        ("A4b", "different results, 3x3 filter, draw 0", 2, 6),
        ("A4c", "n = 28, f = 3, s = 1", 28, 28),
        ("A4c", "n = 28, f = 3, s = 2", 28, 14),
        ("A4c", "n = 7, f = 3, s = 3", 7, 3),
        ("A5", "n = 28, f = 3, p = 1, s = 2", 14, 14),
        ("A5", "n = 7, f = 2, p = 0, s = 2", 3, 3),
        ("A5", "n = 7, f = 5, p = 2, s = 3", 3, 3),
        ("A6a", "32 images: height", 226, 226),
        ("A6a", "1 images: filters", 100, 100),
        ("A6b", "MB, millions of bytes", 634, 654),
        ("A6b", "MiB, units of 1,048,576 bytes", 634, 623),
        ("A7", "max 2x2, stride 2", 0, 0),
        ("A8a", "flatten: units", 3136, 64 * 7 * 7),
        ("A8a", "pooling 1: height", 14, 14),
        ("A8b", "3 channels", 220_810, 896 + 18_496 + 200_768 + 650),
        ("A8b", "1 channels", 220_234, 320 + 18_496 + 200_768 + 650),
        ("A9a", "parameters", 109_386, 784 * 128 + 128 + 128 * 64 + 64 + 640 + 10),
        ("A9b", "millions, two decimals", 525.05, 525.05),
        ("A9c", "MB, two decimals: input", 15.05, 15.05),
        ("A9c", "MB, two decimals: forward and backward", 7.76, 7.76),
        ("A9c", "MB, two decimals: parameters", 0.44, 0.44),
        ("A9c", "MB, two decimals: total", 23.25, 23.25),
        ("A9d", "MB of a step on 32 images, SGD, rounded", 23, 1),
        ("A9d", "MB of a step on 4800 images, Adam, rounded", 23, 24),
        ("A9e", "millions, two decimals", 525.05, 0.11),
        ("B1a", "28x28 gray, the notes' MLP and CNN", True, False),
        ("B1a", "28x28 color, both", True, True),
        ("B1b", "in place of convolution 1", True, True),
        ("B6", "n = 28, f = 3: corner", 1, 1),
        ("B6", "n = 28, f = 3: edge", 3, 3),
        ("B6", "n = 28, f = 3: center", 9, 9),
        ("B6", "n = 9, f = 5: center", 25, 25),
        ("B7a", "n = 28, f = 3: corner", 9, 4),
        ("B7a", "n = 28, f = 3: edge", 9, 6),
        ("B7a", "n = 28, f = 3: center", 9, 9),
        ("B7a", "n = 28, f = 3: pixels used 9 times", 784, 26 * 26),
        ("B7b", "n = 28, f = 3: corner", 9, 9),
        ("B7b", "n = 28, f = 3: pixels used 9 times", 784, 784),
        ("B7b", "n = 9, f = 5: edge", 25, 25),
        ("B11a", "convolution, shift 1: different features", True, False),
        ("B11a", "interior, shift 5: different features", True, False),
        ("B13a", "max 2x2, stride 2, on 28x28", 14, 14),
        ("B13a", "min 3x3, stride 2, on 28x28", 13, 13),
        ("B13a", "avg 2x2, stride 1, on 7x7", 6, 6),
    ],
)
def test_case_by_hand(
    statement: str, case: str, claimed: float, measured: float, laboratory: Laboratory
) -> None:
    assert laboratory.case(statement, case) == (claimed, measured)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("A1", "two differ by up to 1962 on an ankle boot, where the largest value is 981"),
        ("A2", "32 filters on 16 channels of 28x28 give 32 maps of 26x26"),
        (
            "A3",
            "notes give 28x30 where torch gives 28x28. The second term is wrong in 45 of 48",
        ),
        ("A4", "stride 2, where torch refuses same: \"padding='same' is not supported"),
        ("A4", "With an even filter (2, 4, 6) no padding"),
        ("A5", "a 3x3 filter with padding 1 turns 28 pixels into 24, not into 28"),
        (
            "A6",
            "take 653,772,800 bytes, which is 653.8 MB or 623.5 MiB. The notes' 634 is the",
        ),
        ("A6", "maps of 228x228, 634.6 MiB. The weights of the layer take only 11,200 bytes"),
        ("A7", "to 4, the largest in each window, and average pooling to all 16"),
        ("A8", "220,810 parameters for color images and 220,234 for gray images; 91 %"),
        (
            "A9",
            "525.05 M multiply-adds, biases included, are for the batch; one image takes",
        ),
        ("A11", "finite differences disagree"),
        ("A12", "with batches of 500, the last of which has 300"),
        ("B1", "220,234 parameters, 2.01 times the MLP's 109,386, and 4.04 M multiply-adds"),
        ("B1", "(310,090 against 220,810)"),
        ("B1", "has 19.7 M parameters against 320"),
        ("B6", "pixel 1 time, a pixel in the middle of an edge 3 times and a center pixel 9 times"),
        ("B6", "ring is 14 % of the area"),
        ("B7", "gives 4/6/9 uses"),
        ("B7", "Full padding gives 9/9/9, and turns 9x9 into a map of 11x11"),
        ("B11", "at multiples of the stride the largest difference is"),
        ("B13", "make the map smaller, in 36 of 36 cases"),
    ],
)
def test_finding_contains_the_numbers(claim: str, text: str, laboratory: Laboratory) -> None:
    assert text in laboratory[claim].finding


def test_training_step_on_all_images_is_close_to_the_summary(laboratory: Laboratory) -> None:
    peaks = [
        case.measured
        for case in laboratory.evidence("A9d")
        if case.case.startswith("MB of a step on 4800")
    ]
    assert peaks == [23, 23, 24]


def test_running_loss_is_larger_while_it_falls_fast(laboratory: Laboratory) -> None:
    running, final = laboratory.case("A12c", "epoch 1")
    assert running > final + 0.1


def test_pooling_breaks_equivariance_to_one_pixel(laboratory: Laboratory) -> None:
    errors = {row["layers"]: row for row in laboratory["B11"].table}
    assert errors["convolution, max pooling"]["shift 1"] == pytest.approx(0.40, abs=0.03)
    assert errors["convolution, max pooling"]["shift 2"] == pytest.approx(0, abs=1e-12)
    assert errors["convolution"]["shift 1"] == pytest.approx(0, abs=1e-12)


def test_minima_after_relu_are_zero_more_often(laboratory: Laboratory) -> None:
    shares = {row["pooling 2x2"]: row["zeros after ReLU, %"] for row in laboratory["B13"].table}
    assert float(shares["max"]) < float(shares["no pooling"]) < float(shares["min"])
    # The mean of nonnegative values is zero where their maximum is.
    assert shares["avg"] == shares["max"]
