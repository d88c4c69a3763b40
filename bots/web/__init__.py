"""Pages and machine interfaces over HTTP."""
