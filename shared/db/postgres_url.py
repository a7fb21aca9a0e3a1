"""Which addresses of Postgres asyncpg understands."""

import re
from urllib.parse import parse_qsl, urlsplit

# What asyncpg takes from a URL as libpq means it; anything else it would ask the server to set.
_PARAMETERS = frozenset({
    "host", "port", "user", "password", "passfile", "database", "dbname", "service",
    "application_name", "options", "target_session_attrs", "krbsrvname", "gsslib",
    "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
})  # fmt: skip
_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    # Whatever we connect for, something is written.
    "target_session_attrs": ("any", "primary", "read-write"),
}
_NAME = re.compile(r"[a-z_]{1,40}")


def understood(url: str) -> str:
    """Return `url`; raises a ValueError that names a parameter that asyncpg does not know."""
    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name not in _PARAMETERS:
            # What a password with a stray & leaves here is not shown.
            which = f" {name}" if _NAME.fullmatch(name) else ""
            raise ValueError(
                f"has the parameter{which}, which is not supported;"
                " settings of the server go into options=-c%20name%3Dvalue"
            )
        allowed = _VALUES.get(name)
        if allowed is not None and value not in allowed:
            raise ValueError(f"{name} should be one of {', '.join(allowed)}")
    return url
