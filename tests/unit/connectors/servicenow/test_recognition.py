"""Links and numbers name records of one instance, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.servicenow.recognition import kind_of, recognise

HOST = "acme.service-now.com"
ID = "0f4ac6c4b750230096c3e4f6ee11a9fe"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"/nav_to.do?uri=incident.do?sys_id={ID}", "incident"),
        (f"/nav_to.do?uri=%2Fchange_request.do%3Fsys_id%3D{ID}", "change"),
        (f"/incident.do?sys_id={ID}&sysparm_view=", "incident"),
        (
            f"/now/nav/ui/classic/params/target/incident.do%3Fsys_id%3D{ID}",
            "incident",
        ),
        (f"/now/sow/record/incident/{ID}", "incident"),
        (f"/now/cwf/agent/record/change_request/{ID}", "change"),
        (f"/sp?id=ticket&table=incident&sys_id={ID}", "incident"),
        (f"/sp?id=sc_cat_item&sys_id={ID}", "item"),
        (f"/esc?id=kb_article&sys_id={ID}", "article"),
        (f"/sp?id=kb_article_view&sys_kb_id={ID}", "article"),
        (f"/kb_view.do?sys_kb_id={ID}", "article"),
    ],
)
def test_links_name_a_record_by_its_id(url: str, kind: str) -> None:
    (mention,) = recognise(f"see https://{HOST}{url}, please", "acme", HOST)

    assert mention.ref is not None
    assert (mention.ref.kind, mention.ref.id) == (kind, ID)
    assert mention.url == f"https://{HOST}{url}"


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example/incident.do?sys_id={ID}",
        f"https://{HOST}.evil.example/incident.do?sys_id={ID}",
        f"https://{HOST}@evil.example/incident.do?sys_id={ID}",
        f"https://evil.example/?x=https://{HOST}/incident.do?sys_id={ID}",
        f"https://{HOST}/sys_user.do?sys_id={ID}",
        f"https://{HOST}/incident.do?sys_id=../{ID}",
        f"https://{HOST}/incident.do?sys_id={ID}0",
        f"https://{HOST}/",
        "https://evil.example/INC0010001",
    ],
)
def test_other_links_name_nothing(url: str) -> None:
    assert recognise(url, "acme", HOST) == []


def test_a_link_may_hold_a_number_instead() -> None:
    url = f"https://{HOST}/kb_view.do?sysparm_article=KB0000020"

    (mention,) = recognise(url, "acme", HOST)

    assert (mention.kind, mention.key, mention.ref) == ("article", "KB0000020", None)


def test_numbers_name_records_in_the_order_of_the_text() -> None:
    text = "INC0010001 blocks chg0030351; (RITM0010012) and REQ0010012."

    found = recognise(text, "acme", HOST)

    assert [(each.kind, each.key) for each in found] == [
        ("incident", "INC0010001"),
        ("change", "CHG0030351"),
        ("request", "RITM0010012"),
        ("request", "REQ0010012"),
    ]
    assert [text[each.start : each.end].upper() for each in found] == [
        each.key for each in found
    ]


@pytest.mark.parametrize(
    "text",
    [
        "XINC0010001",
        "INC0010001x",
        "INC001",
        "INC0010001-2",
        "PRB0010001",
        "#INC0010001",
    ],
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert recognise(text, "acme", HOST) == []


@given(st.text())
def test_any_text_is_read_and_places_are_inside_it(text: str) -> None:
    for mention in recognise(text, "acme", HOST):
        assert 0 <= mention.start < mention.end <= len(text)


def test_what_is_typed_may_be_a_number() -> None:
    assert kind_of("inc0010001") == "incident"
    assert kind_of("INC0010001 x") == ""


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("it.acme.example", True),
        ("eu.it.acme.example", False),
        ("a.acme.com", True),
        ("a.b.acme.com", True),
        ("acme.com", False),
        ("evilacme.com", False),
        ("x@a.acme.com", False),
        ("a.acme.com:8080", False),
    ],
)
def test_further_hosts_count_as_they_are_configured(host: str, *, known: bool) -> None:
    url = f"https://{host}/incident.do?sys_id={ID}"

    found = recognise(url, "acme", HOST, "it.acme.example", "*.acme.com")

    assert bool(found) is known
