"""Settings, read once from the environment; every NAME may also be given as NAME_FILE."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from shared.db.databases import MAIN, Database
from shared.mail.dkim import Signer
from shared.mail.mailbox import Mailbox
from shared.mail.return_path import ReturnPaths
from shared.process.environment import setting
from shared.process.setting_checks import (
    answerable,
    follows,
    of_one_database,
    one_or_several,
    returnable,
    sender,
    signable,
)
from shared.process.setting_errors import first_line
from shared.process.setting_types import (
    AmqpUrl,
    CollectorUrl,
    DatabaseUrls,
    Delay,
    Domain,
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


class SettingsError(ValueError):
    """A setting is wrong or missing; the message is one line with its name but not its value."""


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
            raise SettingsError(first_line(error, cls.model_fields, names)) from None

    def model_post_init(self, context: Mapping[str, str] | None) -> None:
        """Store the name under which each setting was given."""
        self._names = dict(context or {})

    @property
    def old_names(self) -> dict[str, str]:
        """The settings that were given under their old names: old name -> new name."""
        return {old: field.upper() for field, old in self._names.items() if old != field.upper()}


class DatabaseSettings(Settings):
    """Settings of every process and command that uses Postgres: the one database, or several."""

    database_urls: DatabaseUrls = Field(default_factory=dict)
    database_url: Annotated[
        PostgresUrl, AfterValidator(one_or_several), Field(validate_default=True)
    ] = None

    @property
    def databases(self) -> tuple[Database, ...]:
        """The databases, in their order; at least one."""
        named = self.database_urls or {MAIN: self.database_url or ""}
        return tuple(Database(name, url, len(named) == 1) for name, url in named.items())

    @property
    def database(self) -> Database:
        """The database of a command. Raises SettingsError if there are several."""
        first, *others = self.databases
        if others:
            names = ", ".join(self.database_urls)
            raise SettingsError(f"DATABASE_URLS: choose one by --database: {names}")
        return first

    @property
    def apart(self) -> tuple[Self, ...]:
        """The settings for each of the databases alone."""
        if not self.database_urls:
            return (self,)
        each = ({"database_urls": {name: url}} for name, url in self.database_urls.items())
        return tuple(self.model_copy(update=one) for one in each)

    @property
    def servers(self) -> dict[str, str]:
        """The URL of each Postgres, by the name under which the process logs it."""
        return {
            "Postgres" if each.alone else f"Postgres {each.name}": each.url
            for each in self.databases
        }


class SendSettings(DatabaseSettings):
    """The operator's limits on sends, for requests over HTTP and over the queue."""

    max_lateness: Duration = timedelta(hours=72)
    max_recipients: Annotated[int, Field(ge=1, le=1000)] = 25
    daily_quota: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5_000
    rate_limit: Annotated[int, Field(ge=1, le=10_000_000)] = 6_000


class TracingSettings(Settings):
    """Where spans of OpenTelemetry go; other variables of OTEL_ are read by its SDK."""

    otel_exporter_otlp_endpoint: CollectorUrl = None


class PaceSettings(Settings):
    """How fast a mailer hands mails over; the API estimates by it how long a batch takes."""

    smarthost_rate: Rate = None
    domain_rate: Rate = None
    mailer_concurrency: Annotated[int, Field(ge=1, le=200)] = 10


class ReturnSettings(Settings):
    """The sender of mails, and the return paths of mails."""

    mail_from: Annotated[str | None, AfterValidator(sender)] = None
    bounce_domain: Domain = None
    return_secret: Annotated[Secret, AfterValidator(returnable)] = None
    return_secret_old: Annotated[Secret, AfterValidator(follows("return_secret"))] = None

    @property
    def return_paths(self) -> ReturnPaths | None:
        """What makes and reads signed return paths; None without RETURN_SECRET."""
        if self.return_secret is None:
            return None
        domain = self.bounce_domain or Mailbox.parse(self.mail_from or "").domain
        return ReturnPaths(self.return_secret, domain, old=self.return_secret_old)


class ApiSettings(SendSettings, PaceSettings, ReturnSettings, TracingSettings):
    """Settings of the HTTP API."""

    api_host: str = "127.0.0.1"
    api_port: Port = 8080
    api_workers: Annotated[int, Field(ge=1, le=64)] = 1
    drain_delay: Delay = timedelta(seconds=5)
    database_replica_url: Annotated[PostgresUrl, AfterValidator(of_one_database)] = None
    public_url: HttpUrl = "http://127.0.0.1:8080"
    unsubscribe_secret: Secret = None
    unsubscribe_secret_old: Annotated[Secret, AfterValidator(follows("unsubscribe_secret"))] = None
    # How the mailer makes mails, for previews of them; so is MAIL_FROM.
    attach_pdf: Literal["on", "off"] = "on"
    cors_origins: Origins = ()
    trusted_proxies: Networks = ()


class RelaySettings(SendSettings, TracingSettings):
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
    return_retention: Duration = timedelta(days=30)


class BrokerSettings(Settings):
    """Settings of commands that use only RabbitMQ."""

    amqp_url: AmqpUrl


class ErasureSettings(DatabaseSettings):
    """Settings of `erase`; without RabbitMQ the dead letters are not searched."""

    amqp_url: SearchedAmqpUrl = None


class SenderSettings(ReturnSettings):
    """Settings of the sender of mails."""

    mail_from: Annotated[str, AfterValidator(sender)]
    return_path: Literal["bounce", "plain"] = "bounce"
    dkim_keys: Annotated[str | None, AfterValidator(signable), Field(repr=False)] = None

    @property
    def signer(self) -> Signer | None:
        """What signs the mails of MAIL_FROM; None without DKIM_KEYS."""
        if self.dkim_keys is None:
            return None
        return Signer.of(Mailbox.parse(self.mail_from).domain, self.dkim_keys)


class SmtpSettings(SenderSettings):
    """Settings of the connection to the smarthost."""

    smtp_url: SmtpUrl
    ehlo_name: str | None = None


class MessageSettings(SenderSettings, DatabaseSettings):
    """Settings of rendering mails."""

    public_url: HttpUrl = "http://127.0.0.1:8080"
    unsubscribe_secret: Secret = None
    attach_pdf: Literal["on", "off"] = "on"
    list_unsubscribe: Annotated[Literal["off", "on"], AfterValidator(answerable)] = "off"


class MailerSettings(MessageSettings, SmtpSettings, BrokerSettings, PaceSettings, TracingSettings):
    """Settings of the mailer."""

    mail_redirect_to: str | None = None
    mailer_ops_host: str = "127.0.0.1"
    mailer_ops_port: Port = 8082
    lease: Duration = timedelta(seconds=30)
    retry_delay: Duration = timedelta(seconds=30)
    smtp_reply_timeout: Duration = timedelta(minutes=10)
