"""Who was in which conversation at what time."""
