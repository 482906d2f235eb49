"""Load the classifier of a run from its directory."""

from pathlib import Path

from csvision.classifier import Classifier
from csvision.models.build import build_model
from csvision.process_state import use_threads
from csvision.rng import derive_seed
from csvision.run.build_classifier import custom_metric
from csvision.run.checkpoints import check_weights_hash, load_weights
from csvision.run.code_paths import CodePaths, with_code_paths
from csvision.run.directory import RunDirectory
from csvision.run.memory import check_weights_memory
from csvision.run.run_data import read_data_spec
from csvision.run.transform import build_transform


def load(
    path: Path,
    model_path: str | None = None,
    check_weights: bool = True,
    transform_path: str | None = None,
    metric_path: str | None = None,
) -> Classifier:
    """Return the classifier of a run, on the CPU and in eval mode.

    A run with a network or a transform of the user's own needs the path of its code; its metric is
    computed in tests only if `metric_path` is given. No code is imported from a run directory.
    Raises RunError if this is not a run directory, has no suitable checkpoint or, with
    `check_weights`, if the weights of a finished run have changed.
    """
    use_threads()
    run_dir = RunDirectory(path)
    paths = CodePaths(model_path, metric=metric_path, transform=transform_path)
    needed = ("transform",) if metric_path is None else ("transform", "metric")
    config = with_code_paths(run_dir.read_config(), run_dir, paths, needed)
    spec = read_data_spec(run_dir)
    transform, image_shape = build_transform(config.data, config.transform, spec.image_shape)
    check_weights_memory(config, image_shape, len(spec.classes))
    # Equal seeds give equal constants, such as buffers that no checkpoint contains.
    seed = derive_seed(config.seed, "weights")
    network = build_model(config.model, image_shape, len(spec.classes), seed)
    channels = spec.image_shape[0]
    # The checkpoint contains the values of mean and std.
    classifier = Classifier(
        network,
        spec.classes,
        mean=[0.0] * channels,
        std=[1.0] * channels,
        transform=transform,
        metric=custom_metric(config.metric, len(spec.classes)),
        tta=config.tta,
    )
    if config.accelerator.precision == "64-true":
        classifier.double()
    checkpoint = run_dir.checkpoint(config.tested_checkpoint)
    load_weights(classifier, checkpoint)
    if check_weights:
        check_weights_hash(run_dir, classifier, checkpoint)
    return classifier.eval()
