"""Evidence packs: controls, what the log says about each, and the proof of that."""
