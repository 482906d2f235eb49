"""What claims measure besides training: tasks, manual gradients, memory, images of subsets."""
