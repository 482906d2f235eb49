"""Inspect a run: predict its test rows once, analyze, and write page, JSON and pictures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lightning import Trainer
from tqdm import tqdm

from csvision.arithmetic.explain import explain_network
from csvision.arithmetic.subject import Subject
from csvision.config import command_schema
from csvision.config.model_schema import ModelConfig
from csvision.evaluation import EVALUATION_SEED, EvalResult, evaluate_split
from csvision.files import results_dir
from csvision.inspection.applicable import Missing, attempt
from csvision.inspection.attributions import (
    Attribution,
    ShownImages,
    attribute_by_grad_cam,
    attribute_by_integrated_gradients,
    attribute_by_occlusion,
)
from csvision.inspection.calibration import calibrate
from csvision.inspection.class_scores import find_confusions, score_classes
from csvision.inspection.confusion_matrix import small_matrix
from csvision.inspection.feature_maps import collect_feature_maps
from csvision.inspection.filters import compare_filters
from csvision.inspection.label_errors import find_label_errors
from csvision.inspection.layers import LayerCall, record_layers
from csvision.inspection.mistakes import (
    choose_rows,
    confidences,
    correctness,
    describe_prediction,
    find_largest_loss,
    find_mistakes,
    find_positions,
)
from csvision.inspection.networks import network_inputs, predictor, rebuild_initial, show_images
from csvision.inspection.result import Inspection
from csvision.inspection.shifts import measure_shifts
from csvision.inspection.write import write_inspection
from csvision.rng import seeded_generators
from csvision.run.device import torch_device
from csvision.run.loaded_run import LoadedRun
from csvision.run.log import is_terminal, log
from csvision.run.run_data import load_test_subset

Announce = Callable[[str], None]

STEPS = 6
"""The number of steps that are announced."""

MOVED = "if it was moved: data.csv=FILE"


def inspect(config: command_schema.InspectConfig) -> Inspection:
    """Inspect a run and write the results into its folder `inspection`, or into output_dir.

    Raises RunError, DataError or ConfigError for what cannot be inspected.
    """
    run = LoadedRun.open(config, "inspection", config.device)
    subset = load_test_subset(run.directory, run.trained, config.data.csv, MOVED)
    positions = find_positions(subset, config.rows)
    with results_dir(run.results), show_progress(config.quiet) as announce:
        announce("predicting the test rows")
        with run.use_network(config.device) as trainer:
            evaluation = evaluate_split(trainer, run.classifier, subset, run.trained.batch_size)
            run.classifier.to(torch_device(config.device))
            with seeded_generators(EVALUATION_SEED):
                positions = positions or choose_rows(evaluation)
                inspection = analyze(run, trainer, evaluation, positions, announce)
        announce("drawing")
        data = run.trained.data
        write_inspection(inspection, run, Path(config.data.csv or data.test_csv or data.csv))
    return inspection


@contextmanager
def show_progress(quiet: bool) -> Iterator[Announce]:
    """Yield a function that announces a step: a progress bar on a terminal, else a line."""
    show_bar = is_terminal() and not quiet
    with tqdm(total=STEPS, disable=not show_bar, leave=False) as bar:

        def announce(step: str) -> None:
            if show_bar:
                bar.set_description(step, refresh=False)
                bar.update()
            else:
                log.info(step)

        yield announce


def analyze(
    run: LoadedRun, trainer: Trainer, result: EvalResult, positions: list[int], announce: Announce
) -> Inspection:
    """Return all analyses of the test of a run; `positions` are the rows to show."""
    model, network = run.trained.model, run.classifier.network
    confidence, correct = confidences(result), correctness(result)
    announce("shifting the test images")
    shifts = attempt("shifts", model, lambda: measure_shifts(result, predictor(run, trainer)))
    images, values = network_inputs(run.classifier, result.subset, positions)
    image_shape = tuple(values.shape[1:])
    subject = Subject(model, image_shape, len(run.classifier.classes))
    trained = run.trained
    layers = attempt(
        "layer table", model, lambda: explain_network(subject, trained.batch_size, trained.seed)
    )
    calls = record_layers(network, values)
    announce("first layer and feature maps")
    initial, status = rebuild_initial(run, image_shape)
    filters = attempt(
        "first-layer filters", model, lambda: compare_filters(calls, image_shape, initial, status)
    )
    maps = attempt("feature maps", model, lambda: collect_feature_maps(network, calls, image_shape))
    announce("attributions")
    shown = show_images(run, values, result.predictions[positions])
    attributions = attribute(model, calls, shown)
    announce("calibration, mistakes and labels")
    return Inspection(
        evaluation=result,
        class_scores=score_classes(result.confusion_matrix, result.subset.table.classes),
        confusion_matrix=small_matrix(result),
        confusions=find_confusions(result),
        calibration=calibrate(confidence, correct),
        mistakes=find_mistakes(result),
        largest_loss=find_largest_loss(result),
        label_errors=find_label_errors(result),
        shifts=shifts,
        layers=layers,
        rows=[describe_prediction(result, position) for position in positions],
        images=images.cpu().numpy(),
        filters=filters,
        feature_maps=maps,
        attributions=attributions,
        directory=run.results,
    )


def attribute(
    model: ModelConfig, calls: list[LayerCall], shown: ShownImages
) -> list[Attribution | Missing]:
    """Return the maps of all methods for the predicted classes of the shown rows."""
    methods: dict[str, Callable[[], Attribution]] = {
        "Grad-CAM": lambda: attribute_by_grad_cam(shown, calls),
        "occlusion": lambda: attribute_by_occlusion(shown),
        "integrated gradients": lambda: attribute_by_integrated_gradients(shown),
    }
    return [attempt(name, model, method) for name, method in methods.items()]
