"""All tables: those of `storage.schema`, and those that parts of storage keep apart."""

import storage.compliance.retention.tables  # noqa: F401 - its tables join the metadata
from storage.schema import metadata

__all__ = ["metadata"]
