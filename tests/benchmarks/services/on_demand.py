"""A fresh score of one person through the API, beside the same model served by MLflow."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from models.learning.risk import RiskModel
from models.registry.model_registry import MODEL_NAME
from pipelines.settings import Settings
from pipelines.storage.installation.models import open_registry
from tests.benchmarks.figures import Compared, Latency, largest_difference
from tests.benchmarks.services.api import running_api
from tests.benchmarks.services.load import Answer, send_requests
from tests.benchmarks.services.servers import free_port, running_server

__all__ = ["compare_on_demand"]

OURS = "score of one person, our API"
PEER = "score of one row, mlflow models serve"


def compare_on_demand(
    home: Path, model: RiskModel, rows: pl.DataFrame, *, requests: int
) -> tuple[tuple[Latency, ...], Compared]:
    """One client that asks for people of ``rows`` (a snapshot at the newest moment), in turn.

    Our API takes the features of the person from the newest data, scores and explains; MLflow's
    server is sent the features and scores them. Both check their input against a schema. If
    MLflow's server cannot run here, the row says why. Raises ``ValueError`` where scores differ.
    """
    asked = rows.head(requests)
    with running_api(home) as api:
        people = asked["person"].to_list()
        ours, answers = send_requests(
            OURS,
            lambda client, number: api.rescore_person(client, people[number % len(people)]),
            clients=1,
            requests=requests,
            note="features from the newest data, score, level, reasons; audited",
        )
    scores = [answer.json()["score"] for answer in answers]
    try:
        peer, predictions = ask_mlflow(home, model, asked, requests=requests)
    except RuntimeError as error:
        why = " ".join(str(error).split())[-300:]  # a row of a table is one line
        return (ours,), compared_row(ours, None, note=f"mlflow models serve did not run: {why}")
    difference = largest_difference(scores, predictions)
    note = "p50; ours computes the features and explains, the peer is sent the features"
    return (ours, peer), compared_row(ours, peer, note=note, difference=difference)


def ask_mlflow(
    home: Path, model: RiskModel, rows: pl.DataFrame, *, requests: int
) -> tuple[Latency, Sequence[float]]:
    """The waits for MLflow's server and its scores, row by row in turn."""
    bodies = [request_body(model, rows[place]) for place in range(len(rows))]
    with running_mlflow(home) as address:

        def send(client: httpx.Client, number: int) -> Answer:
            return client.post(f"{address}/invocations", json=bodies[number % len(bodies)])

        latency, answers = send_requests(
            PEER,
            send,
            clients=1,
            requests=requests,
            note="score from features that the request brings; its own schema check",
        )
    return latency, [read_prediction(answer) for answer in answers]


@contextmanager
def running_mlflow(home: Path) -> Iterator[str]:
    """Serve the champion of a home with MLflow until the block ends; gives the address."""
    settings = Settings.load(home)
    version = open_registry(settings).champion()
    if version is None:
        raise RuntimeError("there is no champion")
    port = free_port()
    model = f"models:/{MODEL_NAME}/{version.version}"
    command = ["mlflow", "models", "serve", "--model-uri", model, "--env-manager", "local"]
    with running_server(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        ready_url=f"http://127.0.0.1:{port}/ping",
        environment={"MLFLOW_TRACKING_URI": settings.mlflow_database_url},
    ):
        yield f"http://127.0.0.1:{port}"


def request_body(model: RiskModel, row: pl.DataFrame) -> dict[str, Any]:
    """The features of one row as MLflow's server reads them."""
    values = [None if math.isnan(value) else value for value in model.matrix(row)[0].tolist()]
    return {"dataframe_split": {"columns": list(model.features), "data": [values]}}


def read_prediction(answer: Answer) -> float:
    """The probability that MLflow's server answered with."""
    (found,) = answer.json()["predictions"]
    return float(found["probability"] if isinstance(found, dict) else found)


def compared_row(
    ours: Latency, peer: Latency | None, *, note: str, difference: float | None = None
) -> Compared:
    """The medians of the two side by side."""
    return Compared(
        name=OURS,
        peer="mlflow models serve",
        ours_s=ours.p50_s,
        peer_s=peer.p50_s if peer else None,
        rows=1,
        note=note,
        difference=difference,
    )
