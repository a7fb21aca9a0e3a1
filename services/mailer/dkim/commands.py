"""The commands for DKIM keys: make one, and compare the configured ones with the DNS."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.process.settings import SenderSettings, SettingsError

if TYPE_CHECKING:
    from shared.mail.dkim_key import KeyType

# The modules that need OpenSSL or a resolver are imported by the command that uses them: a mailer
# that signs nothing loads neither.


@click.group("dkim", short_help="Make and check the keys that sign mails")
def dkim() -> None:
    """Make keys that sign mails, and compare them with the DNS."""


@dkim.command(short_help="Make a key, and print its record")
@click.option("--domain", required=True, help="The domain of MAIL_FROM.")
@click.option("--selector", required=True, help="A name for the key that was never used before.")
@click.option(
    "--type", "kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file for it.")
def generate(domain: str, selector: str, kind: "KeyType", out: Path) -> None:
    """Write a new private key to a file, and print the record for the DNS."""
    from shared.mail.dkim_key import DkimKey  # noqa: PLC0415

    try:
        key = DkimKey.make(selector, domain, kind)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.text)
    except OSError as error:
        raise click.ClickException(f"--out {out}: {error.strerror}") from None
    click.echo(key.record)


@dkim.command(short_help="Compare the keys with their records")
@click.option("--zone", type=click.Path(path_type=Path), help="Read this zone file, not the DNS.")
@click.option("--resolver", help="Ask this DNS server, ADDRESS or ADDRESS:PORT, not the system's.")
@click.pass_context
def check(context: click.Context, zone: Path | None, resolver: str | None) -> None:
    """Compare each key in DKIM_KEYS with its record. Exit status 1 if one differs."""
    from services.mailer.dkim import published  # noqa: PLC0415
    from shared.mail.dkim_key import read_keys  # noqa: PLC0415

    environ: Mapping[str, str] = context.obj
    settings = SenderSettings.from_environ(environ)
    if settings.dkim_keys is None or settings.signer is None:
        raise SettingsError("DKIM_KEYS: is not set")
    signing = {key.domain for key in settings.signer.keys}
    keys, faults = read_keys(settings.dkim_keys), 0
    try:
        records = published.in_zone(zone) if zone else published.in_dns(resolver)
        for key in keys:
            if key.domain not in signing:
                click.echo(f"{key.name} ({key.kind}) signs nothing: MAIL_FROM has another domain")
            elif (fault := published.fault(key, records(key))) is None:
                click.echo(f"{key.name} ({key.kind}) is published")
            else:
                click.echo(f"{key.name} ({key.kind}) {fault}\n{key.record}")
                faults += 1
    except published.Unknown as error:
        raise click.ClickException(str(error)) from None
    context.exit(1 if faults else 0)
