import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.mailer.smtp.smarthost import Smarthost
from shared.process.settings import ApiSettings, MailerSettings

ROOT = Path(__file__).parents[2]
# Whose address of the database is in which folder.
ADDRESSES = {
    "lp_owner": "database",
    "lp_api": "api-database",
    "lp_relay": "relay-database",
    "lp_mailer": "mailer-database",
}
FOLDERS = ("postgres", "rabbitmq", "roles", "amqp", "unsubscribe", "return", *ADDRESSES.values())


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    return tmp_path


def make(volumes: Path) -> dict[str, str]:
    """Run the one-shot; return the content of each file by path."""
    script = ROOT / "docker" / "secrets.sh"
    subprocess.run(["sh", script, volumes], check=True, capture_output=True)
    return {
        str(path.relative_to(volumes)): path.read_text("utf-8")
        for path in volumes.rglob("*")
        if path.is_file()
    }


def test_the_passwords_are_long_and_the_urls_hold_them(volumes: Path) -> None:
    made = make(volumes)
    rabbitmq = urlsplit(made["amqp/url"].strip())
    assert (rabbitmq.username, rabbitmq.hostname) == ("ledgerpost", "rabbitmq")
    assert rabbitmq.password == made["rabbitmq/password"]
    for login, folder in ADDRESSES.items():
        database = urlsplit(made[f"{folder}/url"].strip())
        assert (database.username, database.hostname) == (login, "postgres")
        assert database.password == made[f"roles/{login.removeprefix('lp_')}"]
    passwords = [text for path, text in made.items() if path.startswith(("roles", "postgres"))]
    passwords += [made["rabbitmq/password"], made["rabbitmq/cookie"]]
    assert all(re.fullmatch("[0-9a-f]{64}", password) for password in passwords)
    assert len(set(passwords)) == len(passwords) == 9
    assert f"default_pass = {made['rabbitmq/password']}\n" in made["rabbitmq/rabbitmq.conf"]


def test_the_docs_back_up_and_restore_what_only_this_installation_knows(volumes: Path) -> None:
    """A new installation makes passwords of its own, but links in mails need the old secrets."""
    page = (ROOT / "docs" / "docker.md").read_text("utf-8").partition("\n## Restore\n")[2]
    secrets = [path for path in make(volumes) if path.endswith("/secret")]
    assert sorted(secrets) == ["return/secret", "unsubscribe/secret"]
    for path in secrets:
        kept = re.search(rf"secrets /secrets/{path} > (\S+)\n", page)
        assert kept
        assert f"'cat > /secrets/{path}' < {kept[1]}\n" in page


def test_the_program_takes_what_is_made(volumes: Path) -> None:
    make(volumes)
    settings = MailerSettings.from_environ(
        {
            "DATABASE_URL_FILE": str(volumes / "mailer-database" / "url"),
            "AMQP_URL_FILE": str(volumes / "amqp" / "url"),
            "SMTP_URL_FILE": str(ROOT / "docker" / "smtp_url"),
            "MAIL_FROM": "statements@ledgerpost.example",
            "UNSUBSCRIBE_SECRET_FILE": str(volumes / "unsubscribe" / "secret"),
            "LIST_UNSUBSCRIBE": "on",
            "RETURN_SECRET_FILE": str(volumes / "return" / "secret"),
            "PUBLIC_URL": "https://ledgerpost.example",
        }
    )
    ApiSettings.from_environ(
        {
            "DATABASE_URL_FILE": str(volumes / "api-database" / "url"),
            "MAIL_FROM": "statements@ledgerpost.example",
            **{
                f"{name.upper()}_SECRET{old}_FILE": str(volumes / name / file)
                for name in ("unsubscribe", "return")
                for old, file in (("", "secret"), ("_OLD", "old"))
            },
        }
    )
    smarthost = Smarthost.from_url(settings.smtp_url)
    assert settings.return_paths is not None
    assert (smarthost.host, smarthost.port, smarthost.username) == ("mailpit", 1025, None)


def test_a_second_run_changes_nothing(volumes: Path) -> None:
    assert make(volumes) == make(volumes)


def test_lost_urls_are_made_again_from_the_passwords(volumes: Path) -> None:
    before = make(volumes)
    (volumes / "api-database" / "url").unlink()
    (volumes / "roles" / "api").write_text("mine", "utf-8")
    after = make(volumes)
    assert urlsplit(after["api-database/url"]).password == "mine"
    assert after["amqp/url"] == before["amqp/url"]


def test_two_installations_share_no_password(volumes: Path) -> None:
    first = make(volumes)
    for path in first:
        (volumes / path).unlink()
    # Neither has an old secret.
    assert set(first.values()) & set(make(volumes).values()) == {""}


def test_a_secret_is_changed_as_the_docs_say_and_the_old_one_kept(volumes: Path) -> None:
    before = make(volumes)
    page = (ROOT / "docs" / "docker.md").read_text("utf-8")
    change, clear = re.findall(
        r"--entrypoint sh secrets -c (?:\\\n  )?'(.*?/return.*?)'$", page, re.MULTILINE
    )
    script = f"{ROOT / 'docker' / 'secrets.sh'} {volumes}"
    there = change.replace("/run/secrets.sh", "SCRIPT").replace("/secrets", str(volumes))
    subprocess.run(["sh", "-ec", there.replace("SCRIPT", script)], check=True, capture_output=True)
    after = make(volumes)
    assert after["return/old"] == before["return/secret"] != after["return/secret"]
    assert len(after["return/secret"]) == 64
    changed = {path for path in after if after[path] != before[path]}
    assert changed == {"return/old", "return/secret"}
    subprocess.run(["sh", "-ec", clear.replace("/secrets", str(volumes))], check=True)
    assert make(volumes)["return/old"] == ""
