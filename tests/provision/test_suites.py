from pathlib import Path

import pytest

from provision import suites
from provision.program import Unavailable
from provision.rabbitmq import RabbitMQ
from tests.servers import absent


@pytest.mark.long
def test_a_rabbitmq_of_another_debian_runs_on_this_one(folder: Path, project: Path) -> None:
    try:
        program = suites.rabbitmq(project, "trixie")
    except Unavailable as advice:
        absent(str(advice))
    broker = RabbitMQ(folder / "rabbitmq", lambda: program)
    broker.start()
    try:
        assert broker.control("version").startswith("4.")
        assert program.bin.is_relative_to(project.resolve() / "var")
    finally:
        broker.wipe()


def test_a_folder_without_rabbitmq_is_refused(folder: Path, project: Path) -> None:
    with pytest.raises(Unavailable, match="has no rabbitmq-server"):
        suites.rabbitmq(project, f"{folder}/sbin")
