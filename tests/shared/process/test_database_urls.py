"""One database, or several with names."""

import pytest

from shared.db.databases import MOST
from shared.process.chosen_database import only
from shared.process.settings import ApiSettings, DatabaseSettings, SettingsError

ONE, TWO = "postgresql://lp:secret@db1/a", "postgres://lp:secret@db2,db3/b?sslmode=require"


def test_the_only_database_is_main() -> None:
    settings = DatabaseSettings.from_environ({"DATABASE_URL": ONE})
    [database] = settings.databases
    assert (database.name, database.url, database.label("x")) == ("main", ONE, "x")
    assert settings.database == database
    assert settings.servers == {"Postgres": ONE}
    assert settings.apart == (settings,)


def test_several_keep_their_order_and_names() -> None:
    settings = DatabaseSettings.from_environ({"DATABASE_URLS": f"west={ONE}\n  east={TWO}\n"})
    assert [(each.name, each.url) for each in settings.databases] == [("west", ONE), ("east", TWO)]
    assert [each.label("x") for each in settings.databases] == ["x.west", "x.east"]
    assert settings.servers == {"Postgres west": ONE, "Postgres east": TWO}
    assert [each.database.name for each in settings.apart] == ["west", "east"]
    with pytest.raises(SettingsError, match="choose one by --database: west, east"):
        _ = settings.database
    assert "secret" not in repr(settings)
    assert "secret" not in repr(settings.databases)


def test_a_replica_is_one_of_one_database() -> None:
    settings = ApiSettings.from_environ({"DATABASE_URL": ONE, "DATABASE_REPLICA_URL": TWO})
    assert settings.database_replica_url == TWO
    assert "secret" not in repr(settings)
    with pytest.raises(SettingsError, match="DATABASE_REPLICA_URL: is a replica of DATABASE_URL"):
        ApiSettings.from_environ({"DATABASE_URLS": f"a={ONE}", "DATABASE_REPLICA_URL": TWO})


def test_an_option_chooses_one_and_keeps_its_name() -> None:
    environ = only({"DATABASE_URLS": f"west={ONE} east={TWO}"}, "east")
    [database] = DatabaseSettings.from_environ(environ).databases
    assert (database.name, database.url, database.alone) == ("east", TWO, True)
    with pytest.raises(ValueError, match="has west, east"):
        only({"DATABASE_URLS": f"west={ONE} east={TWO}"}, "north")
    with pytest.raises(ValueError, match="has no database"):
        only({}, "north")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "DATABASE_URL: is not set"),
        ({"DATABASE_URL": ONE, "DATABASE_URLS": f"a={ONE}"}, "set either"),
        ({"DATABASE_URLS": ONE}, "DATABASE_URLS: should be entries like main=postgresql"),
        ({"DATABASE_URLS": f"A={ONE}"}, "DATABASE_URLS: should be entries"),
        ({"DATABASE_URLS": f"a={ONE} a={TWO}"}, "DATABASE_URLS: names a twice"),
        ({"DATABASE_URLS": "a=mysql://h/d"}, "DATABASE_URLS: a: should be a URL that begins"),
        ({"DATABASE_URLS": f"a={ONE}?nonsense=1"}, "DATABASE_URLS: a: has the parameter nonsense"),
        (
            {"DATABASE_URLS": " ".join(f"d{n}={ONE}" for n in range(MOST + 1))},
            f"DATABASE_URLS: should name at most {MOST} databases",
        ),
    ],
)
def test_a_wrong_one_is_named_without_its_value(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        DatabaseSettings.from_environ(given)
    assert said in str(error.value)
    assert "secret" not in str(error.value)
