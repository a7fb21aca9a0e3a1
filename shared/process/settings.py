"""Settings, read once from the environment; every NAME may also be given as NAME_FILE."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
)

from shared.process import ranges
from shared.process.environment import setting
from shared.process.setting_types import (
    AmqpUrl,
    Delay,
    Duration,
    HttpUrl,
    Networks,
    Origins,
    Port,
    PostgresUrl,
    QueuePrefix,
    Rate,
    SearchedAmqpUrl,
    Secret,
    SmtpUrl,
)
from shared.validation import complaint


class SettingsError(ValueError):
    """A setting is wrong or missing; the message is one line with its name but not its value."""


def _answerable(chosen: str, info: ValidationInfo) -> str:
    """Check that unsubscribing can work: over HTTPS, with a secret for the links."""
    if chosen == "on":
        if info.data.get("unsubscribe_secret") is None:
            raise ValueError("needs UNSUBSCRIBE_SECRET")
        if not re.fullmatch(r"https://[!-;=?-~]{1,200}", info.data.get("public_url", "")):
            raise ValueError("needs a PUBLIC_URL that begins with https://")
    return chosen


class Settings(BaseModel):
    """The settings of every process; durations are written like 30s, 10m, 72h or 3d."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    # The name under which each setting was given.
    _names: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from `environ`. Raises SettingsError that names the wrong setting."""
        try:
            found = {name: setting(environ, name.upper()) for name in cls.model_fields}
        except ValueError as error:
            raise SettingsError(str(error)) from None
        names = {field: each.name for field, each in found.items() if each is not None}
        values = {field: each.value for field, each in found.items() if each is not None}
        try:
            return cls.model_validate(values, context=names)
        except ValidationError as error:
            raise SettingsError(_first_line(error, cls, names)) from None

    def model_post_init(self, context: Mapping[str, str] | None) -> None:
        """Store the name under which each setting was given."""
        self._names = dict(context or {})

    @property
    def old_names(self) -> dict[str, str]:
        """The settings that were given under their old names: old name -> new name."""
        return {old: field.upper() for field, old in self._names.items() if old != field.upper()}


class DatabaseSettings(Settings):
    """Settings of every process and command that uses Postgres."""

    database_url: PostgresUrl


class SendSettings(DatabaseSettings):
    """The operator's limits on sends, for requests over HTTP and over the queue."""

    max_lateness: Duration = timedelta(hours=72)
    max_recipients: Annotated[int, Field(ge=1, le=1000)] = 25
    daily_quota: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5_000
    rate_limit: Annotated[int, Field(ge=1, le=10_000_000)] = 6_000


class ApiSettings(SendSettings):
    """Settings of the HTTP API."""

    api_host: str = "127.0.0.1"
    api_port: Port = 8080
    api_workers: Annotated[int, Field(ge=1, le=64)] = 1
    drain_delay: Delay = timedelta(seconds=5)
    public_url: HttpUrl = "http://127.0.0.1:8080"
    unsubscribe_secret: Secret = None
    cors_origins: Origins = ()
    trusted_proxies: Networks = ()


class RelaySettings(SendSettings):
    """Settings of the relay: deliveries to RabbitMQ, requests from it, sweeper, events, pruning."""

    amqp_url: AmqpUrl
    reply_to_prefix: QueuePrefix = None
    relay_ops_host: str = "127.0.0.1"
    relay_ops_port: Port = 8081
    poll_interval: Duration = timedelta(seconds=1)
    sweep_interval: Duration = timedelta(seconds=10)
    queue_patience: Duration = timedelta(seconds=30)
    in_doubt_policy: Literal["hold", "resend"] = "hold"
    smtp_reply_timeout: Duration = timedelta(minutes=10)
    # Longer than answers of Idempotency-Keys are stored: a repetition must find the send.
    history_retention: Annotated[Duration, Field(ge=timedelta(days=2))] = timedelta(days=400)
    event_retention: Duration = timedelta(days=30)


class BrokerSettings(Settings):
    """Settings of commands that use only RabbitMQ."""

    amqp_url: AmqpUrl


class ErasureSettings(DatabaseSettings):
    """Settings of `erase`; without RabbitMQ the dead letters are not searched."""

    amqp_url: SearchedAmqpUrl = None


class SenderSettings(Settings):
    """Settings of the sender of mails."""

    mail_from: Annotated[str, Field(min_length=3)]
    return_path: Literal["bounce", "plain"] = "bounce"


class SmtpSettings(SenderSettings):
    """Settings of the connection to the smarthost."""

    smtp_url: SmtpUrl
    ehlo_name: str | None = None


class MessageSettings(SenderSettings, DatabaseSettings):
    """Settings of rendering mails."""

    public_url: HttpUrl = "http://127.0.0.1:8080"
    unsubscribe_secret: Secret = None
    attach_pdf: Literal["on", "off"] = "on"
    list_unsubscribe: Annotated[Literal["off", "on"], AfterValidator(_answerable)] = "off"


class MailerSettings(MessageSettings, SmtpSettings, BrokerSettings):
    """Settings of the mailer."""

    mail_redirect_to: str | None = None
    smarthost_rate: Rate = None
    domain_rate: Rate = None
    mailer_concurrency: Annotated[int, Field(ge=1, le=200)] = 10
    mailer_ops_host: str = "127.0.0.1"
    mailer_ops_port: Port = 8082
    lease: Duration = timedelta(seconds=30)
    retry_delay: Duration = timedelta(seconds=30)
    smtp_reply_timeout: Duration = timedelta(minutes=10)


def _first_line(error: ValidationError, model: type[Settings], names: Mapping[str, str]) -> str:
    faults = error.errors(include_input=False, include_url=False)
    missing = [str(each["loc"][0]).upper() for each in faults if each["type"] == "missing"]
    if missing:
        return f"{', '.join(missing)}: {'is' if len(missing) == 1 else 'are'} not set"
    first = faults[0]
    name = str(first["loc"][0])
    field = model.model_fields[name]
    range_ = None if first["type"] == "value_error" else ranges.requirement(field)
    return f"{names.get(name, name.upper())}: {range_ or complaint(first)}"
