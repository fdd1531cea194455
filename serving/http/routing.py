"""The routes of the API: a write with a key is done once, and a name that nobody knows is not
passed over.
"""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from serving.http.errors import ProblemError
from serving.http.idempotency import WRITES, Handler, describe_key, done_once

__all__ = ["ApiRoute", "ApiRouter"]


class ApiRoute(APIRoute):
    """A route whose writes are done once for each key, and which refuses query parameters that it
    does not know.

    A filter with a slip of the pen would otherwise filter nothing, and nobody would notice.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if WRITES & set(options.get("methods") or ()):
            options["dependencies"] = [*(options.get("dependencies") or ()), Depends(describe_key)]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        """Return the handler of a request."""
        handle = done_once(super().get_route_handler())
        known = frozenset(_query_names(self.dependant))

        async def handle_known(request: Request) -> Response:
            if not known.issuperset(request.query_params):
                use = f"Use only: {', '.join(sorted(known))}." if known else "Leave the query out."
                raise ProblemError(
                    422, "The query has a parameter that is not known here.", remedy=use
                )
            return await handle(request)

        return handle_known


class ApiRouter(APIRouter):
    """A router of such routes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=ApiRoute, **options)


def _query_names(dependant: Dependant) -> Iterator[str]:
    """Yield the names of all query parameters, those inside a model one by one."""
    for parameter in dependant.query_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield parameter.alias
    for inner in dependant.dependencies:
        yield from _query_names(inner)
