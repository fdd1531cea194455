"""The application: the API under /api/v1, health and metrics, and the plain pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from serving.access.audit.endpoints import router as audit
from serving.access.dependencies import Clock, Services
from serving.access.users.endpoints import router as users
from serving.alerts.endpoints import router as alerts
from serving.alerts.people.endpoints import router as people
from serving.alerts.search.endpoints import router as search
from serving.alerts.suspects.endpoints import router as suspects
from serving.alerts.watchlists.endpoints import router as watchlists
from serving.casework.call_scripts.endpoints import router as talks
from serving.casework.call_scripts.service import load_call_scripts
from serving.casework.claims.endpoints import router as claims
from serving.casework.dispositions.endpoints import router as dispositions
from serving.casework.follow_ups.endpoints import router as follow_ups
from serving.casework.queue.endpoints import router as queue
from serving.casework.suppressions.endpoints import router as suppressions
from serving.context.ports import (
    DeliveryTrial,
    Finder,
    HomeWatch,
    IdentityVault,
    ModelPromoter,
    ReasonExplainer,
    Rescorer,
    Sealer,
)
from serving.context.settings import ServingSettings
from serving.database.audit_signature import Signer
from serving.database.engine import engine_for, open_database, signing_engine
from serving.http import errors
from serving.http.boundary.middleware import Boundary
from serving.http.kept_answers import InFlight
from serving.http.openapi import PROBLEM_RESPONSES, describe_api, operation_id
from serving.notifications.live.endpoints import router as live
from serving.notifications.live.feed import Feed
from serving.notifications.live.listeners import Listeners
from serving.notifications.webhooks.dispatcher import run_dispatcher
from serving.notifications.webhooks.endpoints import router as webhooks
from serving.operations.endpoints import router as operations
from serving.operations.health.endpoints import router as health
from serving.operations.health.metrics import Metrics
from serving.operations.trends.endpoints import router as trends
from serving.outreach.endpoints import router as outreach
from serving.outreach.exports.endpoints import router as exports
from serving.vocabulary.times import SHANGHAI
from serving.web.endpoints import router as pages

if TYPE_CHECKING:
    from uvicorn import Config

__all__ = ["api_document", "create_app", "serve_app", "server_config"]

API = "/api/v1"
# How long requests may still run when the server is stopped; pages that listen never end by
# themselves
GRACE_S = 3
UPLOADS = ("/operations/trial", "/operations/trial/mapping")  # forms that hold a delivered file
ROUTERS = (
    watchlists,
    exports,  # before the paths of single alerts, which would take its names for ids
    alerts,
    queue,
    claims,
    search,
    dispositions,
    follow_ups,
    suppressions,
    talks,
    suspects,
    people,
    outreach,
    operations,
    trends,
    users,
    audit,
    webhooks,
)
STATIC = Path(__file__).parent / "presentation" / "static"


def create_app(
    *,
    settings: ServingSettings,
    vault: IdentityVault | None = None,
    finder: Finder | None = None,
    rescorer: Rescorer | None = None,
    sealer: Sealer | None = None,
    promoter: ModelPromoter | None = None,
    trial: DeliveryTrial | None = None,
    explainer: ReasonExplainer | None = None,
    home_watch: HomeWatch | None = None,
    signer: Signer | None = None,
    clock: Clock = lambda: datetime.now(SHANGHAI),
) -> FastAPI:
    """Return the application on an up-to-date database.

    Without a ``vault`` there are no outreach lists and nothing is revealed, without a ``finder``
    nothing is found by a real number, without a ``rescorer`` there are no fresh scores, without a
    ``sealer`` no webhooks, without a ``promoter`` the pages promote no model, without a ``trial``
    they try no file, without an ``explainer`` they know reasons by what was reported alone, without
    a ``home_watch`` readiness is that of the database, without a ``signer`` the audit trail is
    chained and not signed; everything else works.
    """
    # Scripts that cannot be read must stop the start, not the call to a resident
    load_call_scripts()
    engine = open_database(settings.database_url, connections=settings.connections)
    if signer is not None:
        engine = signing_engine(engine, signer, at=clock())
    services = Services(
        engine=engine,
        settings=settings,
        clock=clock,
        vault=vault,
        finder=finder,
        rescorer=rescorer,
        sealer=sealer,
        promoter=promoter,
        trial=trial,
        explainer=explainer,
        home_watch=home_watch,
    )
    return _assembled(services)


def api_document() -> dict[str, Any]:
    """Return the description of the API as /openapi.json gives it; no database is needed."""
    nowhere = "sqlite://"
    services = Services(
        engine=engine_for(nowhere),
        settings=ServingSettings(database_url=nowhere),
        clock=lambda: datetime.now(SHANGHAI),
    )
    return _assembled(services).openapi()


@cache
def _routes() -> Sequence[BaseRoute]:
    """Return the routes of every application, put together once a process, as it takes long."""
    app = FastAPI(
        openapi_url=None, responses=PROBLEM_RESPONSES, generate_unique_id_function=operation_id
    )
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    # Never ends, as far as a client can tell
    app.include_router(live, prefix=API, include_in_schema=False)
    app.include_router(health)
    app.include_router(pages, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return tuple(app.routes)


@cache
def _route_paths() -> Mapping[Any, str]:
    """Return the path of each route by what answers it."""
    return {route.endpoint: str(route.path) for route in iter_route_contexts(_routes())}


def _assembled(services: Services) -> FastAPI:
    app = FastAPI(
        title="forestall",
        version=version("forestall"),
        summary="Who is being drawn into telecom fraud, and why.",
        docs_url=None,  # the usual documentation pages load their scripts from outside
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.metrics = Metrics(services)
    app.state.in_flight = InFlight()
    app.state.listeners = Listeners()
    app.state.feed = Feed(services.engine, every_s=services.settings.live_poll_s)
    app.router.routes.extend(_routes())
    errors.install_error_handlers(app)
    app.openapi = cache(partial(describe_api, app))  # type: ignore[method-assign]  # as FastAPI means it to be replaced
    app.add_middleware(
        Boundary,
        settings=services.settings,
        larger=dict.fromkeys(UPLOADS, services.settings.max_trial_bytes),
        streaming=[f"{API}/live"],
        latency=app.state.metrics.latency,
        paths=_route_paths(),
    )
    # Outermost: everything else sees the address that a trusted proxy gives, and no other one
    proxies = [str(network) for network in services.settings.trusted_proxies]
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    with run_dispatcher(app.state.services):
        yield


def serve_app(app: FastAPI, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve ``app`` until interrupted."""
    import uvicorn

    uvicorn.Server(server_config(app, host=host, port=port)).run()


def server_config(app: FastAPI, **options: Any) -> "Config":
    """Return how the web server runs ``app``; ``options`` are uvicorn's.

    The server's own access log stays off: it would keep query strings. Headers of proxies are the
    application's to believe or not.
    """
    from uvicorn import Config

    from serving.http.boundary.patience import impatient_protocol

    settings: ServingSettings = app.state.services.settings
    fixed: dict[str, Any] = {
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "log_level": "warning",
        "http": impatient_protocol(settings.request_read_s),
        "timeout_graceful_shutdown": GRACE_S,
    }
    return Config(app, **fixed | options)
