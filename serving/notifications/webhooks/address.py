"""Where messages may go: a receiver's address must not turn this server against its own
network.

An address is looked at twice: its form when a receiver is added, and what its name stands for
whenever a connection is made, so that a name that points elsewhere later opens nothing.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from serving.context.settings import WebhookSettings
from serving.http.errors import ProblemError

__all__ = ["ForbiddenAddressError", "GuardedNetwork", "check_url"]

NOT_PLAIN = "The URL must be a plain one: scheme, host, port, path and query."

TRANSLATED = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 within a network
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
# That is this machine itself, which "::/96" would else refuse where private networks are allowed
LOOPBACK = ipaddress.IPv6Address("::1")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddressError(httpcore.ConnectError):
    """A receiver's name stands for an address that messages may not go to."""


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to what a name stands for only if every address of it is permitted."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._inner = httpcore.SyncBackend()
        self._private = settings.webhook_private_networks

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection to the very address that was looked at.

        Raises ForbiddenAddressError.
        """
        addresses = _addresses(host, port)
        if not all(is_permitted(address, private=self._private) for address in addresses):
            raise ForbiddenAddressError("messages may not go there")
        return self._inner.connect_tcp(
            str(addresses[0]), port, timeout, local_address, socket_options
        )


def check_url(url: str, *, settings: WebhookSettings) -> None:
    """Raise a 422 problem for a URL that no message may go to."""
    parts = _split(url)
    if parts is None:
        raise _refused(NOT_PLAIN)
    literal = _literal(parts.hostname or "")
    is_loopback = literal is not None and literal.is_loopback
    here = settings.webhook_private_networks and (parts.hostname == "localhost" or is_loopback)
    if (
        parts.username
        or parts.password
        or parts.fragment
        or not parts.hostname
        or _port(parts) is None
    ):
        raise _refused(NOT_PLAIN)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and (here or settings.webhook_plain_http)
    ):
        raise _refused("The URL must begin with https://.")
    if literal is not None and not is_permitted(literal, private=settings.webhook_private_networks):
        raise _refused("Messages may not go to this address.")


def is_permitted(address: Address, *, private: bool) -> bool:
    """Say whether messages may go to ``address``.

    The local link, where clouds answer with keys, never is, nor is an address within which another
    one hides.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address != LOOPBACK and any(address in network for network in TRANSLATED):
            return False
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if private and (address.is_private or address.is_loopback):
        return True
    return address.is_global and not address.is_reserved


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError("the name is not known") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL, None where its host has a bracket that nothing closes."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    """Return the port of a URL, 0 where it has none, None where it cannot be read."""
    try:
        return parts.port or 0
    except ValueError:
        return None


def _refused(detail: str) -> ProblemError:
    return ProblemError(
        422, detail, remedy="Give the https address of the receiver; settings can allow more."
    )
