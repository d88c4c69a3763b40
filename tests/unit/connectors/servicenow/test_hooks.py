"""Only what the shipped rule signed, a moment ago, is believed; and it is a hint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput, NotAllowed
from bridge.records.model import NEVER, ChangeKind, RecordChange, System
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.app import SECRET
from connectors.sandbox.servicenow.events import signed
from connectors.servicenow.connector import business_rule
from connectors.servicenow.hooks import Hooks
from tests.unit.connectors.servicenow.world import INC1, WAITING, World, deed, rev

NOW = 1_800_000_000.0
ROOT = Path(__file__).parents[4]
BODY = {
    "event_id": "e1",
    "table": "incident",
    "sys_id": INC1.id,
    "number": "INC0010001",
    "op": "update",
    "changed": ["state", "assigned_to"],
    "sys_mod_count": 7,
    "sys_updated_on": "2026-11-22 20:41:00",
    "sys_updated_by": "beth",
}


def hooks(*secrets: str, ours: bool = False) -> Hooks:
    return Hooks("acme", secrets or (SECRET,), lambda _id, _count: ours)


def heard(
    told: Mapping[str, Any], at: float = NOW, now: float = NOW, secret: str = SECRET
) -> list[RecordChange]:
    raw = json.dumps(told).encode()
    return list(hooks().heard(signed(raw, int(at), secret), raw, now))


def test_a_signed_call_names_what_changed() -> None:
    (change,) = heard(BODY)

    assert change == RecordChange(
        System.SERVICENOW,
        "acme",
        ChangeKind.CHANGED,
        "e1",
        INC1,
        rev(7),
        actor="beth",
        fields=("state", "assigned_to"),
    )


@pytest.mark.parametrize(
    ("op", "changed", "kind"),
    [
        ("insert", [], ChangeKind.CREATED),
        ("delete", [], ChangeKind.DELETED),
        ("update", ["comments"], ChangeKind.COMMENTED),
        ("update", ["comments", "state"], ChangeKind.CHANGED),
        ("update", [], ChangeKind.CHANGED),
    ],
)
def test_what_happened_is_told_apart(
    op: str, changed: list[str], kind: ChangeKind
) -> None:
    (change,) = heard({**BODY, "op": op, "changed": changed})

    assert change.kind is kind


def test_an_approval_changes_its_change_whatever_the_count() -> None:
    told = {**BODY, "table": "change_request", "changed": ["approvals"]}

    (change,) = heard(told)

    assert change.rev is NEVER
    assert not change.ours


def test_our_own_write_is_known_again() -> None:
    raw = json.dumps(BODY).encode()

    (change,) = hooks(ours=True).heard(signed(raw, int(NOW), SECRET), raw, NOW)

    assert change.ours


@pytest.mark.parametrize("apart", [301, -301, 3600, 1e9])
def test_old_and_early_calls_are_refused(apart: float) -> None:
    with pytest.raises(NotAllowed):
        heard(BODY, at=NOW - apart)


@pytest.mark.parametrize("secret", ["", "another-secret-of-length", SECRET[:-1]])
def test_another_secret_proves_nothing(secret: str) -> None:
    with pytest.raises(NotAllowed):
        heard(BODY, secret=secret)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ATOM-Signature": ""},
        {"X-ATOM-Signature": "v1=", "X-ATOM-Timestamp": str(int(NOW))},
        {"X-ATOM-Signature": "v0=" + "0" * 64, "X-ATOM-Timestamp": str(int(NOW))},
        {"X-ATOM-Signature": "v1=" + "0" * 64, "X-ATOM-Timestamp": "²"},
        {"X-ATOM-Signature": "v1=" + "é" * 64, "X-ATOM-Timestamp": "é"},
        {"secret": SECRET},
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed):
        hooks().heard(headers, json.dumps(BODY).encode(), NOW)


def test_another_body_or_time_than_what_was_signed_is_refused() -> None:
    raw = json.dumps(BODY).encode()
    headers = signed(raw, int(NOW), SECRET)

    with pytest.raises(NotAllowed):
        hooks().heard(headers, raw.replace(b"incident", b"Incident"), NOW)
    with pytest.raises(NotAllowed):
        hooks().heard(headers, raw + b" ", NOW)
    with pytest.raises(NotAllowed):
        hooks().heard(headers | {"X-ATOM-Timestamp": str(int(NOW) + 1)}, raw, NOW)


def test_two_secrets_hold_while_one_is_replaced() -> None:
    raw = json.dumps(BODY).encode()
    headers = signed(raw, int(NOW), SECRET)

    assert hooks("a-new-secret-of-length", SECRET).heard(headers, raw, NOW)
    with pytest.raises(NotAllowed):
        hooks("a-new-secret-of-length").heard(headers, raw, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    raw = json.dumps(BODY).encode()
    empty = Hooks("acme", ("",), lambda _id, _count: False)

    with pytest.raises(NotAllowed):
        empty.heard(signed(raw, int(NOW), ""), raw, NOW)
    with pytest.raises(NotAllowed):
        Hooks("acme", (), empty.ours).heard(signed(raw, int(NOW), ""), raw, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"table": "sys_user"},
        {"sys_id": "../x"},
        {"sys_id": None},
        {"op": "query"},
        {"event_id": ""},
        {"event_id": "x" * 201},
    ],
)
def test_what_is_signed_still_has_to_name_a_record(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        heard({**BODY, **change})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'"x"'])
def test_a_body_that_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        hooks().heard(signed(raw, int(NOW), SECRET), raw, NOW)


@given(st.dictionaries(st.sampled_from(sorted(BODY)), st.none() | st.integers()))
def test_odd_values_are_bad_input_or_a_hint(odd: dict[str, Any]) -> None:
    try:
        changes = heard({**BODY, **odd})
    except BadInput:
        return

    assert all(change.ref is not None for change in changes)


async def test_what_the_instance_posts_is_understood_and_holds_no_values(
    snow: World,
) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hooks/servicenow", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/hooks/servicenow"
    snow.stand_in.hooks["events"] = url
    try:
        values = {"short_description": "TOP SECRET"}
        wish = {"table": "incident", "sys_id": INC1.id, "values": values, "by": "bob"}
        await snow.stand_in.emit(wish)
        await snow.records.perform(snow.as_("alice"), deed("approve", WAITING))
        await snow.records.perform(snow.as_("erin"), deed("take", INC1))
    finally:
        await runner.cleanup()

    now = snow.stand_in.clock.now()
    changes = [
        change
        for headers, body in got
        for change in snow.records.heard(headers, url, body, now)
    ]

    assert [change.ref for change in changes] == [INC1, WAITING, INC1]
    assert [change.ours for change in changes] == [False, False, True]
    assert [change.actor for change in changes] == ["bob", "alice", "erin"]
    assert changes[0].fields == ("short_description",)
    assert all(b"TOP SECRET" not in body for _headers, body in got)


def test_the_rule_that_is_shipped_says_what_is_read_here() -> None:
    script = business_rule()

    for word in (*BODY, "X-ATOM-Signature", "X-ATOM-Timestamp", "v1=", "HmacSHA256"):
        assert word in script
    assert "getValue('short_description')" not in script
    assert seed.INTEGRATION not in script


def test_the_guide_shows_the_rule_that_is_shipped() -> None:
    guide = (ROOT / "docs/records-servicenow.md").read_text(encoding="utf-8")

    assert business_rule().strip() in guide


def test_a_secret_that_could_be_guessed_is_refused_at_the_start() -> None:
    with pytest.raises(BadInput, match="16 characters"):
        hooks("short")
