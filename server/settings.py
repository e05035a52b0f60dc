"""Every setting of the process: name, default, unit, meaning; read once from MEETINGS_*.

Defaults are for development. What an organisation may decide (quorum, majorities, notice) is data
in the database, never a setting.
"""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from typing import Any
from urllib.parse import urlsplit


class Mode(Enum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingsError(ValueError):
    """A setting is missing, malformed or unsafe; the message is one line for the operator."""


DEVELOPMENT_SECRET = "for development only"  # noqa: S105 - refused in production


def _setting(default: Any, unit: str, meaning: str, limits: tuple[int, int] = (1, 2**31)) -> Any:
    """`limits` are the least and the most that a number may be."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "limits": limits})


OPEN = "open"
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Settings:
    mode: Mode = _setting(Mode.DEVELOPMENT, "", "development, or production with its checks")
    database_url: str = _setting(
        "sqlite+aiosqlite:///var/meetings.db", "URL", "sqlite+aiosqlite:// or postgresql+asyncpg://"
    )
    database_pool: int = _setting(
        10, "connections", "PostgreSQL connections of one worker", limits=(2, 1000)
    )
    broadcast_url: str = _setting(
        "memory://", "URL", "memory:// for one worker; redis:// or redis+cluster:// for several"
    )
    secret: str = _setting(DEVELOPMENT_SECRET, "text", "peppers activation codes; keep it")
    origins: tuple[str, ...] = _setting((), "origins", "other sites whose pages may open sockets")
    session_seconds: int = _setting(43_200, "seconds", "how long a sign-in lasts")
    session_maximum_seconds: int = _setting(
        2_592_000, "seconds", "how long one lasts at most, however often it is refreshed"
    )
    metrics: str = _setting(
        "", "text", "token of who may read /metrics; open: everybody, in development; empty: nobody"
    )
    developer_token: str = _setting(
        "", "text", "token of who is told of the schema in production; empty: nobody"
    )
    host: str = _setting("127.0.0.1", "address", "where to listen")
    port: int = _setting(8000, "port", "where to listen", limits=(1, 65_535))
    connections: int = _setting(20_000, "connections", "that one worker has at the same time")
    address_connections: int = _setting(2_000, "connections", "of one address, of these")
    address_requests: int = _setting(
        400, "a second", "requests of strangers from one address to one worker; ten times at once"
    )
    member_allowance: int = _setting(
        1, "times", "the usual that one member may ask for; more where programs share a token"
    )
    head_seconds: int = _setting(10, "seconds", "in which a request's head has to come")
    body_seconds: int = _setting(20, "seconds", "in which a request's body has to come")

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingsError."""
    values = {
        setting.name: _parse(setting, environment[name])
        for setting in fields(Settings)
        if (name := variable_name(setting.name)) in environment
    }
    settings = Settings(**values)
    if settings.is_production:
        _check_production(settings)
    return settings


def variable_name(setting: str) -> str:
    return f"MEETINGS_{setting.upper()}"


def _parse(setting: Field[Any], text: str) -> Any:
    name = variable_name(setting.name)
    match setting.default:
        case Mode():
            if text not in (known := [mode.value for mode in Mode]):
                raise SettingsError(f"{name} is {' or '.join(known)}, not {text!r}")
            return Mode(text)
        case int():
            least, most = setting.metadata["limits"]
            if not text.isdecimal() or not least <= int(text) <= most:
                raise SettingsError(f"{name} is a number from {least} to {most}, not {text!r}")
            return int(text)
        case tuple():
            origins = tuple(origin.strip() for origin in text.split(",") if origin.strip())
            if bad := [origin for origin in origins if not _is_origin(origin)]:
                raise SettingsError(f"{name} is a list like https://a.example, not {bad[0]!r}")
            return origins
        case _:
            return text


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text)
        is_clean = text == f"{url.scheme}://{url.netloc}" and url.username is None
        return text == "*" or (is_clean and url.scheme in ("http", "https") and bool(url.hostname))
    except ValueError:
        return False


def _check_production(settings: Settings) -> None:
    if settings.secret == DEVELOPMENT_SECRET or len(settings.secret) < SHORTEST_SECRET:
        raise SettingsError("production needs MEETINGS_SECRET of at least 32 characters")
    if 0 < len(settings.metrics) < SHORTEST_SECRET:  # which "open" is, too
        raise SettingsError("production needs MEETINGS_METRICS empty or of at least 32 characters")
    if 0 < len(settings.developer_token) < SHORTEST_SECRET:
        raise SettingsError(
            "production needs MEETINGS_DEVELOPER_TOKEN empty or of at least 32 characters"
        )
    if "*" in settings.origins:
        raise SettingsError("production refuses MEETINGS_ORIGINS=*")
