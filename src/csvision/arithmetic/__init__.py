"""The arithmetic of networks without training: sizes, parameters, memory, and one filter."""
