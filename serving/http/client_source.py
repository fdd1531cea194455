"""A client of the API in Python, written from its description: one method for each operation."""

import builtins
from textwrap import wrap

from serving.http.openapi import JSON, Document, iterate_operations

__all__ = ["client_source"]

WIDTH = 89  # of a docstring's lines, which stand eight columns in and begin with three quotes
API = "/api/"  # health and metrics are asked by machines of their own

HEAD = '''"""A client of forestall {version}.

`forestall docs` writes this file from the description of the API: do not edit it.

    api = Forestall("http://127.0.0.1:8000", token="fst_…")
    for alert in api.pages(api.list_alerts, level="red", status="open"):
        print(alert["id"], alert["score"])

Methods are named after the operations of /openapi.json and return what is answered: JSON as Python
values, everything else as bytes. A refusal raises ProblemError, which says what to do. Each write
carries an Idempotency-Key, so that a lost one can be sent again without being done twice.
It needs httpx.
"""

from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

ATTEMPTS = 3
JSON = ("application/json", "application/problem+json")


class ProblemError(Exception):
    """What the API refused, why (``detail``), and what to do about it (``remedy``)."""

    def __init__(self, document: dict[str, Any]) -> None:
        parts = (f"{{document.get('status')}}:", document.get("detail"), document.get("remedy"))
        super().__init__(" ".join(str(part) for part in parts if part))
        self.status = document.get("status")
        self.detail = document.get("detail")
        self.remedy = document.get("remedy")
        self.document = document


def _given(values: dict[str, Any] | None) -> dict[str, Any]:
    return {{name: value for name, value in (values or {{}}).items() if value is not None}}


def _quoted(value: object) -> str:
    return quote(str(value), safe="")


class Forestall:
    """The operations of the API. Use it in a with block, or close it."""

    def __init__(self, base_url: str, *, token: str, timeout_s: float = 30) -> None:
        headers = {{"Authorization": f"Bearer {{token}}", "Accept": "application/json"}}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def pages(
        self, operation: Callable[..., Any], /, *args: Any, **query: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page after page."""
        cursor = None
        while True:
            page = operation(*args, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        arguments: dict[str, Any] = {{"params": _given(query), "headers": _given(headers)}}
        if method != "GET":
            arguments["headers"].setdefault("idempotency-key", str(uuid4()))
        if body is not None:
            arguments["json"] = body
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.http.request(method, path, **arguments)
                break
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    raise
        is_json = answer.headers.get("content-type", "") in JSON
        if answer.is_error:
            raise ProblemError(answer.json() if is_json else {{"status": answer.status_code}})
        return answer.json() if is_json and answer.content else answer.content or None
'''


def client_source(document: Document) -> str:
    """Return the source of the client for the API that ``document`` describes."""
    found = sorted(iterate_operations(document), key=lambda each: str(each[2]["operationId"]))
    methods = [_method(*each) for each in found if each[1].startswith(API)]
    return HEAD.format(version=document["info"]["version"]) + "".join(methods)


def _method(method: str, path: str, operation: Document) -> str:
    """Return one method, each argument in a line of its own."""
    in_path, in_query, in_header = (
        _parameters(operation, where) for where in ("path", "query", "header")
    )
    has_body = JSON in operation.get("requestBody", {}).get("content", {})
    target = path.replace("{", "{_quoted(").replace("}", ")}")
    arguments = [
        "self",
        *(f"{_name(each)}: {_type(each)}" for each in in_path),
        *(["body: dict[str, Any]"] if has_body else []),
        *(["*"] if in_query or in_header else []),
        *(f"{_name(each)}: {_type(each)} | None = None" for each in in_query + in_header),
    ]
    sent = [
        f'"{method}"',
        f'f"{target}"' if in_path else f'"{target}"',
        *_mapping("query", in_query),
        *_mapping("headers", in_header),
        *(["body=body"] if has_body else []),
    ]
    call = [line for argument in sent for line in f"{argument},".splitlines()]
    lines = [
        "",
        f"def {operation['operationId']}(",
        *(f"    {argument}," for argument in arguments),
        ") -> Any:",
        *(f"    {line}".rstrip() for line in _docstring(operation)),
        "    return self._send(",
        *(f"        {line}" for line in call),
        "    )",
    ]
    return "".join(f"    {line}".rstrip() + "\n" for line in lines)


def _parameters(operation: Document, where: str) -> list[Document]:
    return [each for each in operation.get("parameters", ()) if each["in"] == where]


def _name(parameter: Document) -> str:
    name = str(parameter["name"]).lower().replace("-", "_")
    return f"{name}_" if name in dir(builtins) else name


def _type(parameter: Document) -> str:
    kinds = {part.get("type") for part in parameter["schema"].get("anyOf", [parameter["schema"]])}
    return "int" if "integer" in kinds else "str"


def _mapping(argument: str, parameters: list[Document]) -> list[str]:
    """Return the dictionary of what is given, one entry a line."""
    entries = [f'    "{each["name"]}": {_name(each)},' for each in parameters]
    return [argument + "={\n" + "\n".join(entries) + "\n}"] if entries else []


def _docstring(operation: Document) -> list[str]:
    paragraphs = operation["description"].replace("\\", "\\\\").split("\n\n")
    wrapped = [line for paragraph in paragraphs for line in ("", *wrap(paragraph, WIDTH))][1:]
    if len(wrapped) == 1 and len(wrapped[0]) <= WIDTH - len('"""'):
        return [f'"""{wrapped[0]}"""']
    return [f'"""{wrapped[0]}', *wrapped[1:], '"""']
