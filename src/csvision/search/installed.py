"""Check that Optuna, which is in an extra of its own, is installed."""

from importlib.util import find_spec

from csvision.errors import ConfigError


def check_optuna() -> None:
    """Raise ConfigError if Optuna is not installed."""
    if find_spec("optuna") is None:
        raise ConfigError("search=optuna needs Optuna; install it: pip install 'csvision[optuna]'")
