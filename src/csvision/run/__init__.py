"""Training, evaluation and prediction, and the directory that a run leaves behind."""
