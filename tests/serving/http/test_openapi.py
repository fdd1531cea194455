"""The description of the API is true: each example fits its schema, and each request does what it
says.
"""

from collections.abc import Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import jsonschema
import pytest
from fastapi.routing import iter_route_contexts

from serving.app import api_document
from serving.http.idempotency import HEADER, WRITES
from serving.http.openapi import iterate_operations
from serving.http.routing import ApiRoute
from tests.serving.conftest import log_in_by_link
from tests.serving.example_world import World, build_world, example_app

Document = dict[str, Any]
JSON = "application/json"

# What outlives a token is not done with one.
LOGGED_IN_ONLY = {"invite_user"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a filled database, to be copied."""
    return build_world(tmp_path_factory.mktemp("world") / "world.db")


@pytest.fixture(scope="module")
def document(world: World, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Give the description, as it is sent."""
    client = world.client(tmp_path_factory.mktemp("described") / "serving.db")
    return client.get("/openapi.json").json()  # type: ignore[no-any-return]


def assert_fits(example: Any, schema: Mapping[str, Any], document: Document, where: str) -> None:
    validator = jsonschema.Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=jsonschema.FormatChecker()
    )
    assert [f"{where}: {error.message}" for error in validator.iter_errors(example)] == []


def test_the_description_can_be_had_without_a_server(document: Document) -> None:
    assert api_document() == document


def test_every_operation_says_what_it_is(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in iterate_operations(document)]
    assert len(names) == len(set(names)) >= 50
    for method, path, operation in iterate_operations(document):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)


def test_every_write_tells_of_its_key(document: Document) -> None:
    for method, path, operation in iterate_operations(document):
        named = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
        assert (HEADER.lower() in named) is (method in WRITES), (method, path)


def test_whatever_asks_who_it_is_says_so(document: Document) -> None:
    open_paths = [
        path for _, path, operation in iterate_operations(document) if not operation.get("security")
    ]
    assert open_paths == ["/health/live", "/health/ready"]


def test_every_example_fits_its_schema(document: Document) -> None:
    for method, path, operation in iterate_operations(document):
        for parameter in operation.get("parameters", ()):
            where = f"{method} {path} {parameter['name']}"
            assert "example" in parameter or not parameter["required"], where
            if "example" in parameter:
                assert_fits(parameter["example"], parameter["schema"], document, where)
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, body in bodies.items():
            content = body.get("content", {}).get(JSON)
            if content and content.get("schema"):
                assert "example" in content, f"{method} {path} {name}: a field has no example"
                assert_fits(
                    content["example"], content["schema"], document, f"{method} {path} {name}"
                )


def test_every_problem_has_one_form(document: Document) -> None:
    for method, path, operation in iterate_operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], (
                    method,
                    path,
                    status,
                )


LIMITS = {"pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"}
OURS_ALONE = {"Line"}  # of the call scripts, which no database holds


def limits_of(schema: Document, document: Document, known: frozenset[str]) -> set[str]:
    """Return the names of the schemas below ``schema`` that bound what a field may hold."""
    found = set()
    for part in (schema, *schema.get("properties", {}).values()):
        if LIMITS & part.keys():
            found.add(str(schema.get("title")))
        inner = [part.get("items", {}), *part.get("anyOf", ())]
        for one in (part, *inner):
            name = one.get("$ref", "").rpartition("/")[2]
            if name and name not in known:
                below = document["components"]["schemas"][name]
                found |= limits_of(below, document, known | {name})
    return found


def test_what_is_stored_can_always_be_shown(document: Document) -> None:
    bounded = set()
    for _, _, operation in iterate_operations(document):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                schema = response.get("content", {}).get(JSON, {}).get("schema", {})
                bounded |= limits_of(schema, document, frozenset())
    assert bounded == OURS_ALONE


def request_of(operation: Document, method: str, path: str) -> Document:
    """Return the arguments of a request made of the operation's examples alone."""
    given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            given[parameter["in"]][parameter["name"]] = str(parameter["example"])
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    arguments: Document = {
        "method": method,
        "url": path.format(**given["path"]),
        "params": given["query"],
    }
    return (
        arguments
        | {"headers": given["header"]}
        | ({"json": body["example"]} if "example" in body else {})
    )


def test_every_example_of_a_request_does_what_it_says(
    document: Document, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "serving.db"
    client = world.client(path)
    wrong = []
    for method, template, operation in iterate_operations(document):
        engine = client.app.state.services.engine  # type: ignore[attr-defined]
        arguments = request_of(operation, method, template)
        if operation["operationId"] in LOGGED_IN_ONLY:
            log_in_by_link(client, engine, "admin-1")
            arguments["headers"] |= {"Sec-Fetch-Site": "same-origin"}
        else:
            arguments["headers"] |= client.as_("admin")
        answer = client.request(**arguments)
        expected = min(int(status) for status in operation["responses"] if int(status) < 300)
        if answer.status_code != expected:
            wrong.append((operation["operationId"], answer.status_code, answer.text[:200]))
        if method in WRITES:  # the next one finds the world as it was
            engine.dispose()
            copy(world.path, path)
    assert wrong == []


def test_every_route_of_the_api_is_one_of_its_own(world: World) -> None:
    routes = iter_route_contexts(example_app(world.path).routes)
    of_api = [route for route in routes if str(route.path).startswith("/api/")]
    assert [route.path for route in of_api if not isinstance(route.original_route, ApiRoute)] == []


def test_a_filter_with_a_slip_of_the_pen_is_refused(world: World, tmp_path: Path) -> None:
    client = world.client(tmp_path / "serving.db")
    answer = client.get("/api/v1/watchlists?limmit=5", headers=client.as_("analyst"))
    assert answer.status_code == 422
    assert answer.json()["remedy"] == "Use only: cursor, limit."
    assert (
        client.get("/api/v1/me?x", headers=client.as_("analyst")).json()["remedy"]
        == "Leave the query out."
    )
