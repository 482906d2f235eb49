"""Build the configured estimator of scikit-learn."""

from typing import Any

from csvision.config import baseline_schema
from csvision.config.baseline_schema import BaselineModelConfig, BaselineName
from csvision.rng import derive_seed


def build_estimator(baseline: BaselineModelConfig, seed: int) -> Any:
    """Return an unfitted Pipeline; its random numbers depend on `seed` alone."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    scaler = [("scaler", StandardScaler())] if baseline.standardize else []
    random_state = derive_seed(seed, "baseline") % 2**32
    return Pipeline([*scaler, ("classifier", build_classifier(baseline, random_state))])


def build_classifier(baseline: BaselineModelConfig, random_state: int) -> Any:
    """Return the unfitted classifier of a baseline."""
    match baseline:
        case baseline_schema.KNNConfig():
            from sklearn.neighbors import KNeighborsClassifier

            return KNeighborsClassifier(
                baseline.n_neighbors, weights=baseline.weights, algorithm="brute"
            )
        case baseline_schema.LogisticConfig():
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(C=baseline.C, max_iter=baseline.max_iter)
        case baseline_schema.SVMConfig():
            from sklearn.svm import SVC

            return SVC(C=baseline.C, gamma=baseline.gamma or "scale")
        case baseline_schema.RandomForestConfig():
            from sklearn.ensemble import RandomForestClassifier

            return RandomForestClassifier(
                baseline.n_estimators, max_depth=baseline.max_depth, random_state=random_state
            )
        case baseline_schema.HistGradientBoostingConfig():
            from sklearn.ensemble import HistGradientBoostingClassifier

            return HistGradientBoostingClassifier(
                max_iter=baseline.max_iter,
                learning_rate=baseline.learning_rate,
                max_leaf_nodes=baseline.max_leaf_nodes,
                early_stopping=False,
                random_state=random_state,
            )
    if baseline.name is BaselineName.centroid:
        from sklearn.neighbors import NearestCentroid

        return NearestCentroid()
    assert baseline.name is BaselineName.majority
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")
