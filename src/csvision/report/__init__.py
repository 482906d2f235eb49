"""The only place that draws: pictures and TensorBoard pages of what a run left behind."""
