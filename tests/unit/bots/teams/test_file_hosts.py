"""To whom a token is shown, and from whom bytes are taken."""

import pytest

from bots.teams.file_hosts import is_connectors, is_graphs, is_store

SERVICE = "https://smba.trafficmanager.net/amer/"
GRAPH = "https://graph.microsoft.com/v1.0"
VIEW = "v3/attachments/1/views/original"

ELSEWHERE = [
    "",
    "nonsense",
    "https://evil.example/v3/attachments/1",
    "http://smba.trafficmanager.net/v3/attachments/1",
    "https://smba.trafficmanager.net.evil.example/v3/attachments/1",
    "https://evil.example/?https://smba.trafficmanager.net/v3/attachments/1",
    "https://smba.trafficmanager.net@evil.example/v3/attachments/1",
    "https://graph.microsoft.com@evil.example/v1.0/me",
    "https://graph.microsoft.com:444/v1.0/me",
    "https://evil-sharepoint.com/a",
    "https://sharepoint.com.evil.example/a",
    "http://acme.sharepoint.com/a",
    "https://[::1]/v3/attachments/1",
    "http://169.254.169.254/v3/attachments/1",
    "file:///v3/attachments/1",
    "https://acme.example:port/v3/attachments/1",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nobody_else_is_asked_for_a_file_or_shown_a_token(url: str) -> None:
    assert not is_connectors(url, SERVICE)
    assert not is_graphs(url, GRAPH)
    assert not is_store(url, GRAPH)


@pytest.mark.parametrize(
    "url",
    [f"{SERVICE}{VIEW}", f"https://smba.infra.gov.teams.microsoft.us/{VIEW}"],
)
def test_the_connector_serves_what_people_paste(url: str) -> None:
    assert is_connectors(url, SERVICE)
    assert not is_graphs(url, GRAPH)


def test_the_connector_is_not_shown_its_token_for_anything_else() -> None:
    assert not is_connectors(f"{SERVICE}v3/conversations", SERVICE)


def test_graph_is_asked_below_its_own_address_only() -> None:
    assert is_graphs(f"{GRAPH}/shares/x/driveItem/content", GRAPH)
    assert not is_graphs("https://graph.microsoft.com/beta/me", GRAPH)


@pytest.mark.parametrize(
    "url", ["https://acme.sharepoint.com/x?tempauth=1", f"{GRAPH}/drives/x"]
)
def test_graph_may_lead_to_microsofts_stores(url: str) -> None:
    assert is_store(url, GRAPH)
