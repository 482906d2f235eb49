"""Lightning callbacks of a training run. They know files and signals, but no run directory."""
