"""From data files to batches: parse, cache, split, gather batches by index."""
