"""Settings are read from the environment once, and whatever is wrong is told in one line."""

from __future__ import annotations

from dataclasses import Field, FrozenInstanceError, fields, replace
from typing import Any

import pytest

from server.settings import Mode, Settings, SettingsError, read_settings, variable_name

SECRET = "a secret of thirty-two characters or more"
PRODUCTION = {"MEETINGS_MODE": "production", "MEETINGS_SECRET": SECRET}


def test_without_variables_every_setting_is_for_development() -> None:
    settings = read_settings({"HOME": "/", "MEETINGS": "ignored", "PORT": "1"})
    assert settings == Settings()
    assert settings.mode is Mode.DEVELOPMENT
    assert not settings.is_production
    assert settings.database_url.startswith("sqlite+aiosqlite:///")
    assert settings.broadcast_url == "memory://"
    assert settings.host == "127.0.0.1"
    assert settings.origins == ()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("mode", "production", Mode.PRODUCTION),
        ("mode", "development", Mode.DEVELOPMENT),
        ("database_url", "postgresql+asyncpg://a:b@c/d", "postgresql+asyncpg://a:b@c/d"),
        ("database_pool", "2", 2),
        ("broadcast_url", "redis://a:1/0", "redis://a:1/0"),
        ("secret", " kept as it is ", " kept as it is "),
        ("origins", "", ()),
        ("origins", " , ", ()),
        ("origins", "https://a.example", ("https://a.example",)),
        (
            "origins",
            "https://a.example, http://localhost:5173,",
            ("https://a.example", "http://localhost:5173"),
        ),
        ("origins", "*", ("*",)),
        ("session_seconds", "60", 60),
        ("metrics", "open", "open"),
        ("host", "::1", "::1"),
        ("port", "65535", 65_535),
    ],
)
def test_a_variable_sets_its_setting_only(name: str, text: str, expected: object) -> None:
    settings = read_settings({"MEETINGS_SECRET": SECRET, variable_name(name): text})
    assert getattr(settings, name) == expected
    others = {setting.name for setting in fields(Settings)} - {name, "secret"}
    assert all(getattr(settings, other) == getattr(Settings(), other) for other in others)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mode", ""),
        ("mode", "Production"),
        ("mode", "prod"),
        ("port", ""),
        ("port", "http"),
        ("port", "0"),
        ("port", "-1"),
        ("port", "65536"),
        ("port", "8000.0"),
        ("port", "²"),
        ("database_pool", "1"),
        ("database_pool", "1001"),
        ("session_seconds", "0"),
        ("session_seconds", "12h"),
        ("session_seconds", "9" * 20),
        ("origins", "a.example"),
        ("origins", "https://a.example/"),
        ("origins", "https://a.example, https://b.example/path"),
        ("origins", "https://user@a.example"),
        ("origins", "ftp://a.example"),
        ("origins", "https://"),
        ("origins", "https://["),
        ("origins", "null"),
    ],
)
def test_a_malformed_variable_is_told_in_one_line_with_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({variable_name(name): text})
    assert str(error.value).startswith(f"{variable_name(name)} is ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({}, None),
        ({"MEETINGS_ORIGINS": "https://a.example"}, None),
        ({"MEETINGS_SECRET": "x" * 32}, None),
        ({"MEETINGS_SECRET": "x" * 31}, "MEETINGS_SECRET"),
        ({"MEETINGS_SECRET": ""}, "MEETINGS_SECRET"),
        ({"MEETINGS_SECRET": Settings().secret}, "MEETINGS_SECRET"),
        ({"MEETINGS_ORIGINS": "*"}, "MEETINGS_ORIGINS"),
        ({"MEETINGS_METRICS": ""}, None),
        ({"MEETINGS_METRICS": "x" * 32}, None),
        ({"MEETINGS_METRICS": "x" * 31}, "MEETINGS_METRICS"),
        ({"MEETINGS_METRICS": "open"}, "MEETINGS_METRICS"),
        ({"MEETINGS_ORIGINS": "https://a.example, *"}, "MEETINGS_ORIGINS"),
    ],
)
def test_production_refuses_what_is_unsafe(
    variables: dict[str, str], complaint: str | None
) -> None:
    environment = {**PRODUCTION, **variables}
    if complaint is None:
        assert read_settings(environment).is_production
    else:
        with pytest.raises(SettingsError, match=complaint):
            read_settings(environment)
    assert read_settings({**environment, "MEETINGS_MODE": "development"})


def test_production_without_a_secret_is_refused() -> None:
    with pytest.raises(SettingsError, match="MEETINGS_SECRET"):
        read_settings({"MEETINGS_MODE": "production"})


def test_an_error_tells_no_secret() -> None:
    with pytest.raises(SettingsError) as error:
        read_settings({"MEETINGS_MODE": "production", "MEETINGS_SECRET": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_settings_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]
    assert replace(Settings(), port=1).port == 1


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_every_setting_has_a_meaning_for_operators(setting: Field[Any]) -> None:
    assert setting.metadata["meaning"]
    assert setting.metadata["unit"] is not None
