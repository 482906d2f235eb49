"""Run the jobs of a sweep: in worker processes of this machine, or on a cluster."""
