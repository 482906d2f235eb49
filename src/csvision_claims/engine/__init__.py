"""Claims as experiments: jobs, paired trainings, decision rules and records."""
