import base64
import json
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


class Vhosts:
    """The vhosts of a RabbitMQ, made and deleted through its HTTP API (user and password in it)."""

    def __init__(self, management_url: str) -> None:
        parts = urlsplit(management_url)
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port}/api"
        self._user = parts.username or ""
        secret = f"{parts.username}:{parts.password}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}",
            "Content-Type": "application/json",
        }

    def create(self, name: str) -> None:
        """Create an empty vhost in which the user may do everything."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._call("PUT", f"/vhosts/{name}", {})
        self._call("PUT", f"/permissions/{name}/{self._user}", everything)

    def delete(self, name: str) -> None:
        """Delete the vhost and all that is in it, closing its connections."""
        self._call("DELETE", f"/vhosts/{name}")

    def limit_connections(self, name: str, most: int) -> None:
        """Let a vhost have so many connections at most."""
        self._call("PUT", f"/vhost-limits/{name}/max-connections", {"value": most})

    def set_policy(self, vhost: str, name: str, **definition: str | int) -> None:
        """Set a policy for all queues of a vhost, in the place of one with the same name."""
        body = {"pattern": ".*", "apply-to": "queues", "definition": definition}
        self._call("PUT", f"/policies/{vhost}/{name}", body)

    def create_user(self, name: str, password: str) -> None:
        """Create a user that may do nothing yet."""
        self._call("PUT", f"/users/{name}", {"password": password, "tags": ""})

    def permit(self, vhost: str, user: str, *, configure: str, write: str, read: str) -> None:
        """Let a user do in a vhost what the patterns allow."""
        patterns = {"configure": configure, "write": write, "read": read}
        self._call("PUT", f"/permissions/{vhost}/{user}", patterns)

    def permit_topics(self, vhost: str, user: str, exchange: str, *, write: str, read: str) -> None:
        """Let a user publish and bind with the routing keys that the patterns allow."""
        patterns = {"exchange": exchange, "write": write, "read": read}
        self._call("PUT", f"/topic-permissions/{vhost}/{user}", patterns)

    def delete_user(self, name: str) -> None:
        """Delete a user, closing its connections."""
        self._call("DELETE", f"/users/{name}")

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._base + path, data, self._headers, method=method)
        with urlopen(request, timeout=30):
            pass
