"""The decisions: what crosses, where to, and what to do when it does not. No I/O."""
