"""The claims of the course's notes as experiments: statement, rule, measurement, verdict."""
