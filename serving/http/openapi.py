"""The machine-readable description of the API, made from the endpoints themselves.

Every operation has a name of its own and a whole example of what it takes and gives. Examples are
put together from those of the single fields, so there is one place to mend them; the tests send
each of them to the real application.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from serving.http.errors import MEDIA_TYPE, ProblemDetails

__all__ = [
    "PROBLEM_RESPONSES",
    "ROLES",
    "Document",
    "describe_api",
    "example_of",
    "iterate_operations",
    "operation_id",
]

Document = dict[str, Any]

PROBLEM_STATUSES = {
    400: "The request cannot be read.",
    401: "Nobody is logged in, or the token is no good.",
    403: "The role may not do this.",
    404: "There is no such thing that you may see.",
    408: "The request came in too slowly.",
    409: "Somebody else changed it in the meantime.",
    413: "The request is too large.",
    422: "A field cannot be used.",
    429: "Too many requests, failed logins or reveals; Retry-After says when to come again.",
    503: "Something this needs is not there now.",
}
PROBLEM = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
    for status, text in PROBLEM_STATUSES.items()
}
FORMATS = {"date-time": "2026-07-05T09:00:00+08:00", "date": "2026-07-05"}
PLAIN: dict[str, Any] = {"boolean": False, "integer": 1, "number": 0.5, "object": {}, "null": None}
JSON = "application/json"
OPEN = "/health/"  # asks nobody who they are
ROLES = "x-roles"  # of an operation: the roles that may use it, none where anybody may


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation in generated clients: that of its endpoint."""
    return route.name


def describe_api(app: FastAPI) -> Document:
    """Return the OpenAPI document of ``app``, with summaries and whole examples."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    schemas[ProblemDetails.__name__] = ProblemDetails.model_json_schema()
    roles = _roles_by_path(app)
    for method, path, operation in iterate_operations(document):
        operation[ROLES] = sorted(roles[method, path])
        operation["summary"] = operation["summary"].capitalize()
        if path.startswith(OPEN):
            operation["security"] = []
        for parameter in operation.get("parameters", ()):
            _exemplify_parameter(parameter)
        _exemplify(operation.get("requestBody", {}), schemas, whole=False)
        for response in operation["responses"].values():
            _exemplify(response, schemas, whole=True)
    return document


def iterate_operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Document]]:
    """Yield method, path and description of every operation."""
    for path, of_path in document["paths"].items():
        for method, operation in of_path.items():
            yield method.upper(), path, operation


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, whole: bool) -> Any:
    """Return an example of ``schema``, from the examples of its fields.

    A ``whole`` one has every field, another only those that are required or have an example.
    Numbers explain themselves; raises LookupError for a text of which nobody has said what it looks
    like.
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, whole=whole)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if whole and schema.get("default") is not None:
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    if variants := schema.get("anyOf") or schema.get("oneOf"):
        return _example_of_variant(variants, schemas, whole=whole)
    return _example_of_type(schema, schemas, whole=whole)


def _roles_by_path(app: FastAPI) -> dict[tuple[str, str], frozenset[str]]:
    """Return the roles that each method and path lets in; none where it lets in anybody."""
    return {
        (method, str(context.path)): _roles_of(context.original_route.dependant)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    }


def _roles_of(dependant: Dependant) -> frozenset[str]:
    own: frozenset[str] = getattr(dependant.call, "roles", frozenset())
    return own.union(*(_roles_of(inner) for inner in dependant.dependencies))


def _example_of_variant(
    variants: list[Document], schemas: Mapping[str, Any], *, whole: bool
) -> Any:
    try:
        return example_of(variants[0], schemas, whole=whole)
    except LookupError:
        if any(variant.get("type") == "null" for variant in variants):
            return None
        raise


def _example_of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, whole: bool) -> Any:
    match schema.get("type"):
        case "object" if "properties" in schema:
            required = schema.get("required", ())
            return {
                name: example_of(field, schemas, whole=whole)
                for name, field in schema["properties"].items()
                if whole or name in required or _has_example(field)
            }
        case "array":
            return [example_of(schema["items"], schemas, whole=whole)]
        case "string" if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        case plain if plain in PLAIN:
            return max(schema["minimum"], PLAIN[plain]) if "minimum" in schema else PLAIN[plain]
    raise LookupError(f"{schema.get('title', schema)} needs an example")


def _has_example(field: Mapping[str, Any]) -> bool:
    return bool(field.get("examples"))


def _exemplify_parameter(parameter: Document) -> None:
    examples = parameter["schema"].pop("examples", None)
    if examples:
        parameter["example"] = examples[0]


def _exemplify(described: Document, schemas: Mapping[str, Any], *, whole: bool) -> None:
    """Add the example to a body or an answer in JSON; the tests see to it that there is one."""
    content = described.get("content", {}).get(JSON)
    if content and "schema" in content and "example" not in content:
        with suppress(LookupError):
            content["example"] = example_of(content["schema"], schemas, whole=whole)
