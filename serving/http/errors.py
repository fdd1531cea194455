"""Errors as RFC 9457 problem details: what happened, and what to do about it.

No problem repeats what was sent in: a request can hold a phone number or a token.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DatabaseError, IntegrityError
from starlette.exceptions import HTTPException

from data_contracts.errors import ConflictError, ForestallError, NotReadyError, SettingsError
from serving.presentation.templating import render_page
from serving.presentation.translations import N_

__all__ = [
    "MEDIA_TYPE",
    "ProblemDetails",
    "ProblemError",
    "answer_problem",
    "as_problem",
    "install_error_handlers",
    "is_page",
]

MEDIA_TYPE = "application/problem+json"

REMEDIES: Mapping[int, str] = {
    401: N_("Send a valid bearer token, or log in at /login."),
    403: N_("Ask an administrator for a role that may do this."),
    404: N_("Check the address; an alert outside your communities is not shown either."),
    405: N_("Use one of the methods that the Allow header names."),
    400: N_("Start again from the first page."),
    408: N_("Send the request again, in one go."),
    409: N_("Read it again, then decide again."),
    413: N_("Send less in one request."),
    422: N_("Correct the named fields and send the request again."),
    429: N_("Wait a moment, then send it again."),
    500: N_("Try again; if it stays, give the administrator the time of the request."),
    503: N_("Try again in a moment; if it stays, tell the administrator."),
}

STATUSES: Mapping[type[ForestallError], int] = {
    ConflictError: 409,
    SettingsError: 422,
    NotReadyError: 503,
}


class ProblemDetails(BaseModel):
    """A problem as RFC 9457 describes it, and what to do about it."""

    type: Annotated[str, Field(examples=["urn:forestall:problem:not-found"])]
    title: Annotated[str, Field(examples=["Not Found"])]
    status: Annotated[int, Field(examples=[404])]
    detail: Annotated[str, Field(examples=["There is no such alert in your communities."])]
    instance: Annotated[str, Field(examples=["/api/v1/alerts/al_00000000000000000000"])]
    remedy: Annotated[str, Field(examples=["Check the address."])]
    errors: Annotated[
        list[dict[str, str]] | None, Field(description="The fields at fault, with a 422.")
    ] = None


class ProblemError(ForestallError):
    """An answer other than success, with its HTTP status."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail, remedy=remedy or REMEDIES.get(status, ""))
        self.status = status
        self.headers = dict(headers or {})
        self.extra = extra

    def document(self, instance: str) -> dict[str, Any]:
        """Return the problem document for the request path ``instance``."""
        phrase = HTTPStatus(self.status).phrase
        return {
            "type": f"urn:forestall:problem:{phrase.lower().replace(' ', '-')}",
            "title": phrase,
            "status": self.status,
            "detail": str(self),
            "instance": instance,
            "remedy": self.remedy,
            **self.extra,
        }


def install_error_handlers(app: FastAPI) -> None:
    """Let every error of ``app`` leave as a problem document, or as a page where a page was asked
    for.
    """
    for kind in (
        ForestallError,
        HTTPException,
        RequestValidationError,
        IntegrityError,
        DatabaseError,
    ):
        app.add_exception_handler(kind, _on_error)


def is_page(request: Request) -> bool:
    """Say whether the request is for a page that people read."""
    return not request.url.path.startswith(("/api/", "/health/", "/metrics", "/openapi.json"))


def answer_problem(request: Request, problem: ProblemError) -> Response:
    """Return ``problem`` in the form the request can use.

    A page without a login leads to the login.
    """
    if not is_page(request):
        document = problem.document(request.url.path)
        return JSONResponse(
            document, problem.status, headers=problem.headers, media_type=MEDIA_TYPE
        )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    page = render_page(request, "error.html", {"problem": problem}, status=problem.status)
    page.headers.update(problem.headers)
    return page


async def _on_error(request: Request, error: Exception) -> Response:
    return answer_problem(request, as_problem(error))


def as_problem(error: Exception) -> ProblemError:
    """Return what can be told of ``error`` to whoever sent the request."""
    match error:
        case ProblemError():
            problem = error
        case RequestValidationError():
            fields = [
                {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
                for item in error.errors()
            ]
            problem = ProblemError(
                422, "The request has fields that cannot be used.", errors=fields
            )
        case HTTPException():
            problem = ProblemError(error.status_code, error.detail, headers=error.headers)
        case IntegrityError():
            problem = ProblemError(409, "Somebody else changed this in the meantime.")
        case DatabaseError():
            problem = ProblemError(503, "The serving database does not answer.")
        case ForestallError():
            status = next(
                (status for kind, status in STATUSES.items() if isinstance(error, kind)), 500
            )
            problem = ProblemError(status, str(error), remedy=error.remedy)
        case _:
            problem = ProblemError(500, "Something went wrong here.")
    return problem
