"""All tables: those of `storage.schema`, and those that parts of storage keep apart."""

from storage.schema import metadata

__all__ = ["metadata"]
