"""
Keys: a key-encryption key for each tenant, keys for its people, one for each entry.

    key-encryption key (a file, an HSM, a KMS; versions)      `bridge.keys`, `files`
      └─ wraps the subject key of a person and a quarter      `ring`, `subjects`
           └─ gives each entry its key                        `items`
"""

from storage.compliance.keys.files import KeyFile
from storage.compliance.keys.items import ItemKey, SealBroken, commitment
from storage.compliance.keys.ring import Keyring

__all__ = ["ItemKey", "KeyFile", "Keyring", "SealBroken", "commitment"]
