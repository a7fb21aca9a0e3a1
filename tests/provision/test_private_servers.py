import os
from pathlib import Path

import pytest

from provision import apt, docker, installed
from provision.account import Account
from provision.place import place
from provision.program import Unavailable
from provision.servers import Servers, running, start, stop

_GIVEN = {"DATABASE_URL": "postgresql://given/db", "AMQP_URL": "amqp://given/"}


def test_the_named_servers_are_found_again(servers: Servers, project: Path) -> None:
    assert start(project, "test") == servers


def test_given_servers_are_used_and_left_alone(checkout: Path) -> None:
    given = start(checkout, "demo", _GIVEN)
    assert given.database_url == _GIVEN["DATABASE_URL"]
    assert given.amqp_url == _GIVEN["AMQP_URL"]
    given.stop()
    assert running(checkout, "demo") == []
    assert [file.name for file in place(checkout, "demo").iterdir()] == ["lock"]


def test_without_any_way_the_advice_is_one_line(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "postgres", lambda *_: None)
    monkeypatch.setattr(docker, "engine_runs", lambda: False)
    monkeypatch.setattr("provision.apt.shutil.which", lambda _: None)
    apt.privilege.cache_clear()
    with pytest.raises(Unavailable) as caught:
        start(checkout, "demo", {"AMQP_URL": "amqp://given/"})
    apt.privilege.cache_clear()
    assert "DATABASE_URL" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stopping_what_was_never_started_does_nothing(checkout: Path) -> None:
    stop(checkout, "demo")
    assert running(checkout, "demo") == []


def test_servers_get_a_folder_that_their_account_can_reach(checkout: Path) -> None:
    checkout.chmod(0o700)
    folder = place(checkout, "demo")
    assert Account.current().reaches(folder)
    assert place(checkout, "demo") == folder
    assert (checkout / "var" / "demo").resolve() == folder


def test_root_hands_its_servers_to_nobody(checkout: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("nobody but root has another account for its servers")
    folder = Account.current().folder(place(checkout, "demo") / "postgres")
    assert folder.stat().st_uid == Account.current().uid != 0
