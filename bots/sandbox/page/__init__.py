"""The demo page: both clients and the log, side by side in a browser."""
