"""Checks the parameters of a Postgres URL."""

import re
from urllib.parse import parse_qsl, urlsplit

# The parameters that asyncpg handles like libpq; it would send any other to the server as a
# setting.
_PARAMETERS = frozenset({
    "host", "port", "user", "password", "passfile", "database", "dbname", "service",
    "application_name", "options", "target_session_attrs", "krbsrvname", "gsslib",
    "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
})  # fmt: skip
_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    # All our processes write.
    "target_session_attrs": ("any", "primary", "read-write"),
}
_NAME = re.compile(r"[a-z_]{1,40}")


def understood(url: str) -> str:
    """Return `url`. Raises ValueError that names a parameter unknown to asyncpg."""
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name not in _PARAMETERS:
            # Part of a password may be here if it contains an unescaped &; it is not shown.
            which = f" {name}" if _NAME.fullmatch(name) else ""
            raise ValueError(
                f"has the parameter{which}, which is not supported;"
                " settings of the server go into options=-c%20name%3Dvalue"
            )
        allowed = _VALUES.get(name)
        if allowed is not None and value not in allowed:
            raise ValueError(f"{name} should be one of {', '.join(allowed)}")
    return url
