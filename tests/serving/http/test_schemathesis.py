"""Many requests after the description, as every role: no crash, no answer it does not tell of, no
open door.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from serving.http.openapi import iterate_operations
from tests.examples import examples
from tests.serving.conftest import Client
from tests.serving.example_world import World, build_world, example_app

EXAMPLES = int(os.environ.get("FORESTALL_TEST_EXAMPLES", "4"))  # for each operation and mode
ROLES = ("anonymous", "analyst", "officer", "engineer", "admin")
BOUNDED = settings(
    max_examples=examples(EXAMPLES).max_examples,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# A request can fit the description and still be refused: a cursor of another list, a day that is
# past.
EXCLUDED = [checks.positive_data_acceptance]
# A request that let somebody in is sent again by nobody and by a stranger. Neither has a role, so
# once is enough, whoever else it lets in.
ONCE = [checks.ignored_auth]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the environment for no proxy: the application is in this process, and asking takes longer
    than many an answer.
    """
    monkeypatch.setattr("requests.sessions.get_environ_proxies", lambda *_, **__: {})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a filled database, to be copied."""
    return build_world(tmp_path_factory.mktemp("world") / "world.db")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_the_api_does_what_its_description_says(
    mode: GenerationMode, world: World, tmp_path: Path
) -> None:
    """Each request is made once, which takes longest, and sent as every role; no role changes what
    another finds.
    """
    clients = {role: world.client(tmp_path / f"{role}.db") for role in ROLES}
    elsewhere = world.client(tmp_path / "elsewhere.db")  # what checks send of their own
    schema = schemathesis.openapi.from_asgi("/openapi.json", elsewhere.app)
    failures: dict[str, str] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            _send(operation, clients=clients, mode=mode)
        except Unsatisfiable:  # nothing about this operation can be wrong
            continue
        except FoundAsRoleError as error:
            failures[operation.label] = str(error)
    assert not failures, "\n\n".join(f"=== {label}\n{text}" for label, text in failures.items())


class FoundAsRoleError(AssertionError):
    """What went wrong as one of the roles."""


def _send(operation: Any, *, clients: Mapping[str, Client], mode: GenerationMode) -> None:
    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        excluded = EXCLUDED
        for role, client in clients.items():
            headers = {} if role == "anonymous" else client.as_(role)
            response = case.call(headers=headers, app=client.app)
            try:
                case.validate_response(response, headers=headers, excluded_checks=excluded)
            except FailureGroup as error:
                raise FoundAsRoleError(f"as {role}: {str(error)[:1500]}") from error
            if role != "anonymous" and 200 <= response.status_code < 300:
                excluded = EXCLUDED + ONCE

    send()


def test_every_operation_is_tried(world: World) -> None:
    app = example_app(world.path)
    tried = schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()
    assert len(list(tried)) == len(list(iterate_operations(app.openapi()))) >= 50
