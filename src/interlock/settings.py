"""The settings of one installation: read once from the environment into one frozen object."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "INTERLOCK_"
_PUBLIC_URL = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class SettingsInvalid(Exception):
    """One or more settings cannot be used; the sentence names each variable, never its value."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        listed = "; ".join(f"{variable}: {what}" for variable, what in problems)
        super().__init__(
            f"Interlock cannot start because of its settings. {listed}. Correct the environment and start again."
        )


def _postgresql_only(url: str | None) -> str | None:
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError(
            "must be a PostgreSQL address such as postgresql://user:password@host:5432/interlock"
        )
    address = f"postgresql+psycopg://{rest}"
    try:
        make_url(address)
    except (ArgumentError, ValueError):
        raise ValueError(
            "cannot be read as an address such as postgresql://user:password@host:5432/interlock: the port is a number, "
            "and signs such as @ or / in the password are written as %40 or %2F"
        ) from None
    return address


def _host_names(text: str) -> str:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if any(_HOST_NAME.fullmatch(name) is None for name in names):
        raise ValueError("must be names such as interlock.example, comma separated, without scheme and port")
    return ",".join(names)


def _public_url(url: str) -> str:
    if url and _PUBLIC_URL.fullmatch(url.lower().rstrip("/")) is None:
        raise ValueError("must be an address such as https://interlock.example, without a path")
    return url.lower().rstrip("/")


def _proxies(text: str) -> str:
    found = [part.strip() for part in text.split(",") if part.strip()]
    try:
        for part in found:
            ip_network(part, strict=False)
    except ValueError:
        raise ValueError(
            "must be IP addresses or networks such as 10.0.0.5 or 10.0.0.0/24, comma separated"
        ) from None
    return ",".join(found)


def _group_roles(text: str) -> str:
    pairs = [part.strip() for part in text.split(",") if part.strip()]
    if any(
        not group.strip() or not role.strip() for group, _, role in (pair.partition("=") for pair in pairs)
    ):
        raise ValueError("must be pairs such as support=cx,finance-emea=finance@atlas, comma separated")
    return ",".join(pairs)


class Settings(BaseSettings):
    """Everything an operator may set for the whole installation; rules of one connection live in the database."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_folder: Path = Field(
        default=Path(".interlock"), description="Folder of the embedded database and the key file."
    )
    database_url: Annotated[str | None, AfterValidator(_postgresql_only)] = Field(
        default=None, repr=False, description="A PostgreSQL of your own; unset means the embedded one."
    )
    key: str | None = Field(
        default=None,
        repr=False,
        min_length=1,
        description="Encryption keys, comma separated; the first encrypts, all decrypt. Unset means the key file.",
    )
    http_host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    http_port: int = Field(default=8080, ge=1, le=65535, description="Port that `serve` listens on.")
    api_hosts: Annotated[str, AfterValidator(_host_names)] = Field(
        default="",
        description="Names, comma separated, under which a proxy of yours passes on calls of the API (/v1) and /metrics.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="",
        description="Address people reach the console under, such as https://interlock.example; unset means this machine only.",
    )
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] = Field(
        default="",
        description="Addresses of your proxies, comma separated: they speak TLS, and their X-Forwarded-For is believed.",
    )
    tls_certificate: Path | None = Field(
        default=None, description="Certificate chain (PEM) that `serve` itself speaks TLS with."
    )
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate.")
    second_factor: Literal["required", "offered"] = Field(
        default="required", description="Whether people with a password have to set up an authenticator app."
    )
    session_idle_minutes: int = Field(
        default=120, ge=5, le=1440, description="Minutes without a click after which somebody is signed out."
    )
    session_hours: int = Field(
        default=12, ge=1, le=168, description="Hours after which somebody has to sign in again in any case."
    )
    oidc_issuer: str = Field(
        default="", description="Issuer of your OpenID Connect provider; set, people may sign in with it."
    )
    oidc_client_id: str = Field(default="", description="The client that Interlock is at the provider.")
    oidc_client_secret: str = Field(default="", repr=False, description="That client's secret.")
    oidc_name: str = Field(
        default="your organisation", description="What the button at the login calls the provider."
    )
    oidc_groups_claim: str = Field(default="groups", description="The claim that lists somebody's groups.")
    oidc_roles: Annotated[str, AfterValidator(_group_roles)] = Field(
        default="",
        description="Which group gives which role, such as support=cx,it=engineer,uk=cx@atlas; who has none is not let in.",
    )
    allow_loopback_http: bool = Field(
        default=False, description="Permit platform addresses on plain http when they are on this machine."
    )
    history_days: int = Field(
        default=730,
        ge=90,
        le=36500,
        description="Days for which decisions, and the stories and calls of orders that ended, are kept.",
    )
    backup_file: Path | None = Field(
        default=None,
        description="A file that your backup writes when it has ended well; older than 26 hours pages the engineer.",
    )
    log_canaries: str = Field(
        default="",
        repr=False,
        description="Pieces of a made-up customer, comma separated; a log line that holds one is held back and pages.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or text for a person."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only arguments and the environment count: a stray file in the working folder changes nothing."""
        return init_settings, env_settings


def console_address(settings: Settings) -> str:
    """Where links in alerts lead: the public address, or this machine where there is none."""
    return settings.public_url or f"http://{settings.http_host}:{settings.http_port}"


OF_THE_TESTS = frozenset({f"{PREFIX}MIRAKL_OPENAPI", f"{PREFIX}SCREENSHOTS"})
"""What our tests read: where Mirakl's own document lies, and where pictures of the console go. No settings of the service,
and no obstacle to it."""


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process environment when omitted).

    Raises SettingsInvalid naming every variable that cannot be used, and every variable with our prefix that
    no setting answers to: a misspelt safety switch must not pass for one that is set.
    """
    source = os.environ if environ is None else environ
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OF_THE_TESTS
    problems = [
        (name, "is not a setting of Interlock")
        for name in sorted(source)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]
    given: dict[str, Any] = {
        name: source.get(f"{PREFIX}{name.upper()}", field.default)
        for name, field in Settings.model_fields.items()
    }
    try:
        settings = Settings(**given)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False, include_context=False):
            field = str(detail["loc"][0]) if detail["loc"] else "settings"
            problems.append((f"{PREFIX}{field.upper()}", detail["msg"].removeprefix("Value error, ")))
        raise SettingsInvalid(problems) from None
    if problems:
        raise SettingsInvalid(problems)
    return settings
