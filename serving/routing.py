"""The router of the API: all its routes take an idempotency key with what they write."""

from typing import Any

from fastapi import APIRouter

from serving.idempotency.route import ApiRoute

__all__ = ["ApiRouter"]


class ApiRouter(APIRouter):
    """A router whose writes are done once for each key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=ApiRoute, **options)
