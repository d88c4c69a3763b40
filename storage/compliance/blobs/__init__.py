"""Files as they were when they were shared: sealed, once each, and proved by hash."""
