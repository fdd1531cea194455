"""The composition root of serving: settings, vault and rescorer are handed to the application."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from fastapi import FastAPI
from sqlalchemy.orm import Session

from data_contracts.errors import NotReadyError
from pipelines.clock import SHANGHAI, wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.databases import open_serving_database
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.storage.installation.terminal import terminal_user
from pipelines.storage.installation.vault import Vault
from pipelines.webapp.communities import require_communities
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.database.engine import shows_every_row, write_transaction
from serving.notifications.webhooks.delivery import DeliveryCounts, deliver_due
from serving.outreach.service import ListRequest, is_published, issue_list
from serving.outreach.sheets import write_outreach
from serving.vocabulary.roles import Role, Viewer

__all__ = ["build_application", "deliver_webhooks", "issue_outreach_list", "run_server"]

Format = Literal["json", "csv", "xlsx"]
Language = Literal["zh", "en"]


def build_application(settings: Settings) -> FastAPI:
    """The serving room's application with everything of this installation that it needs."""
    from pipelines.storage.installation.signed_database import open_audit_key
    from pipelines.webapp.home_watch import InstallationWatch
    from pipelines.webapp.identifier_lookup import IdentifierLookup
    from pipelines.webapp.promotion import GatedPromoter
    from pipelines.webapp.reason_words import explain_reason
    from pipelines.webapp.rescore import LiveRescorer
    from pipelines.webapp.trial import UploadTrial
    from serving.app import create_app

    vault = Vault.open(settings)
    engine = open_serving_database(settings)  # its own, or no start
    signer = open_audit_key(settings, engine)
    engine.dispose()
    return create_app(
        settings=settings.located_serving,
        vault=vault,
        finder=IdentifierLookup(settings, vault=vault),
        rescorer=LiveRescorer(settings),
        sealer=vault,
        signer=signer,
        promoter=GatedPromoter(settings),
        explainer=explain_reason,
        trial=UploadTrial(settings),
        home_watch=InstallationWatch(settings),
    )


def run_server(settings: Settings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until stopped."""
    from serving.app import serve_app

    app = build_application(settings)
    say(
        f"pages on http://{host}:{port}/ – log in with a token "
        "from `forestall users add NAME --role analyst`"
    )
    if shows_every_row(app.state.services.engine):
        say(
            "row-level security does not bind: let forestall connect to PostgreSQL "
            "as an ordinary role"
        )
    serve_app(app, host=host, port=port)


@dataclass(frozen=True)
class OutreachFile:
    """An outreach list as a file: its number, its day, how many ``people`` stand on it, and whether
    anything was published that it could draw on.
    """

    list_id: str
    day: date
    people: int
    is_published: bool
    content: bytes


def issue_outreach_list(
    settings: Settings, *, community: str, day: date | None, form: Format, language: Language
) -> OutreachFile:
    """A community's list of ``day``, else of the newest list's day, as a file; it is audited.

    Raises ``NotReadyError`` where nothing was published, ``SettingsError`` for a community in which
    nobody lives.
    """
    require_communities(settings, [community])
    with write_transaction(open_signed_database(settings)) as session:
        request = ListRequest(
            viewer=Viewer(name=terminal_user(), role=Role.ADMIN, communities=None),
            community_id=community,
            day=day or latest_list_day(session),
            at=wall_clock(),
            language=language,
        )
        outreach = issue_list(
            session,
            request,
            form=form,
            vault=Vault.open(settings),
            settings=settings.located_serving,
        )
        return OutreachFile(
            list_id=outreach.list_id,
            day=request.day,
            people=len(outreach.rows),
            is_published=is_published(session, request.day, settings=settings.located_serving),
            content=write_outreach(outreach, format=form, language=language),
        )


def deliver_webhooks(settings: Settings) -> DeliveryCounts:
    """Send the messages to other systems that are due; say how many were delivered."""
    vault = Vault.open(settings)  # makes the home where there is none
    return deliver_due(
        open_serving_database(settings),
        sealer=vault,
        settings=settings.located_serving,
        clock=wall_clock,
    )


def latest_list_day(session: Session) -> date:
    """The day of the newest list."""
    newest = WatchlistRepository(session).latest()
    if newest is None:
        raise NotReadyError("nothing was published yet", remedy="Run `forestall score` first.")
    return newest.at.astimezone(SHANGHAI).date()
