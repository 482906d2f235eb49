"""Draw README's pictures from a sweep of models and seeds: python scripts/pictures.py SWEEP"""

import argparse
from pathlib import Path

import csvision
from csvision.report.curves import learning_curves
from csvision.report.figures import prediction_sheet


def main() -> None:
    """Write docs/learning_curves.png and docs/predictions.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="folder of `train.py -m model=mlp,cnn seed=...`")
    parser.add_argument("--to", type=Path, default=Path("docs"), help="folder (default: docs)")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    learning_curves(arguments.sweep).savefig(arguments.to / "learning_curves.png", dpi=110)
    run = min(arguments.sweep.glob("*_cnn_seed*"))
    sheet = prediction_sheet(csvision.evaluate(run, "quiet=true"), 24)
    sheet.savefig(arguments.to / "predictions.png", dpi=60)


if __name__ == "__main__":
    main()
