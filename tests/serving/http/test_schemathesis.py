"""Many requests after the description, as every role: no crash, no answer it does not tell of, no
open door.
"""

import os
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
from tests.serving.example_world import World, build_world, example_app

EXAMPLES = int(os.environ.get("FORESTALL_TEST_EXAMPLES", "4"))  # for each operation, role and mode
ROLES = ("anonymous", "analyst", "officer", "engineer", "admin")
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# A request can fit the description and still be refused: a cursor of another list, a day that is
# past.
EXCLUDED = [checks.positive_data_acceptance]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Give a filled database, to be copied."""
    return build_world(tmp_path_factory.mktemp("world") / "world.db")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("role", ROLES)
def test_the_api_does_what_its_description_says(
    role: str, mode: GenerationMode, world: World, tmp_path: Path
) -> None:
    client = world.client(tmp_path / "serving.db")
    headers = {} if role == "anonymous" else client.as_(role)
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    failures: dict[str, str] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            _send(operation, headers=headers, mode=mode)
        except Unsatisfiable:  # nothing about this operation can be wrong
            continue
        except FailureGroup as error:
            failures[operation.label] = str(error)[:1500]
    assert not failures, "\n\n".join(f"=== {label}\n{text}" for label, text in failures.items())


def _send(operation: Any, *, headers: dict[str, str], mode: GenerationMode) -> None:
    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, headers=headers, excluded_checks=EXCLUDED)

    send()


def test_every_operation_is_tried(world: World) -> None:
    app = example_app(world.path)
    tried = schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()
    assert len(list(tried)) == len(list(iterate_operations(app.openapi()))) >= 50
