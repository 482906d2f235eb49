"""From a CSV file to batches: table, rows of each part, batches gathered by index."""
