"""From the settings of an LDAP directory to the source that reads it."""

from collections.abc import Callable

from bots.directory_settings import SourceSettings
from policy.directory.ldap.configured import Written, configured
from policy.directory.ldap.source import LdapSource

_MICRO = 1_000_000


def ldap_source(settings: SourceSettings, clock: Callable[[], int]) -> LdapSource:
    """Return the source. Raises `BadInput` with one line. `clock` is in microseconds."""
    written = Written(
        settings.name,
        settings.url,
        settings.base,
        settings.bind,
        settings.password.get_secret_value() if settings.password else "",
        str(settings.ca) if settings.ca else "",
        settings.people,
        settings.groups,
        settings.attributes,
        settings.options,
    )
    return LdapSource(configured(written), now=lambda: clock() / _MICRO)
