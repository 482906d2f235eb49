"""Write the network of a run into a file that other programs use without csvision."""
