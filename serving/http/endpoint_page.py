"""The page of endpoints, ``docs/endpoints.md``, written from the description of the API."""

from collections.abc import Iterator

from serving.http.openapi import ROLES, Document, iterate_operations

__all__ = ["endpoint_page"]

HEAD = """# Endpoints

`forestall docs` writes this page from the description of the API: do not edit it. The tests send
a request of every role to every endpoint, and hold the answers against this table.
[The API](api.md) says how to use them.

| method | path | who | what |
|---|---|---|---|
"""


def endpoint_page(document: Document) -> str:
    """Return the page for the API that ``document`` describes: a row for each endpoint."""
    return HEAD + "".join(_rows(document))


def _rows(document: Document) -> Iterator[str]:
    for method, path, operation in sorted(iterate_operations(document), key=lambda row: row[1]):
        who = ", ".join(operation[ROLES]) or "anybody"
        what = " ".join(operation["description"].split("\n\n")[0].split())
        yield f"| `{method}` | `{path}` | {who} | {what} |\n"
