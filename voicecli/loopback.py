"""Which hosts are this machine, exactly as they are written (G6); it looks no name up and imports nothing of ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

NAME: Final = "localhost"


def loopback(host: str) -> str | None:
    """The literal address to use where `host` is `localhost`, in 127.0.0.0/8, or ::1; None: a stranger.

    Other spellings of these (127.1, 0x7f.1, ::ffff:127.0.0.1) are strangers too, though a system may resolve them.
    Brackets around an IPv6 address are for whoever reads URLs to take off.
    """
    if host.lower() == NAME:
        return "127.0.0.1"
    try:
        address = ip_address(host)
    except ValueError:
        return None
    match address:
        case IPv4Address():
            return str(address) if address.is_loopback else None
        case IPv6Address():
            return "::1" if host == "::1" else None
