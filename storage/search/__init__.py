"""The index that searches are answered from. It is apart from the log, and made of it."""
