"""What the SCIM server may be told, and how it is refused."""

from pathlib import Path

import pytest

from bots.settings_sources import read_settings
from bridge.errors import BadInput


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_roles_are_read_by_the_providers_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATOM_SCIM_ROLES", "Approver=payments; Desk Lead = desk")

    assert read_settings().scim.role_names == {
        "Approver": "payments",
        "Desk Lead": "desk",
    }


def test_a_role_that_administers_atom_takes_a_word_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATOM_SCIM_ROLES", "Boss=policy-admin")
    with pytest.raises(BadInput, match="ATOM_SCIM_ADMIN_ROLES"):
        read_settings()

    monkeypatch.setenv("ATOM_SCIM_ADMIN_ROLES", "true")
    assert read_settings().scim.role_names == {"Boss": "policy-admin"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROLES", "Approver"), ("URL", "ftp://x"), ("PERCENT", "101"), ("FEW", "-1")],
)
def test_what_cannot_be_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ATOM_SCIM_{name}", value)

    with pytest.raises(BadInput, match=f"ATOM_SCIM_{name}"):
        read_settings()
