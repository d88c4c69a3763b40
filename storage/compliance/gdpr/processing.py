"""
Records of processing activities (Art. 30), made from what ATOM is told to do.

Nobody keeps such a list up to date by hand. What cannot be known from configuration,
such as the lawful basis, stands there as what the company has to fill in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from bridge.links import Link

KIND = "atom-processing/v1"
_FILL_IN = "to be stated by the company"
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A retention rule in force: `keep_us` and `delete_us` as they are stored."""

    id: str
    name: str
    kind: str
    value: str
    keep_us: int | None
    delete_us: int | None


@dataclass(frozen=True, slots=True)
class Setup:
    """
    What a company's ATOM is configured to do. `books` are the business systems whose
    accounts and contacts it knows.
    """

    company: str
    contact: str
    accounts: Sequence[tuple[str, str, str]]
    links: Sequence[Link]
    rules: Sequence[Rule]
    connectors: Sequence[str]
    storage: Sequence[str]
    officers: Mapping[str, int]
    assessments: Mapping[str, int]
    books: Sequence[str] = ()


def record(setup: Setup) -> dict[str, Any]:
    """Return the record. The same configuration gives the same record."""
    return {
        "kind": KIND,
        "controller": {"company": setup.company, "contact": setup.contact},
        "accounts": [
            {"platform": platform, "id": id_, "name": name}
            for platform, id_, name in setup.accounts
        ],
        "activities": [
            {
                "name": "Carrying messages between linked channels",
                "purposes": ["conversations across Slack and Microsoft Teams"],
                "lawful_basis": _FILL_IN,
                "people": ["employees", "guests in linked channels"],
                "data": [
                    "what is said, in all revisions",
                    "names, pictures and addresses",
                    "reactions",
                    "files",
                ],
                "recipients": [_link(link) for link in setup.links],
                "retention": retention_texts(setup.rules),
            },
            {
                "name": "Keeping a compliance log",
                "purposes": ["evidence", "legal obligations", "legal claims"],
                "lawful_basis": _FILL_IN,
                "people": ["everybody in linked channels", "officers", "admins"],
                "data": ["every entry of the log, sealed under people's own keys"],
                "recipients": [
                    {"duty": duty, "officers": count}
                    for duty, count in sorted(setup.officers.items())
                ],
                "retention": retention_texts(setup.rules),
            },
            *_knowing(setup.books),
        ],
        "connectors": list(setup.connectors),
        "transfers": _FILL_IN,
        "security": list(setup.storage),
        "assessments": dict(setup.assessments),
    }


def _knowing(books: Sequence[str]) -> list[dict[str, Any]]:
    if not books:
        return []
    return [
        {
            "name": "Knowing contacts of business systems",
            "purposes": [f"finding whose contact somebody is in {', '.join(books)}"],
            "lawful_basis": _FILL_IN,
            "people": ["contacts of these systems"],
            "data": [
                "ids of accounts and contacts, and which belong together",
                "keyed hashes of addresses, websites and words of names",
            ],
            "recipients": [],
            "retention": [
                "Until the system does not list them any more, a day longer at most.",
                "Of the erased an address's hash, so that it is not taken in again.",
            ],
        }
    ]


def retention_texts(rules: Sequence[Rule]) -> list[str]:
    """Return the rules in words, one a line."""
    if not rules:
        return ["No rule is set: what is kept is kept until it is erased."]
    return [
        f"{rule.name} ({rule.kind} {rule.value}): ".replace(" )", ")")
        + f"{_kept(rule.keep_us)}, {_deleted(rule.delete_us)}"
        for rule in rules
    ]


def digest_of(data: Mapping[str, Any]) -> str:
    return sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()


def markdown(data: Mapping[str, Any]) -> str:
    """Return the record for people to read."""
    lines = [
        f"# Records of processing: {_plain(data['controller']['company'])}",
        "",
        f"Contact: {_plain(data['controller']['contact'])}",
        "",
        "| platform | account | name |",
        "|---|---|---|",
        *(
            f"| {a['platform']} | {_plain(a['id'])} | {_plain(a['name'])} |"
            for a in data["accounts"]
        ),
        "",
    ]
    for activity in data["activities"]:
        lines += [f"## {activity['name']}", ""]
        for name in ("purposes", "lawful_basis", "people", "data", "retention"):
            lines.append(f"- {_title(name)}: {_words(activity[name])}")
        lines.append("- Recipients:")
        lines += [f"  - {_recipient(one)}" for one in activity["recipients"]]
        lines.append("")
    lines += [
        "## What protects it",
        "",
        *(f"- {_plain(line)}" for line in data["security"]),
        "",
        f"Business systems: {_words(data['connectors']) or 'none'}",
        "",
        f"Transfers to third countries: {data['transfers']}",
        "",
        "Impact assessments: "
        + (
            ", ".join(
                f"{n} {state}" for state, n in sorted(data["assessments"].items())
            )
            or "none"
        ),
        "",
    ]
    return "\n".join(lines)


def _link(link: Link) -> dict[str, Any]:
    return {
        "link": link.id,
        "state": str(link.state),
        "channels": [str(channel) for channel in link.channels],
        "options": dict(link.options.as_dict()),
    }


def _recipient(one: Mapping[str, Any]) -> str:
    if "link" in one:
        outside = (
            ", outsiders may read" if one["options"]["external"] == "allow" else ""
        )
        channels = " and ".join(map(_plain, one["channels"]))
        return f"link {one['link']} ({one['state']}{outside}): {channels}"
    return f"{one['officers']} with the duty {one['duty']}"


def _kept(us: int | None) -> str:
    if us is None:
        return "not kept by it"
    return "kept for ever" if us < 0 else f"kept {us // _DAY_US} days"


def _deleted(us: int | None) -> str:
    if us is None or us < 0:
        return "not deleted by it"
    return f"deleted after {us // _DAY_US} days"


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _words(value: object) -> str:
    return "; ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _plain(value: object) -> str:
    """Return a text that is no markup: names may hold anything."""
    return "".join(
        f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in str(value)
    ).replace("\n", " ")
