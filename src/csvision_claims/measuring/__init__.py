"""What claims measure besides training: tasks, manual gradients, memory, probes of networks."""
