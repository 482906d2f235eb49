"""Which packages `csvision train` imports: each makes every command slower to start."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL_TRAINING

DIRECT = {
    *("csvision", "hydra", "hydra_plugins", "lightning", "matplotlib", "numpy", "omegaconf"),
    *("pandas", "polars", "psutil", "sklearn", "tensorboard", "torch", "torchmetrics"),
}
"""What training needs."""

INDIRECT = {
    *("PIL", "absl", "antlr4", "attr", "charset_normalizer", "cloudpickle", "cycler"),
    *("cython_runtime", "dateutil", "filelock", "fontTools", "fsspec", "google", "joblib"),
    *("kiwisolver", "lightning_utilities", "mpl_toolkits", "mpmath", "narwhals", "packaging"),
    *("platformdirs", "pyparsing", "rich", "scipy", "sympy", "threadpoolctl", "torchgen"),
    *("tqdm", "typing_extensions", "yaml", "zstandard"),
}
"""What these packages import."""

PROGRAM = """
import sys
from csvision.cli.main import main
main(sys.argv[1:])
packages = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names
print(*sorted(name for name in packages if not name.startswith("_")))
"""


@pytest.mark.slow
def test_train_imports_no_further_package(digits_csv: Path) -> None:
    overrides = ["train", *SMALL_TRAINING, "model=mlp", "epochs=1", "logger=tensorboard"]
    command = [sys.executable, "-c", PROGRAM, *overrides]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    imported = set(output.splitlines()[-1].split())
    assert imported >= {"csvision", "lightning", "torch"}
    assert imported - DIRECT - INDIRECT == set()


def test_a_process_of_its_own_does_not_collect_garbage_at_its_end() -> None:
    program = (
        "import gc, atexit; from csvision.cli.main import run_process; "
        "atexit.register(lambda: print(gc.get_freeze_count(), gc.get_threshold()[0])); "
        "run_process(['--version'])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    frozen, threshold = map(int, output.splitlines()[-1].split())
    assert frozen > 1000
    assert threshold == 100_000
