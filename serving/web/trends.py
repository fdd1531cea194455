"""The page of the map and the trends."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from serving.access.auth import allow_roles
from serving.access.dependencies import Now, Reading
from serving.alerts.suspects import service as suspects
from serving.alerts.suspects.schemas import Suspect
from serving.operations.trends import charts
from serving.operations.trends.schemas import Period
from serving.operations.trends.service import READERS, compute_trends
from serving.presentation.templating import language_of, render_page
from serving.presentation.translations import get_translator
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = APIRouter()
Reader = Annotated[Viewer, Depends(allow_roles(*READERS))]

SUSPECTS_SHOWN = 8


@router.get("/trends")
def show_trends(
    request: Request, viewer: Reader, session: Reading, now: Now, days: Period = Period.FOUR_WEEKS
) -> Response:
    """Show where, when and of which kind alerts were, how many were right, and what warnings
    prevented.
    """
    say = get_translator(language_of(request))
    found = compute_trends(session, viewer=viewer, days=days, now=now)
    context = {
        "viewer": viewer,
        "found": found,
        "periods": [period.value for period in Period],
        "busiest": charts.busiest_communities(found.by_hour),
        "hours": charts.HOURS,
        "of_hour": {(cell.community_id, cell.of): cell.alerts for cell in found.by_hour},
        "types": charts.types_of(found.by_type),
        "of_type": {(cell.community_id, cell.of): cell.alerts for cell in found.by_type},
        "charts": {
            "hours": charts.community_hours(found.by_hour, say),
            "types": charts.community_types(found.by_type, say),
            "volume": charts.volume_chart(found.volume, say),
            "precision": charts.precision_chart(found.precision, say),
        }
        if found.alerts
        else {},
        "suspects": _suspects(session, viewer),
    }
    return render_page(request, "trends.html", context)


def _suspects(session: Session, viewer: Viewer) -> dict[str, list[Suspect]]:
    """Return the likeliest suspects of the latest list, for those who may read them."""
    if viewer.role not in suspects.READERS:
        return {}
    numbers = suspects.suspect_page(session, kind="number", cursor=None, limit=SUSPECTS_SHOWN)
    accounts = suspects.suspect_page(session, kind="account", cursor=None, limit=SUSPECTS_SHOWN)
    return {"number": numbers.items, "account": accounts.items}
