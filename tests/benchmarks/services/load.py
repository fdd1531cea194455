"""Clients that ask a server one request after the other, some of them at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import httpx

from tests.benchmarks.figures import Latency, summarise_latencies

__all__ = ["Answer", "send_requests"]

Request = Callable[[httpx.Client, int], httpx.Response]
Answer = httpx.Response
WARM_UP = 3  # requests before any is counted
WAIT_S = 300  # the first score of a person lays out the newest data


def send_requests(
    name: str, send: Request, *, clients: int, requests: int, note: str
) -> tuple[Latency, Sequence[Answer]]:
    """Send ``requests`` in all from ``clients`` at once, each over one connection of its own.

    ``send`` sends the request of a number. Returns the figures and the answers in order. Raises
    ``httpx.HTTPStatusError`` for an answer that is no success.
    """
    with httpx.Client(timeout=WAIT_S) as client:
        for number in range(WARM_UP):
            send(client, number).raise_for_status()
    began = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        shares = [range(first, requests, clients) for first in range(clients)]
        parts = list(pool.map(lambda numbers: send_in_turn(send, numbers), shares))
    elapsed_s = perf_counter() - began
    found = sorted(answer for part in parts for answer in part)
    waits = [wait for _, wait, _ in found]
    latency = summarise_latencies(name, waits, clients=clients, elapsed_s=elapsed_s, note=note)
    return latency, [answer for _, _, answer in found]


def send_in_turn(send: Request, numbers: Sequence[int]) -> list[tuple[int, float, Answer]]:
    """One client: the number, the seconds waited and the answer of each request."""
    found = []
    with httpx.Client(timeout=WAIT_S) as client:
        for number in numbers:
            began = perf_counter()
            answer = send(client, number)
            found.append((number, perf_counter() - began, answer))
            answer.raise_for_status()
    return found
