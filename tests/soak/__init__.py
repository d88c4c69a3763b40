"""Random people and random faults, against a small model of what has to stand."""
