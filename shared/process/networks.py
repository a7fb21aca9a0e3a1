"""Reads networks of IP addresses in a setting."""

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def read(value: object) -> object:
    """Return the networks in a comma-separated text. Raises ValueError if one is malformed."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(each.strip()) for each in value.split(","))
    except ValueError:
        raise ValueError("should be networks like 10.0.0.0/8, with commas between") from None
