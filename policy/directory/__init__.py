"""Sources that people, groups and units are read from, or that push them."""
