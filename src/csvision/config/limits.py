"""Upper bounds that several keys share: far above any honest use, far below what fails.

Each value alone must neither stop a library with an error of its own nor exhaust the machine before
the memory of the run is estimated, as `csvision.run.memory` does for all values together.
"""

MAX_ROWS = 10**9
"""Rows of a data set, a split or a batch."""

MAX_SHOWN_ROWS = 32
"""Rows of which `inspect` shows feature maps; a page with more is slow to open."""

MAX_EPOCHS = 10**6

MAX_FOLDS = 10_000
"""Folds of cross-validation, each a job of a sweep."""

MAX_SEED = 2**63 - 1
"""The largest 64-bit integer, for tables and for readers of JSON."""

MAX_RANDOM_STATE = 2**32 - 1
"""The largest random_state of scikit-learn."""

MAX_LR = 1e30
"""torch cannot multiply float32 by a learning rate above 3.4e38."""

MAX_THREADS = 1024
"""Threads, or processes for distributed training; many more crash OpenMP."""

MAX_PIXELS = 10_000
"""Size of a kernel, a window, a padding or a shift."""

MAX_UNITS = 1_000_000
"""Filters or units of one layer."""

MAX_LAYERS = 1000
"""Stages, dense layers, or residual blocks of a network."""

MAX_STRING = 4096
"""Characters of a string; the longest path on Linux."""

MAX_JOBS = 10_000
"""Jobs of a sweep; all are composed and validated before the first one starts."""

MAX_ARGUMENT = 10_000
"""Characters of one KEY=VALUE; Hydra's parser needs seconds for a longer list."""
