"""The sandbox, driven over HTTP by the vendors' own clients."""
