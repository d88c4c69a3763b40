"""How a search ended, in words for people, and whether its answer was everything."""

import re

from policy.directory.ldap.answers import Done

SUCCESS = 0
NO_SUCH_OBJECT = 32
SYNC_REFRESH_REQUIRED = 4096

_MEANINGS = {
    1: "an operations error, as before signing in",
    2: "it did not understand the request",
    3: "its time limit was reached",
    4: "its size limit was reached; give ATOM's account an unlimited one",
    7: "it does not offer this way of signing in",
    8: "it wants stronger signing in or encryption",
    10: "another server holds what was asked for; ATOM does not go there",
    11: "a limit set by its administrator was reached",
    12: "it does not know a control that is needed",
    13: "it wants encryption first",
    32: "there is nothing under this base DN",
    48: "this account may not sign in this way",
    49: "the account or the password is wrong",
    50: "ATOM's account may not read this",
    51: "it is busy",
    52: "it is not available",
    53: "it is not willing to do this",
    80: "it failed inside",
    4096: "it asks to start over",
}

# What Active Directory adds to code 49 as "data 52e".
_SIGN_IN = {
    "525": "there is no such account",
    "52e": "the password is wrong",
    "530": "the account may not sign in at this hour",
    "531": "the account may not sign in from this computer",
    "532": "the account's password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the account's password must be changed first",
    "775": "the account is locked",
}
_SUB_CODE = re.compile(r"\bdata ([0-9a-f]{3,8})\b", re.IGNORECASE)


def meaning(code: int, message: str = "") -> str:
    """Say what a result code means. What the server wrote is not repeated."""
    sub = _SUB_CODE.search(message) if code == 49 else None  # noqa: PLR2004
    told = _SIGN_IN.get(sub[1].lower()) if sub else None
    return f"{told or _MEANINGS.get(code, 'it refused')} (result {code})"


def incomplete_because(done: Done) -> str:
    """
    Say why what came before this end was not everything; empty if it was.

    Only success is everything: every other code leaves open what there is.
    """
    if done.referrals:
        return meaning(10)
    if done.code != SUCCESS:
        return meaning(done.code, done.message)
    return ""
