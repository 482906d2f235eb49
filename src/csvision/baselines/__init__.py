"""Estimators of scikit-learn on the splits of a training run, for comparison with networks."""
