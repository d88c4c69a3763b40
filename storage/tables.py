"""All tables: those of `storage.schema`, and those that parts of storage keep apart."""

import storage.compliance.blobs.tables
import storage.compliance.completeness.tables
import storage.compliance.erasure.tables
import storage.compliance.export.tables
import storage.compliance.gdpr.tables
import storage.compliance.grid.tables
import storage.compliance.keys.tables
import storage.compliance.membership.tables
import storage.compliance.proofs.tables
import storage.compliance.retention.tables
import storage.compliance.rights.tables
import storage.directory.tables
import storage.leaving.tables
import storage.people.tables
import storage.policies.tables
import storage.records.tables
import storage.runs.tables
import storage.scim.tables  # noqa: F401 - likewise
from storage.schema import metadata

__all__ = ["metadata"]
