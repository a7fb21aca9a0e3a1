"""The limit of open files: high enough for all connections, or no start."""

import resource

from shared.process.settings import SettingsError

# Postgres, RabbitMQ, rendering processes, health, metrics, the log, and sessions at their QUIT.
_BESIDES = 64


def provide(concurrency: int) -> None:
    """Raise the soft limit of open files to what this number of sessions needs.

    Raises SettingsError if the hard limit is lower: without free descriptors the ops port would not
    answer.
    """
    needed = 2 * concurrency + _BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SettingsError(
            f"MAILER_CONCURRENCY: {concurrency} sessions need {needed} open files, and the limit "
            f"is {hard} (ulimit -Hn)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
