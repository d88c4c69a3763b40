"""Settings come from the environment, from atom.toml and from files with secrets."""

import os
import tomllib
from pathlib import Path

import pytest

from bots.directory_settings import DirectorySettings
from bots.settings import Settings, SlackSettings, TeamsSettings, Tuning, on_loopback
from bots.settings_sources import (
    read_settings,
    setting_names,
    unknown_variables,
)
from bots.settings_template import template
from bridge.errors import BadInput
from bridge.limits import windows

UUID = "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02"
SLACK = {"ATOM_SLACK_SIGNING_SECRET": "signed", "ATOM_SLACK_BOT_TOKEN": "xoxb-secret"}
TEAMS = {
    "ATOM_TEAMS_APP_ID": UUID,
    "ATOM_TEAMS_APP_PASSWORD": "p~ss.word",
    "ATOM_TEAMS_TENANT_ID": UUID,
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("ATOM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def refusal() -> str:
    with pytest.raises(BadInput) as caught:
        read_settings()
    return str(caught.value)


def test_with_nothing_set_everything_has_a_default_and_platforms_are_off() -> None:
    settings = read_settings()

    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.database == "sqlite:///var/atom.db"
    assert settings.slack is None
    assert settings.teams is None


def test_the_environment_fills_every_group(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **SLACK, **TEAMS, ATOM_PORT="9000", ATOM_TUNING_TRIES="3")

    settings = read_settings()

    assert settings.port == 9000
    assert settings.tuning.tries == 3
    assert settings.slack is not None
    assert settings.teams is not None
    assert settings.slack.bot_token is not None
    assert settings.slack.bot_token.get_secret_value() == "xoxb-secret"
    assert settings.teams.token_url == (
        f"https://login.microsoftonline.com/{UUID}/oauth2/v2.0/token"
    )


def test_the_file_says_the_same_in_tables(tmp_path: Path) -> None:
    (tmp_path / "atom.toml").write_text(
        'port = 9000\n[slack]\nsigning_secret = "s"\nbot_token = "t"\n'
    )

    settings = read_settings()

    assert settings.port == 9000
    assert settings.slack is not None


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "atom.toml").write_text(
        'port = 9000\n[slack]\nsigning_secret = "s"\nbot_token = "file"\n'
    )
    given(monkeypatch, ATOM_SLACK_BOT_TOKEN="variable")

    settings = read_settings()

    assert settings.slack is not None
    assert settings.slack.bot_token is not None
    assert settings.slack.bot_token.get_secret_value() == "variable"
    assert settings.slack.signing_secret is not None


@pytest.mark.parametrize(
    "name",
    ["ATOM_DATABASE_URL", "ATOM_REDIS_URL", "ATOM_CONSOLE_TOKEN"],
)
def test_a_secret_can_stand_in_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_text("redis://127.0.0.1/0\n")
    given(monkeypatch, **{f"{name}_FILE": str(tmp_path / "secret")})

    settings = read_settings()

    secret = getattr(settings, name.removeprefix("ATOM_").lower())
    assert secret.get_secret_value() == "redis://127.0.0.1/0"


def test_a_platforms_secret_can_stand_in_a_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    (tmp_path / "atom.toml").write_text('[slack]\nsigning_secret_file = "secret"\n')
    given(monkeypatch, ATOM_SLACK_BOT_TOKEN_FILE=str(tmp_path / "secret"))

    settings = read_settings()

    assert settings.slack is not None
    for secret in (settings.slack.signing_secret, settings.slack.bot_token):
        assert secret is not None
        assert secret.get_secret_value() == "from-file"


def test_a_secret_and_its_file_are_not_both_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given(monkeypatch, **SLACK, ATOM_SLACK_BOT_TOKEN_FILE=str(tmp_path / "x"))

    assert refusal() == (
        "ATOM_SLACK_BOT_TOKEN and ATOM_SLACK_BOT_TOKEN_FILE are both set: keep one"
    )


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_a_secrets_file_must_hold_something(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "secret").write_text(content)
    given(monkeypatch, ATOM_SLACK_BOT_TOKEN_FILE=str(tmp_path / "secret"))

    assert "ATOM_SLACK_BOT_TOKEN_FILE" in refusal()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ATOM_PORT": "65536"}, "ATOM_PORT must be a port"),
        ({"ATOM_PORT": "eighty"}, "ATOM_PORT must be a port"),
        ({"ATOM_TUNING_LEASE": "0"}, "ATOM_TUNING_LEASE must be seconds"),
        (
            {"ATOM_TUNING_TEAMS_CHANNEL_LIMIT": "7 a second"},
            "ATOM_TUNING_TEAMS_CHANNEL_LIMIT must be CALLS/SECONDS",
        ),
        (
            {"ATOM_TUNING_SLACK_CHANNEL_LIMIT": "1/0"},
            "ATOM_TUNING_SLACK_CHANNEL_LIMIT must be CALLS/SECONDS",
        ),
        (
            {**SLACK, "ATOM_SLACK_API_URL": "http://slack.example/"},
            "ATOM_SLACK_API_URL",
        ),
        ({**SLACK, "ATOM_SLACK_BOT_TOKEN": "two words"}, "ATOM_SLACK_BOT_TOKEN must"),
        (
            {**SLACK, "ATOM_SLACK_CLIENT_ID": "1.2"},
            "ATOM_SLACK_CLIENT_SECRET is missing",
        ),
        ({**SLACK, "ATOM_SLACK_CLIENT_SECRET": "s"}, "ATOM_SLACK_CLIENT_ID is missing"),
        ({"ATOM_SLACK_BOT_TOKEN": "t"}, "ATOM_SLACK_SIGNING_SECRET is missing"),
        ({"ATOM_SLACK_SIGNING_SECRET": "s"}, "ATOM_SLACK_BOT_TOKEN is missing"),
        ({"ATOM_SLACK_APP_TOKEN": "s"}, "ATOM_SLACK_BOT_TOKEN is missing"),
        ({**TEAMS, "ATOM_TEAMS_APP_ID": "mine"}, "ATOM_TEAMS_APP_ID must be a UUID"),
        ({"ATOM_TEAMS_APP_ID": UUID}, "ATOM_TEAMS_APP_PASSWORD is missing"),
        ({"ATOM_TEAMS_APP_PASSWORD": "p"}, "ATOM_TEAMS_APP_ID is missing"),
        ({**TEAMS, "ATOM_TEAMS_TOKEN_URL": "ftp://x/"}, "ATOM_TEAMS_TOKEN_URL must"),
        ({"ATOM_SLACK_BOT_TOKN": "t"}, "did you mean ATOM_SLACK_BOT_TOKEN?"),
        ({"ATOM_SLACK": "t"}, "ATOM_SLACK"),
        ({"ATOM_CONFIG": "nowhere.toml"}, "ATOM_CONFIG names nowhere.toml"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    given(monkeypatch, **variables)

    line = refusal()

    assert named in line
    assert "\n" not in line


# Any text will do for these until the server that they name is asked.
_FREE = {
    "ATOM_HOME", "ATOM_HOST", "ATOM_DATABASE_URL", "ATOM_TEAMS_ISSUER",
    "ATOM_KEYS_MODULE", "ATOM_KEYS_TOKEN", "ATOM_SLACK_CLIENT_ID",
    "ATOM_DIRECTORY_COMPANY", "ATOM_DIRECTORY_PEOPLE", "ATOM_DIRECTORY_URL",
    "ATOM_DIRECTORY_BASE", "ATOM_DIRECTORY_BIND", "ATOM_DIRECTORY_PASSWORD",
    "ATOM_DIRECTORY_CA",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(setting_names()) - _FREE))
def test_no_setting_is_taken_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given(monkeypatch, **{**SLACK, **TEAMS, name: "no such\tthing"})

    line = refusal()

    assert line.startswith(name)
    assert "\n" not in line


_TIMES = [
    f"ATOM_{group.upper()}_{name.upper()}"
    for group, model in (("tuning", Tuning), ("directory", DirectorySettings))
    for name, field in model.model_fields.items()
    if field.annotation is float
]


@pytest.mark.parametrize("name", _TIMES)
@pytest.mark.parametrize("value", ["inf", "nan", "1e999"])
def test_no_time_is_without_end(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    given(monkeypatch, **{name: value})

    assert refusal().startswith(f"{name} must be")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("port = ", "not valid TOML"),
        ("prot = 1", "did you mean ATOM_PORT?"),
        ("slack = 1", "ATOM_SLACK must be a table"),
        ("[slack]\nclient_id = 1.2\nclient_secret = 's'", "ATOM_SLACK_CLIENT_ID"),
        ("[tuning]\ntries = 'many'", "ATOM_TUNING_TRIES must be a number"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_as_well(
    tmp_path: Path, content: str, named: str
) -> None:
    (tmp_path / "atom.toml").write_text(content)

    assert named in refusal()


@pytest.mark.parametrize("name", ["ATOM_SLACK_BOT_TOKEN", "ATOM_SLACK_SIGNING_SECRET"])
def test_a_refused_secret_is_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given(monkeypatch, **{**SLACK, name: "hush hush"})

    assert "hush" not in refusal()


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://atom:hush@127.0.0.1/atom"
    given(
        monkeypatch, **SLACK, **TEAMS, ATOM_DATABASE_URL=url, ATOM_CONSOLE_TOKEN="hush"
    )

    text = f"{read_settings()!r} {read_settings()}"

    assert not [word for word in ("hush", "xoxb", "p~ss", "signed") if word in text]


@pytest.mark.parametrize("limit", ["none", "7/1", "7/1 8/2 60/30"])
def test_a_platforms_limit_can_be_set(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    given(monkeypatch, ATOM_TUNING_TEAMS_TENANT_LIMIT=limit)

    assert read_settings().tuning.teams_tenant_limit == limit
    assert limit == "none" or windows(limit)


def test_settings_cannot_be_changed() -> None:
    settings: object = Settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[attr-defined]


def test_an_address_alone_does_not_switch_a_platform_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, ATOM_SLACK_API_URL="http://127.0.0.1:1/slack/api/")

    assert read_settings().slack is None


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"signing_secret": "s"}, False),
        ({"app_token": "a"}, True),
        ({"signing_secret": "s", "app_token": "a"}, False),
    ],
)
def test_socket_mode_is_for_an_app_token_without_a_signing_secret(
    *, given_: dict[str, str], expected: bool
) -> None:
    settings = SlackSettings.model_validate({"bot_token": "t", **given_})

    assert settings.socket_mode is expected


def test_several_workspaces_need_no_bot_token() -> None:
    settings = SlackSettings.model_validate(
        {"signing_secret": "s", "client_id": "1.2", "client_secret": "c"}
    )

    assert settings.installable
    assert settings.bot_token is None


def test_a_client_id_that_looks_like_a_number_stays_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {"ATOM_SLACK_CLIENT_ID": "10.20", "ATOM_SLACK_CLIENT_SECRET": "c"}
    given(monkeypatch, **SLACK, **variables)

    slack = read_settings().slack

    assert slack is not None
    assert slack.client_id == "10.20"


def test_empty_variables_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, ATOM_REDIS_URL="", ATOM_SLACK_BOT_TOKEN="", ATOM_PORT="")

    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("http://[::1]/x", True),
        ("http://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("https://slack.com/", False),
    ],
)
def test_loopback_is_this_machine_alone(*, url: str, expected: bool) -> None:
    assert on_loopback(url) is expected


def test_strangers_in_the_environment_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, ATOM_COLOUR="blue", ATOM_PORT="1", ATOM_REDIS_URL_FILE="x")

    assert unknown_variables() == ["ATOM_COLOUR"]


def test_the_names_others_rely_on_exist() -> None:
    relied_on = {
        "ATOM_HOME", "ATOM_HOST", "ATOM_PORT", "ATOM_DATABASE_URL", "ATOM_REDIS_URL",
        "ATOM_SLACK_SIGNING_SECRET", "ATOM_SLACK_BOT_TOKEN", "ATOM_SLACK_APP_TOKEN",
        "ATOM_SLACK_CLIENT_ID", "ATOM_SLACK_CLIENT_SECRET", "ATOM_SLACK_API_URL",
        "ATOM_TEAMS_APP_ID", "ATOM_TEAMS_APP_PASSWORD", "ATOM_TEAMS_TENANT_ID",
        "ATOM_TEAMS_OPENID_URL", "ATOM_TEAMS_ISSUER", "ATOM_TEAMS_TOKEN_URL",
        "ATOM_TEAMS_GRAPH_URL", "ATOM_CONSOLE_TOKEN",
    }  # fmt: skip

    assert relied_on <= set(setting_names())


def test_the_template_sets_nothing_and_names_everything(tmp_path: Path) -> None:
    (tmp_path / "atom.toml").write_text(template())

    assert read_settings() == Settings()
    for model in (SlackSettings, TeamsSettings, Tuning):
        assert all(f"# {name} = " in template() for name in model.model_fields)


def test_the_template_is_right_when_its_lines_are_uncommented() -> None:
    lines = template().splitlines()
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in lines[4:]
    )

    tables = tomllib.loads(uncommented)

    assert tables["port"] == 8080
    assert tables["tuning"]["tries"] == Tuning().tries
    assert set(tables["slack"]) == set(SlackSettings.model_fields)


def test_a_bot_may_serve_several_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    other = UUID.replace("6f2d", "7a3e")
    given(monkeypatch, **TEAMS, ATOM_TEAMS_MORE_TENANTS=other.upper())

    settings = read_settings().teams

    assert settings is not None
    assert settings.tenants == (UUID, other)
    assert "/{tenant}/" in settings.token_url


def test_one_tenant_needs_no_place_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **TEAMS)

    settings = read_settings().teams

    assert settings is not None
    assert settings.tenants == (UUID,)
    assert f"/{UUID}/" in settings.token_url


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"ATOM_TEAMS_MORE_TENANTS": "globex"}, "UUIDs of further tenants"),
        (
            {
                "ATOM_TEAMS_MORE_TENANTS": UUID,
                "ATOM_TEAMS_TOKEN_URL": "https://login.example/token",
            },
            "ATOM_TEAMS_TOKEN_URL needs {tenant} in it",
        ),
    ],
)
def test_tenants_that_cannot_be_served_are_named(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str], told: str
) -> None:
    given(monkeypatch, **TEAMS, **more)

    assert told in refusal()
