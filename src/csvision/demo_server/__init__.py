"""A local page on which one draws an image and sees what the network of a run does with it."""
