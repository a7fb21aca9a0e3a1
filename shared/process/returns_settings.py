"""Settings of the listener, the process that receives returned mail."""

from typing import Annotated, cast

from pydantic import AfterValidator, Field

from shared.mail.return_path import ReturnPaths
from shared.process.listen_addresses import ListenAddress
from shared.process.setting_checks import returnable
from shared.process.setting_types import ListenAddresses, Port
from shared.process.settings import DatabaseSettings, ReturnSettings


class ReturnsSettings(ReturnSettings, DatabaseSettings):
    """Settings of the process that receives returned mail; without the secret it has no work."""

    return_secret: Annotated[str, Field(min_length=32, repr=False), AfterValidator(returnable)]
    returns_listen: ListenAddresses = (ListenAddress("smtp", "127.0.0.1", 2525),)
    returns_maildir: str | None = None
    returns_tls_cert: str | None = None
    returns_tls_key: str | None = None
    returns_ops_host: str = "127.0.0.1"
    returns_ops_port: Port = 8083

    @property
    def return_paths(self) -> ReturnPaths:
        """What reads signed return paths."""
        return cast("ReturnPaths", super().return_paths)
