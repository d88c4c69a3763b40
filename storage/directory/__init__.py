"""The company's directory as it was read, and who is who in it."""
