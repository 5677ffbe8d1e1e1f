"""Settings: read from one place, and refused by name."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from interlock.settings import Settings, SettingsInvalid, load_settings


def test_without_any_variable_it_serves_this_machine_only() -> None:
    settings = load_settings({})

    assert settings.http_host == "127.0.0.1"
    assert settings.http_port == 8080
    assert settings.data_folder == Path(".interlock")
    assert settings.database_url is None
    assert settings.allow_loopback_http is False


def test_variables_are_read_as_what_they_mean() -> None:
    settings = load_settings(
        {
            "INTERLOCK_DATA_FOLDER": "/var/lib/interlock",
            "INTERLOCK_HTTP_PORT": "9000",
            "INTERLOCK_ALLOW_LOOPBACK_HTTP": "true",
            "PATH": "/usr/bin",
        }
    )

    assert settings.data_folder == Path("/var/lib/interlock")
    assert settings.http_port == 9000
    assert settings.allow_loopback_http is True


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_spelling_of_a_postgresql_address_is_understood(scheme: str) -> None:
    settings = load_settings({"INTERLOCK_DATABASE_URL": f"{scheme}://me:secret@db:5432/interlock"})

    assert settings.database_url == "postgresql+psycopg://me:secret@db:5432/interlock"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("INTERLOCK_HTTP_PORT", "70000"),
        ("INTERLOCK_HTTP_PORT", "many"),
        ("INTERLOCK_DATABASE_URL", "sqlite:///canary.db"),
        ("INTERLOCK_DATABASE_URL", "canary"),
        ("INTERLOCK_DATABASE_URL", "postgresql://me:canary@db:fifty/interlock"),
        ("INTERLOCK_DATABASE_URL", "postgresql://me:canary@db:/x:y@z"),
        ("INTERLOCK_LOG_LEVEL", "canary"),
        ("INTERLOCK_ALLOW_LOOPBACK_HTTP", "canary"),
        ("INTERLOCK_KEY", ""),
        ("INTERLOCK_ALOW_LOOPBACK_HTTP", "canary"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name_without_being_quoted(
    variable: str, value: str
) -> None:
    with pytest.raises(SettingsInvalid, match=f"{variable}: ") as refusal:
        load_settings({variable: value})

    assert "canary" not in str(refusal.value)
    assert [name for name, _ in refusal.value.problems] == [variable]


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings({"INTERLOCK_HTTP_PORT": "0", "INTERLOCK_LOG_LEVEL": "loud"})

    assert len(refusal.value.problems) == 2


def test_secrets_are_not_shown() -> None:
    settings = load_settings(
        {"INTERLOCK_KEY": "canary", "INTERLOCK_DATABASE_URL": "postgresql://me:canary@db/x"}
    )

    assert "canary" not in repr(settings) + str(settings)


def test_settings_do_not_change() -> None:
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.http_port = 1


def test_a_variable_that_our_tests_read_keeps_nothing_from_starting() -> None:
    tests = Path(__file__).resolve().parents[1]
    read = set()
    for path in tests.rglob("*.py"):
        read |= set(re.findall(r'environ(?:\.get\(|\[)"(INTERLOCK_\w+)"', path.read_text(encoding="utf-8")))

    assert read >= {"INTERLOCK_SCREENSHOTS", "INTERLOCK_MIRAKL_OPENAPI"}
    assert load_settings(dict.fromkeys(read, "somewhere")) == load_settings({})
