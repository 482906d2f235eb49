"""Values that no run can use: refused in one line, before torch is imported or anything written."""

from pathlib import Path

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack


def wrote_nothing(result: Result) -> None:
    """Check that the folder contains only the data file."""
    assert [path.name for path in result.folder.iterdir()] == ["digits.csv"]


def is_short(result: Result) -> None:
    """Check that no line is longer than a person reads."""
    assert max(map(len, result.errors.splitlines())) < 300


def refused(arguments: str, *says: str, thorough: bool = True) -> Attack:
    """Return an attack on a training run by a few arguments.

    Most are thorough: tests/config tests the same checks without starting a command.
    """
    return Attack(arguments, f"csvision $TRAIN {arguments}", says=says, thorough=thorough)


def repeat(text: str, count: int) -> str:
    """Return a shell expression for a text repeated many times."""
    return f"$(printf '{text}%.0s' $(seq {count}))"


BIG = 10**30

TOO_LARGE = [
    refused("model.hidden=[1000000000]", "model.hidden.0=1000000000", "<= 1000000", thorough=False),
    refused(f"model=cnn model.stages.0.filters={BIG}", "model.stages.0.filters=", "<= 1000000"),
    refused("model=cnn model.stages.0.padding=100000", "model.stages.0.padding=", "<= 10000"),
    refused(
        "model=cnn 'model.stages=["
        f"{{kernel_size:{BIG},stride:{BIG},dilation:{BIG},pool_size:{BIG},residual:{BIG}}}]'",
        "model.stages.0.kernel_size=",
        "model.stages.0.stride=",
        "model.stages.0.dilation=",
        "model.stages.0.pool_size=",
        "model.stages.0.residual=",
    ),
    refused("accelerator.num_threads=100000", "accelerator.num_threads=100000", "<= 1024"),
    refused(
        "accelerator.num_threads=2147483648", "accelerator.num_threads=", "<= 1024", thorough=False
    ),
    refused("accelerator.devices=100000", "accelerator.devices=100000", "<= 1024"),
    refused(f"batch_size={BIG}", f"batch_size={BIG}", "<= 1000000000"),
    refused(f"epochs={BIG}", "epochs=", "<= 1000000", thorough=False),
    refused(f"seed={BIG}", "seed=", "<= 9223372036854775807"),
    refused(
        f"data.split_seed=4294967296 data.val_seed={BIG} data.permutation_seed={BIG}",
        "data.split_seed=4294967296 must be >= 0 and <= 4294967295",
        "data.val_seed=",
        "data.permutation_seed=",
    ),
    refused("data.pad=10000", "data.pad=10000", "<= 1000"),
    refused(f"data.image_shape=[1,{BIG},8]", "data.image_shape.1=", "<= 1000000"),
    refused("data.max_decompressed_gib=1e308", "data.max_decompressed_gib=1e+308"),
    refused(
        f"augmentation.translate={BIG} augmentation.cutout={BIG}",
        f"augmentation.translate={BIG} must be >= 0 and <= 10000",
        f"augmentation.cutout={BIG} must be >= 0 and <= 10000",
    ),
    refused("optimizer.lr=1e308", "optimizer.lr=1e+308", "<= 1e+30"),
    refused(
        "optimizer.weight_decay=1e308 scheduler.div_factor=1e308 scheduler.final_div_factor=1e308",
        "optimizer.weight_decay=1e+308",
        "scheduler.div_factor=1e+308",
        "scheduler.final_div_factor=1e+308",
    ),
    refused("scheduler=cosine scheduler.eta_min=1e308", "scheduler.eta_min=1e+308"),
    refused("scheduler=step scheduler.gamma=1e308", "scheduler.gamma=1e+308", "<= 1000"),
    refused(
        "scheduler=step scheduler.gamma=1000 scheduler.step_size=1 epochs=500",
        "scheduler.gamma=1000.0 would raise the learning rate above 1e+30",
    ),
    refused(
        f"debug.limit_rows={BIG} checkpoint_interval_seconds=1e308",
        "debug.limit_rows=",
        "checkpoint_interval_seconds=1e+308",
    ),
    refused(f"seed={repeat('9', 5000)}", "thousands of digits", thorough=False),
    refused(f"output_dir={repeat('x', 5000)}", "output_dir has 5000 characters", "4096"),
    refused(f"model.hidden=[8{repeat(',8', 1000)}]", "model.hidden has 1001 items", "1000"),
    refused(f"model.hidden=[8{repeat(',8', 50_000)}]", "model.hidden has 100016 characters"),
    refused(
        f"model=cnn model.stages=[{{residual:900}}{repeat(',{residual:900}', 9)}]",
        "9000 residual blocks in total",
        thorough=False,
    ),
]

TOO_MUCH_MEMORY = [
    refused(
        "model.hidden=[1000000,1000000]",
        "model.dense.1: ",
        "reduce model.hidden.1",
        thorough=False,
    ),
    refused("model=cnn model.hidden=[1000000,1000000]", "model.dense.1: "),
    refused(
        "model=cnn 'model.stages=[{filters:1000000,kernel_size:7}]' model.global_pool=avg "
        "data.pad=1000",
        "model.stages.0.convolution: ",
        "reduce batch_size or model.stages.0.filters or data.pad",
    ),
    refused(
        "model=cnn model.stages=[{padding:10000}] model.global_pool=avg",
        "model.stages.0.convolution: ",
        "reduce batch_size or model.stages.0.padding",
    ),
]

NO_VALUES = [
    refused("optimizer.lr=nan", "optimizer.lr=nan", thorough=False),
    refused("optimizer.lr=-inf", "optimizer.lr=-inf"),
    refused("optimizer.lr=1e400", "optimizer.lr=inf"),
    refused("optimizer.lr=-0.0", "optimizer.lr=-0.0"),
    refused("optimizer.lr=true", "optimizer.lr=true must be a number"),
    refused("optimizer.lr=", "optimizer.lr= must be a number"),
    refused("epochs=nan", "epochs=nan must be an integer"),
    refused("epochs=-0", "epochs=0 must be >= 1"),
    refused("epochs=1.5", "epochs=1.5 must be an integer", thorough=False),
    refused("epochs=null", "epochs"),
    refused("epochs=[]", "epochs=[] must be an integer"),
    refused("accelerator.num_threads=true", "accelerator.num_threads=true must be an integer"),
    refused("seed=false", "seed=false must be an integer"),
    refused("model.hidden=[true]", "model.hidden=[true] must be an integer"),
    refused("model=cnn model.stages.0.padding=true", "model.stages.0.padding=true"),
    refused("model=cnn model.stages.0.padding=''", "model.stages.0.padding= must be valid, same"),
    refused("data.test_size=nan", "data.test_size=nan must be > 0 and < 1"),
    refused("data.image_shape=[]", "data.image_shape=[] must be [channels,height,width]"),
    refused("quiet=2.5", "quiet=2.5 must be true or false"),
]


SWEEPS = [
    refused(
        "-m seed=0,-1 batch_size=16,2147483648", "seed=-1", "batch_size=2147483648", thorough=False
    ),
    refused("-m model.hidden=[8],[1000000,1000000]", "model.dense.1: "),
]


@attack_parameters(*TOO_LARGE, *TOO_MUCH_MEMORY, *NO_VALUES, *SWEEPS)
def test_value_is_refused(attack: Attack, attacked_folder: Path) -> None:
    result = run_attack(attack, attacked_folder)
    wrote_nothing(result)
    is_short(result)
