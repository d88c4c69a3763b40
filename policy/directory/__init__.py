"""Sources that people, groups and units are read from."""
