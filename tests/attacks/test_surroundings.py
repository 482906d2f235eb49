"""What surrounds the installed command: files, folders, users, clocks, limits and variables.

Most attacks end before torch is imported: READ reads the data and asks for too many devices.
"""

import os
import platform
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.attacks.attack import SCRIPTS, TRAIN, Attack, Result, attack_parameters, run_attack
from tests.conftest import digits

READ = "csvision $TRAIN accelerator.devices=99"

IN_CACHE = f"env XDG_CACHE_HOME=$PWD/c {READ}"
"""The same with a cache in c/csvision."""

ORDINARY = "setpriv --bounding-set -dac_override,-dac_read_search --inh-caps -dac_override"
"""Lets permissions apply to root, who may run the tests."""

OTHER = "setpriv --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search"
"""Lets another user read files of root, such as Python; it needs --reuid."""

ENVIRONMENT = {
    "ORDINARY": ORDINARY if os.geteuid() == 0 else "",
    "NOBODY": f"{OTHER} --reuid 65534 --regid 65534",
    "STRANGER": f"{OTHER} --reuid 54321 --regid 54321",
}

FAKETIME = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")


def attack(name: str, command: str, *says: str, lines: int = 1, thorough: bool = False) -> Attack:
    """Return an attack that must end with exit code 2 and print exactly these lines."""

    def check(result: Result) -> None:
        assert len(result.text.splitlines()) == lines, result.text
        # Paths that are not absolute, or not expanded, make folders here.
        names = {path.name for path in result.folder.iterdir()}
        assert not {"~", "rel", "outputs", "executed"} & names

    return Attack(
        name, command, says=says, environment=ENVIRONMENT, checks=(check,), thorough=thorough
    )


def reads(name: str, command: str = READ, thorough: bool = False) -> Attack:
    """Return an attack that must change nothing: the only error is that of READ."""
    words = "error: accelerator.devices=99: the train split has only 36 rows"
    return attack(name, command, words, thorough=thorough)


def warns(name: str, command: str, *says: str, thorough: bool = False) -> Attack:
    """Return an attack that must cost no more than the cache: a warning precedes the error."""
    words = ("cannot use the cache (", "error: accelerator.devices=99", *says)
    return attack(name, command, *words, lines=2, thorough=thorough)


def refuses(name: str, command: str, *says: str, thorough: bool = False) -> Attack:
    """Return an attack that must be refused in one line."""
    return attack(name, command, *says, thorough=thorough)


DATA_FILES = (
    refuses("named pipe", f"mkfifo f.csv; {READ} data.csv=f.csv", "f.csv: is a pipe or a device"),
    refuses(
        "pipe",
        f"cat digits.csv | {READ} data.csv=/dev/stdin",
        "/dev/stdin: is a pipe",
        thorough=True,
    ),
    refuses(
        "process substitution",
        f"{READ} data.csv=<(cat digits.csv)",
        "/dev/fd/",
        "is a pipe",
        thorough=True,
    ),
    refuses("test file is a pipe", f"{READ} data.test_csv=<(cat digits.csv)", "is a pipe"),
    reads("redirected file", f"{READ} data.csv=/dev/stdin <digits.csv"),
    refuses(
        "null device",
        f"{READ} data.csv=/dev/null",
        "/dev/null: is a pipe or a device",
        thorough=True,
    ),
    refuses(
        "endless device",
        f"{READ} data.csv=/dev/zero",
        "/dev/zero: is a pipe or a device",
        thorough=True,
    ),
    refuses(
        "socket",
        "python -c \"import socket as s; s.socket(s.AF_UNIX).bind('s.csv')\";"
        f" {READ} data.csv=s.csv",
        "s.csv: is a pipe or a device",
        thorough=True,
    ),
    refuses("folder", f"mkdir d.csv; {READ} data.csv=d.csv", "d.csv: no images; "),
    refuses(
        "link to nowhere",
        f"ln -s x l.csv; {READ} data.csv=l.csv",
        "l.csv: file not found",
        thorough=True,
    ),
    refuses(
        "link to itself",
        f"ln -s l.csv l.csv; {READ} data.csv=l.csv",
        "l.csv: file not found",
        thorough=True,
    ),
    refuses(
        "unreadable",
        f"chmod 0 digits.csv; $ORDINARY {READ}",
        "digits.csv: cannot be read",
        thorough=True,
    ),
    refuses(
        "in a closed folder",
        f"mkdir -m 0 d; $ORDINARY {READ} data.csv=d/a.csv",
        "d/a.csv: ",
        thorough=True,
    ),
    refuses("file of the kernel", f"{READ} data.csv=/proc/version", "/proc/version: "),
    refuses(
        "too long a name",
        f"{READ} data.csv=$(printf %0300d 0)",
        "File name too long",
        thorough=True,
    ),
    reads("bytes that are not UTF-8", f"mv digits.csv $'\\xff.csv'; {READ} data.csv=$'\\xff.csv'"),
    reads(
        "folder that is not UTF-8",
        f"mkdir $'\\xff'; mv *.csv $'\\xff'; cd $'\\xff'; {READ}",
        thorough=True,
    ),
)

NAMES = (
    "two\nlines.csv",
    "--config-dir=x.csv",
    'it\'s a "b".csv',
    "a=1,b=2 {a,b}[c] ${oc.env:HOME} back\\slash\\.csv",
    "%s %(a)s $(touch executed) `touch executed`.csv",
    " \N{GRINNING FACE} größe.csv",
    "x" * 251 + ".csv",
    "DIGITS.CSV",
)
"""Names of data files that must be read."""

OUTPUTS = (
    refuses("file", f"touch o; {READ} output_dir=o", "output_dir=o: ", "is not a folder"),
    refuses(
        "below a file",
        f"{READ} output_dir=digits.csv/o",
        "output_dir=digits.csv/o: ",
        thorough=True,
    ),
    refuses(
        "link to nowhere",
        f"ln -s x o; {READ} output_dir=o",
        "output_dir=o: ",
        "not a folder",
        thorough=True,
    ),
    refuses(
        "link to itself", f"ln -s o o; {READ} output_dir=o/p", "output_dir=o/p: ", thorough=True
    ),
    refuses("device", f"{READ} output_dir=/dev/null/o", "output_dir=/dev/null/o: ", thorough=True),
    refuses("read-only", f"mkdir -m 555 o; $ORDINARY {READ} output_dir=o", "o is not writable"),
    refuses(
        "closed",
        f"mkdir -m 0 o; $ORDINARY {READ} output_dir=o/p",
        "output_dir=o/p: ",
        thorough=True,
    ),
    refuses(
        "too long a name",
        f"{READ} output_dir=$(printf %0300d 0)",
        "File name too long",
        thorough=True,
    ),
    reads("link to a folder", f"mkdir p; ln -s p o; {READ} output_dir=o", thorough=True),
    reads("names that differ by case", f"touch outputS Outputs; {READ}", thorough=True),
    refuses(
        "example in a read-only folder",
        "mkdir -m 555 o; $ORDINARY csvision example-data name=digits output=o/a.csv",
        "output=o/a.csv: cannot be written",
        thorough=True,
    ),
    refuses(
        "deleted current folder",
        f'data=$PWD/digits.csv; mkdir x; cd x; rmdir ../x; {READ} data.csv="$data"',
        "the current folder: No such file or directory",
    ),
    refuses("cache from a deleted folder", "mkdir x; cd x; rmdir ../x; csvision cache", "current"),
)

CACHES = (
    warns("read-only home", f"mkdir -m 555 c; $ORDINARY {IN_CACHE}", "Permission denied"),
    warns(
        "unreadable",
        f"mkdir c; mkdir -m 0 c/csvision; $ORDINARY {IN_CACHE}",
        "Permission",
        thorough=True,
    ),
    warns(
        "not searchable",
        f"{IN_CACHE} 2>/dev/null; chmod 444 c/csvision; $ORDINARY {IN_CACHE}",
        "Permission denied",
        thorough=True,
    ),
    warns("is a file", f"mkdir c; touch c/csvision; {IN_CACHE}", "File exists", thorough=True),
    warns(
        "link to nowhere", f"mkdir c; ln -s x c/csvision; {IN_CACHE}", "File exists", thorough=True
    ),
    warns("all users can write", f"mkdir c; mkdir -m 777 c/csvision; {IN_CACHE}", "chmod go-w"),
    warns("a group can write", f"mkdir -m 770 c; {READ} data.cache=c", "chmod go-w", thorough=True),
    warns("file system of the kernel", f"{READ} data.cache=/proc/csvision", thorough=True),
    warns(
        "limit on the size of files", f"ulimit -f 1; {IN_CACHE}", "File too large", thorough=True
    ),
    reads(
        "link to a folder",
        f"mkdir c d; ln -s ../d c/csvision; {IN_CACHE}; ls d/* >x && exit 2",
        thorough=True,
    ),
    reads("relative", f"XDG_CACHE_HOME=rel {READ}", thorough=True),
    reads("no home", f"env -u HOME {READ}"),
    reads("relative home", f"env -u XDG_CACHE_HOME HOME=rel {READ}", thorough=True),
    reads(
        "home with spaces",
        f'env -u XDG_CACHE_HOME HOME="$PWD/a b" {READ}; test -d a*/.cache/csvision && exit 2',
    ),
    reads("umask 000", f"umask 000; {IN_CACHE}; test $(stat -c %a c/csvision) = 700 && exit 2"),
    reads("umask 077", f"umask 077; {IN_CACHE} 2>/dev/null; {IN_CACHE}", thorough=True),
    attack(
        "several processes",
        f"for _ in 1 2 3 4; do {IN_CACHE} & done; wait; test $(ls c/* | wc -l) = 1 && exit 2",
        lines=4,
    ),
    attack(
        "link in the place of an entry",
        f"{IN_CACHE} 2>/dev/null; e=$(ls c/csvision); mv c/csvision/$e evil;"
        f" ln -s ../../evil c/csvision/$e; {IN_CACHE}; test ! -L c/csvision/$e && exit 2",
        "another user can have written it",
        lines=2,
    ),
    refuses(
        "list an unreadable one",
        "mkdir -m 0 c; $ORDINARY csvision cache folder=c",
        "error: c: cannot use the cache: ",
        thorough=True,
    ),
    refuses(
        "clear a read-only one",
        f"{IN_CACHE} 2>/dev/null; chmod 555 c/csvision c/csvision/*;"
        " $ORDINARY csvision cache folder=c/csvision clear=true",
        "error: c/csvision: cannot use the cache: ",
        thorough=True,
    ),
)

LIMITS = (
    refuses("memory", f"ulimit -v 300000; {READ}", "error: ulimit -v is too low: csvision needs"),
    refuses("open files", f"ulimit -n 16; {READ}", "ulimit -n is too low: csvision needs 32"),
    refuses(
        "no file",
        "ulimit -f 1; csvision example-data name=digits output=a.csv",
        "too large",
        thorough=True,
    ),
    reads("enough of both", f"ulimit -v 4000000; ulimit -n 64; {READ}", thorough=True),
)

VARIABLES = (
    *(
        reads(setting.split("=")[0] + f" {number}", f"{setting} {READ}")
        for number, setting in enumerate(
            (
                "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONHASHSEED=1",
                "LANG=C LC_ALL=nonsense PYTHONIOENCODING=ascii TZ=nonsense TMPDIR=/nonexistent",
                "PYTHONWARNINGS=error PYTHONOPTIMIZE=2 COLUMNS=1 LINES=junk TERM=dumb",
                "HYDRA_FULL_ERROR=0 HYDRA_MAIN_MODULE=nonsense PL_TRAINER_DEVICES=7",
                "POLARS_MAX_THREADS=0 MPLBACKEND=nonsense TQDM_MININTERVAL=junk",
                "POLARS_MAX_THREADS=junk POLARS_ENGINE_AFFINITY=junk CUDA_VISIBLE_DEVICES=-1",
            )
        )
    ),
    reads(
        "files here",
        "echo 'raise SystemExit(1)' | tee numpy.py torch.py >json.py; mkdir conf hydra_plugins;"
        f" echo 'x y' | tee hydra_plugins/a.py >conf/train.yaml; {READ}",
    ),
)


@attack_parameters(*DATA_FILES)
def test_data_file(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@pytest.mark.parametrize("name", NAMES)
def test_data_file_may_have_any_name(name: str, attacked_folder: Path) -> None:
    (attacked_folder / "digits.csv").rename(attacked_folder / name)
    run_attack(reads("name", f"{READ} data.csv={shlex.quote(name)}"), attacked_folder)


@attack_parameters(*OUTPUTS)
def test_output(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(*CACHES)
def test_cache(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(*LIMITS)
def test_limit(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(*VARIABLES)
def test_variable(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


USERS = (
    warns("home of root", f"$NOBODY {READ}", "Permission denied", thorough=True),
    warns(
        "no home and no account",
        f"$STRANGER env -u HOME -u USER -u XDG_CACHE_HOME {READ}",
        "there is no home folder; set HOME or XDG_CACHE_HOME",
    ),
    warns("cache of root", f"{IN_CACHE} 2>/dev/null; $NOBODY {IN_CACHE}", "another user"),
    warns(
        "cache of another",
        f"$NOBODY {IN_CACHE} 2>/dev/null; {IN_CACHE}",
        "another user",
        thorough=True,
    ),
    attack(
        "entry of another",
        f"{IN_CACHE} 2>/dev/null; chown -R 65534 c/csvision/*; {IN_CACHE}",
        "another user can have written it",
        lines=2,
    ),
    attack(
        "file of another in an entry",
        f"{IN_CACHE} 2>/dev/null; chown 65534 c/csvision/*/images.bin; {IN_CACHE}",
        "another user can have written it",
        lines=2,
        thorough=True,
    ),
    reads("own cache", f"mkdir -m 777 c; $NOBODY {IN_CACHE} 2>x; $NOBODY {IN_CACHE}"),
)


@pytest.fixture
def shared_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a folder of all users the current one; skip the test if this user cannot be others."""
    command = f"{ENVIRONMENT['STRANGER']} {shlex.quote(str(SCRIPTS / 'csvision'))} --version"
    if os.geteuid() != 0 or subprocess.run(command, shell=True, capture_output=True).returncode:
        pytest.skip("only root, with all capabilities, can run commands as another user")
    # Other users cannot enter the folders of pytest.
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        digits(60).to_csv(folder / "digits.csv", index=False)
        monkeypatch.chdir(folder)
        yield folder


@attack_parameters(*USERS)
def test_user(attack: Attack, shared_folder: Path) -> None:
    run_attack(attack, shared_folder)


@pytest.fixture
def clock() -> None:
    """Fail in CI, and skip the test elsewhere, if the clock of a command cannot be changed."""
    if not FAKETIME.exists():
        missing = f"{FAKETIME} is missing: install Debian's package libfaketime"
        pytest.fail(missing) if "CI" in os.environ else pytest.skip(missing)


def at(time: str, command: str) -> str:
    """Return a command that starts at another time."""
    return f"env LD_PRELOAD={FAKETIME} FAKETIME='@{time} 00:00:00' {command}"


CLOCKS = (
    reads("1970", at("1970-01-02", READ), thorough=True),
    reads("2200", at("2200-01-01", READ), thorough=True),
    reads("moved back", f"{at('2200-01-01', IN_CACHE)} 2>/dev/null; {at('1980-01-01', IN_CACHE)}"),
)


@pytest.mark.usefixtures("clock")
@attack_parameters(*CLOCKS)
def test_clock(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


JUNK = (
    "MPLBACKEND=nonsense MPLCONFIGDIR=/proc/x MATPLOTLIBRC=$PWD TORCH_LOGS=nonsense "
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD=1 TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 TQDM_MININTERVAL=junk "
    "PL_TRAINER_MAX_STEPS=1 PL_TRAINER_LIMIT_TRAIN_BATCHES=1 PL_TRAINER_FAST_DEV_RUN=1 "
    "PL_TRAINER_NUM_NODES=2 PL_GLOBAL_SEED=junk POLARS_MAX_THREADS=junk OMP_NUM_THREADS=junk "
    "MKL_NUM_THREADS=junk CUDA_VISIBLE_DEVICES=-1 PYTORCH_ALLOC_CONF=junk COLUMNS=1 TERM=dumb "
    "HYDRA_FULL_ERROR=0 PYTHONHASHSEED=0 TZ=nonsense TMPDIR=/nonexistent"
)

TRAININGS = (
    Attack(
        "variables of libraries",
        f"echo 'text.usetex: True' >matplotlibrc; env {JUNK} csvision $TRAIN",
        exit_code=0,
    ),
    Attack(
        "ASCII console, text labels, warnings as errors, no docstrings",
        "sed -E 's/^([0-9]),/\\1 größe \U0001f600,/' digits.csv >größe.csv; PYTHONIOENCODING=ascii "
        "PYTHONWARNINGS=error python -OO -m csvision $TRAIN data.csv=größe.csv output_dir=größe",
        exit_code=0,
        says=("the test set has no rows of class", "\\xf6", "\\U0001f600", "gr\\xf6\\xdfe/runs/"),
    ),
    Attack(
        "folder that is not UTF-8, umask 000, linked outputs",
        "umask 000; mkdir -p p $'\\xff'; ln -s ../p $'\\xff/outputs'; cp digits.csv $'\\xff'; "
        "cd $'\\xff'; csvision $TRAIN output_dir=$'outputs/\\xff' | tail -1 >path;"
        ' test -d "$(cat path)"',
        exit_code=0,
    ),
)


def check_weights(result: Result, weights: str) -> None:
    """Check that the only run has finished with these weights."""
    (manifest,) = result.manifests
    content = RunDirectory(manifest.parent).read_manifest()
    assert (content["state"], content["weights_sha256"]) == ("finished", weights)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of the weights of TRAIN in quiet surroundings."""
    folder = tmp_path_factory.mktemp("quiet")
    digits(60).to_csv(folder / "digits.csv", index=False)
    files = (f"data.csv={folder / 'digits.csv'}", f"output_dir={folder}", "data.cache=none")
    run = csvision.train(*TRAIN.split()[1:], *files, "quiet=true")
    return str(RunDirectory(run.directory).read_manifest()["weights_sha256"])


@pytest.mark.slow
@attack_parameters(*TRAININGS)
def test_training_gives_the_same_weights(
    attack: Attack, attacked_folder: Path, weights: str
) -> None:
    check_weights(run_attack(attack, attacked_folder), weights)


@pytest.mark.slow
def test_user_without_account_trains_the_same_weights(shared_folder: Path, weights: str) -> None:
    command = "$STRANGER env -u HOME -u USER -u LOGNAME -u XDG_CACHE_HOME csvision $TRAIN"
    attack = Attack("no account", command, exit_code=0, environment=ENVIRONMENT)
    check_weights(run_attack(attack, shared_folder), weights)


@pytest.mark.slow
@pytest.mark.usefixtures("clock")
def test_clock_does_not_change_the_weights(attacked_folder: Path, weights: str) -> None:
    evaluate = "csvision evaluate run=$(ls -d outputs/runs/*)"
    command = f"{at('2200-01-01', 'csvision $TRAIN')} && {at('1971-01-01', evaluate)}"
    result = run_attack(Attack("clock moved back", command, exit_code=0), attacked_folder)
    check_weights(result, weights)
    (folder,) = result.folder.glob("outputs/runs/2200-*/evaluations/1971-*")
    assert (folder / "metrics.json").is_file()


@pytest.mark.slow
def test_results_about_a_file_with_a_long_name_have_short_names(attacked_folder: Path) -> None:
    name = "x" * 251 + ".csv"
    (attacked_folder / "digits.csv").rename(attacked_folder / name)
    command = (
        f"run=$(csvision $TRAIN quiet=true data.csv={name} | tail -1);"
        f" csvision predict run=$run data.csv={name} &&"
        f" csvision inspect-data data.val_size=0.25 data.csv={name}"
    )
    run_attack(Attack("long name", command, exit_code=0), attacked_folder)
    assert list(attacked_folder.glob("outputs/runs/*/predictions/xxx*.csv"))
    assert list(attacked_folder.glob("outputs/inspections/xxx*.png"))
