"""Every detector that ATOM brings along, by name and by group."""

from collections.abc import Iterable, Mapping

from bridge.errors import BadInput
from policy.dlp.banking import BANKING
from policy.dlp.cards import CARD
from policy.dlp.contacts import EMAIL, STREET, phones
from policy.dlp.detector import Detector
from policy.dlp.homographs import HOMOGRAPH
from policy.dlp.identity import HEALTH, IDENTITY
from policy.dlp.national import NATIONAL
from policy.dlp.secrets import SECRETS

GROUP = "@"  # stands before a group's name where detectors are listed


def detectors(regions: tuple[str, ...] = ("US",)) -> dict[str, Detector]:
    """Return them by name; `regions` are where telephone numbers may be national."""
    each = (
        CARD,
        *BANKING,
        *IDENTITY,
        *HEALTH,
        *NATIONAL,
        *SECRETS,
        EMAIL,
        phones(regions),
        STREET,
        HOMOGRAPH,
    )
    return {detector.name: detector for detector in each}


def expanded(names: Iterable[str], known: Mapping[str, str]) -> frozenset[str]:
    """
    Return the detectors that are meant; `@secret` is all of a group, `*` simply all.

    `known` says of each detector its group. Raises `BadInput` for unknown names.
    """
    found: set[str] = set()
    for name in names:
        if name == "*":
            found |= set(known)
        elif name.startswith(GROUP):
            group = {each for each, own in known.items() if own == name[1:]}
            if not group:
                groups = ", ".join(sorted({f"@{own}" for own in known.values()}))
                raise BadInput(f"'{name[:40]}' is no group of detectors: {groups}")
            found |= group
        elif name in known:
            found.add(name)
        else:
            raise BadInput(
                f"there is no detector '{name[:40]}': 'atom dlp detectors' lists them"
            )
    return frozenset(found)
