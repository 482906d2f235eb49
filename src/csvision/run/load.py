"""Load the classifier of a run from its directory."""

from pathlib import Path

from csvision.classifier import Classifier
from csvision.layer_shapes import transformed_shape
from csvision.models.build import build_model
from csvision.process_state import use_threads
from csvision.rng import derive_seed
from csvision.run.checkpoints import check_weights_hash, load_weights
from csvision.run.directory import RunDirectory, with_model_path
from csvision.run.memory import check_weights_memory
from csvision.run.run_data import read_data_spec
from csvision.transforms import PadAndPermute


def load(path: Path, model_path: str | None = None, check_weights: bool = True) -> Classifier:
    """Return the classifier of a run, on the CPU and in eval mode.

    A run with model=custom needs `model_path`; no code is imported from a run directory. Raises
    RunError if this is not a run directory, has no suitable checkpoint or, with `check_weights`, if
    the weights of a finished run have changed.
    """
    use_threads()
    run_dir = RunDirectory(path)
    config = with_model_path(run_dir.read_config(), run_dir, model_path)
    spec = read_data_spec(run_dir)
    image_shape = transformed_shape(spec.image_shape, config.data)
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
        transform=PadAndPermute(config.data, spec.image_shape),
    )
    if config.accelerator.precision == "64-true":
        classifier.double()
    checkpoint = run_dir.checkpoint(config.test_checkpoint)
    load_weights(classifier, checkpoint)
    if check_weights:
        check_weights_hash(run_dir, classifier, checkpoint)
    return classifier.eval()
