"""Business systems are configured one table each, and what is wrong is named."""

import os
from pathlib import Path

import pytest

from bots.settings_records import RecordSettings
from bots.settings_sources import read_settings, unknown_variables
from bots.settings_template import template
from bridge.errors import BadInput
from bridge.records.model import System

JIRA = """
[records.acme-jira]
system = "jira"
url = "https://acme.atlassian.net"
client_id = "atom"
client_secret = "hidden"
"""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("ATOM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def read(text: str = "") -> dict[str, RecordSettings]:
    Path("atom.toml").write_text(text)
    return dict(read_settings().records)


def refusal(text: str = "") -> str:
    with pytest.raises(BadInput) as caught:
        read(text)
    return str(caught.value)


def test_without_systems_there_are_none() -> None:
    assert read() == {}


def test_a_table_is_a_system() -> None:
    found = read(JIRA)["acme-jira"]

    assert found.kind is System.JIRA
    assert found.has_sign_in
    assert found.client_secret is not None
    assert found.client_secret.get_secret_value() == "hidden"
    assert "hidden" not in repr(found)


def test_the_environment_fills_a_table_and_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("secret").write_text("from-a-file\n")
    monkeypatch.setenv("ATOM_RECORDS_ACME_JIRA_CLIENT_ID", "another")
    monkeypatch.setenv("ATOM_RECORDS_HUB_SYSTEM", "hubspot")
    monkeypatch.setenv("ATOM_RECORDS_HUB_URL", "https://app.hubspot.com")
    monkeypatch.setenv("ATOM_RECORDS_HUB_AUTH", "token")
    monkeypatch.setenv("ATOM_RECORDS_HUB_TOKEN_FILE", "secret")

    found = read(JIRA)

    assert found["acme-jira"].client_id == "another"
    assert found["acme-jira"].url == "https://acme.atlassian.net"
    token = found["hub"].token
    assert token is not None
    assert token.get_secret_value() == "from-a-file"
    assert not found["hub"].has_sign_in
    assert unknown_variables() == []


def test_what_is_no_setting_of_a_system_is_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATOM_RECORDS_HUB_COLOUR", "blue")

    assert unknown_variables() == ["ATOM_RECORDS_HUB_COLOUR"]
    assert "ATOM_RECORDS" in refusal()


def test_a_secret_may_lie_in_a_file_that_the_table_names() -> None:
    Path("key.pem").write_text("-----BEGIN PRIVATE KEY-----\nabc\n")
    text = JIRA.replace("jira", "salesforce").replace(
        'client_secret = "hidden"',
        'auth = "jwt"\nusername = "atom@acme.example"\nprivate_key_file = "key.pem"',
    )

    found = read(text)["acme-salesforce"]

    assert found.private_key is not None
    assert found.private_key.get_secret_value().startswith("-----BEGIN")
    assert not found.has_sign_in


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('system = "jira"', "", "ATOM_RECORDS_ACME_JIRA_SYSTEM is missing"),
        ('"jira"', '"siebel"', "must be salesforce, servicenow, jira, hubspot or hr"),
        ("https:", "http:", "ATOM_RECORDS_ACME_JIRA_URL must be"),
        ('client_secret = "hidden"', "", "[records.acme-jira]: client_id and"),
        ('client_id = "atom"', "", "go together"),
        (
            "client_secret",
            "client_secert",
            "did you mean ATOM_RECORDS_ACME_JIRA_CLIENT",
        ),
        ("acme-jira", '"Acme Jira"', "short and in lower case"),
        ("hidden", "two words", "one word"),
        ('"hidden"', '"hidden"\nauth = "token"', "needs token, or token_file"),
        ('"hidden"', '"hidden"\nauth = "jwt"', "Salesforce's alone"),
        ('"hidden"', '"hidden"\ncalls = "many"', "CALLS/SECONDS"),
        ('"hidden"', '"hidden"\npoll = -1', "0 to only be told"),
        ('"hidden"', '"hidden"\npage_hosts = ["https://x"]', "further hosts"),
        ('"jira"', '"hr"', "auth of an HR system is token"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(old: str, new: str, told: str) -> None:
    line = refusal(JIRA.replace(old, new, 1))

    assert told in line
    assert "\n" not in line
    assert "hidden" not in line


def test_the_template_explains_every_setting() -> None:
    told = template()

    assert all(f"#   {name}: " in told for name in RecordSettings.model_fields)
