"""Health checks and metrics; they stand outside the versioned API, where machines look for them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.access.auth import allow_roles
from serving.access.dependencies import Reading, ServicesOfApp
from serving.operations.health import service
from serving.operations.health.schemas import Live, Ready
from serving.vocabulary.roles import Role, Viewer

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/health/live")
def live() -> Live:
    """Say that the process answers."""
    return Live()


@router.get("/health/ready")
def ready(session: Reading, services: ServicesOfApp) -> Ready:
    """Say that the database answers and what can be served."""
    return service.check_readiness(session, services=services)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(
    _viewer: Annotated[Viewer, Depends(allow_roles(Role.ENGINEER, Role.ADMIN))], request: Request
) -> Response:
    """Read the metrics in the form of Prometheus."""
    return Response(
        generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST
    )
