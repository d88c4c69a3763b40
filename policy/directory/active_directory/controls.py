"""Controls of Active Directory that change how it answers ([MS-ADTS] 3.1.1.3.4.1)."""

from policy.directory.ldap import ber
from policy.directory.ldap.conversation import Control

# Every DN as `<GUID=…>;<SID=…>;DN`, in text.
EXTENDED_NAMES = Control(
    "1.2.840.113556.1.4.529", ber.sequence(ber.integer(1)), critical=True
)
SHOW_DELETED = Control("1.2.840.113556.1.4.417", critical=True)
# No references to other domains: each domain is a source of its own.
DOMAIN_ONLY = Control("1.2.840.113556.1.4.1339", critical=True)
NOTIFICATION = Control("1.2.840.113556.1.4.528", critical=True)
