"""Rendering pages in the reader's language."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from serving.presentation import wording
from serving.presentation.translations import get_translator
from serving.vocabulary.languages import Language

__all__ = ["LANGUAGE_COOKIE", "language_of", "render_page", "see_other"]

LANGUAGE_COOKIE = "forestall_lang"
LANGUAGES = ("zh", "en")
TEMPLATES = Path(__file__).parent / "templates"

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals["wording"] = wording
environment.filters["masked"] = lambda key: f"{key[:9]}…" if len(key) > 10 else key


def said_by(name: str) -> Callable[[Context, Any], str]:
    """Return the filter that lets the page's translator say a value with its method ``name``."""

    @pass_context
    def say(context: Context, value: Any) -> str:
        return cast("str", getattr(context["_"], name)(value))

    return say


for name in ("moment", "day", "percent", "money", "number", "span"):
    environment.filters[name] = said_by(name)


def language_of(request: Request) -> Language:
    """Return the language of a page: in the address, chosen before, the browser's, else zh."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return cast("Language", chosen)
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def render_page(
    request: Request, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HTMLResponse:
    """Return a page; a language asked for in the address is remembered.

    ``address`` in the context is where the page in the other language stands, if not at the address
    of this request.
    """
    language = language_of(request)
    other: Language = "en" if language == "zh" else "zh"
    say = get_translator(language)
    page = environment.get_template(template).render(
        {"viewer": None, **context},
        _=say,
        ngettext=say.plural,
        language=language,
        other_language=other,
        here=request.url.path,
        switch=f"{context.get('address', '')}?{_query_in(request, other)}",
    )
    response = HTMLResponse(page, status)
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=365 * 86_400, httponly=True, samesite="strict"
        )
    return response


def see_other(path: str) -> RedirectResponse:
    """Send the browser on to ``path`` after a form, so that loading the page again sends nothing
    twice.
    """
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def _query_in(request: Request, language: Language) -> str:
    """Return the query of this page in another language; a login token does not stay in it."""
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"lang", "token"}
    ]
    return urlencode([*kept, ("lang", language)])
