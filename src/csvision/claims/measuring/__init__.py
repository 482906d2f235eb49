"""What claims measure with beside training: tasks, gradients by hand, memory, looks at networks."""
