"""
Who may do anything at all, out of Active Directory's bits and clocks.

userAccountControl is [MS-ADTS] 2.2.16. Its LOCKOUT bit is not kept: the real one is in
the constructed msDS-User-Account-Control-Computed (3.1.1.4.5.17).
"""

from bridge.directory.model import Standing

NEVER = 0x7FFF_FFFF_FFFF_FFFF  # and 0, in accountExpires

ACCOUNT_DISABLED = 0x2
LOCKED_OUT = 0x10
TRUST_ACCOUNTS = 0x0800 | 0x1000 | 0x2000  # between domains, workstations, servers

SECURITY = 0x8000_0000  # in groupType, where it makes the number negative

_TICKS = 10_000_000  # a second, in steps of 100 ns
_TO_1970 = 11_644_473_600  # seconds from 1601, where FILETIME starts


def unix_seconds(filetime: int) -> float:
    """Return a FILETIME as seconds since 1970."""
    return filetime / _TICKS - _TO_1970


def filetime(seconds: float) -> int:
    """Return seconds since 1970 as a FILETIME, which begins in 1601."""
    return int((seconds + _TO_1970) * _TICKS)


def standing(control: int, computed: int, expires: int, now: float) -> Standing:
    """Say how somebody stands; what an administrator decided counts first."""
    if control & ACCOUNT_DISABLED:
        return Standing.DISABLED
    if expires not in {0, NEVER} and unix_seconds(expires) <= now:
        return Standing.EXPIRED
    if computed & LOCKED_OUT:
        return Standing.LOCKED
    return Standing.ACTIVE


def is_security(group_type: int) -> bool:
    """Whether a group gives access. Distribution lists do not; many may edit those."""
    return bool(group_type & SECURITY)
