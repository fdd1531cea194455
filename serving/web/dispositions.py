"""The form under an alert: what was found, and who is not to be alerted for a while."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session

from serving.access.dependencies import Decider, Now, ServicesOfApp, Writing
from serving.access.users.colleagues import eligible_colleagues
from serving.alerts import service as alerts
from serving.alerts.schemas import AlertDetail, AlertId
from serving.casework.dispositions import service as dispositions
from serving.casework.dispositions.alert_series import series_of, unsettled_alerts
from serving.casework.dispositions.schemas import NewDisposition
from serving.casework.follow_ups import service as follow_ups
from serving.casework.suppressions import service as suppressions
from serving.casework.suppressions.endpoints import Suppressor
from serving.casework.suppressions.schemas import NewSuppression
from serving.context.services import Services
from serving.http.errors import ProblemError
from serving.presentation.templating import render_page, see_other
from serving.vocabulary.dispositions import SETTLED
from serving.vocabulary.roles import Role, Viewer
from serving.vocabulary.times import SHANGHAI
from serving.web.forms import Blank, form_problem, to_local_time

__all__ = ["handling_of", "router"]

router = APIRouter()
LONGEST = 2000  # characters; what the services allow is checked there, with better words
Text = Annotated[str, Field(max_length=4 * LONGEST)]
ShortText = Annotated[str | None, Blank, Field(max_length=100)]
Money = Annotated[str | None, Blank, Field(max_length=30)]
Fields = Mapping[str, str]


class DispositionForm(BaseModel):
    """What the form under an alert sends.

    ``follow_up``: the usual days, none, or those named in ``days``.
    """

    version: Annotated[int, Field(ge=0, lt=2**31)]
    result: ShortText = None
    note: Text = ""
    found_at: ShortText = None
    met_by: ShortText = None
    channel: ShortText = None
    paid_cny: Money = None
    prevented_cny: Money = None
    follow_up: Annotated[str, Field(max_length=10)] = "usual"
    days: Annotated[str, Field(max_length=60)] = ""
    snooze_days: Annotated[int, Field(ge=0, le=3650)] = 0
    escalate_to: ShortText = None
    escalate_why: Text = ""
    merged_into: ShortText = None
    whole_episode: bool = False

    def to_disposition(self, at: datetime) -> NewDisposition:
        """Return the disposition that the form describes.

        Raises ValidationError or ValueError where a field cannot be used.
        """
        fields: dict[str, Any] = self.model_dump(
            include={"result", "note", "met_by", "channel", "merged_into", "whole_episode"}
        )
        fields |= {
            "found_at": to_local_time(self.found_at),
            "paid_cny": self.paid_cny,
            "prevented_cny": self.prevented_cny,
        }
        if self.snooze_days:
            fields["snoozed_until"] = at + timedelta(days=self.snooze_days)
        if self.follow_up != "usual":
            days = (
                self.days.replace("，", " ").replace(",", " ").split()
                if self.follow_up == "own"
                else []
            )
            fields["follow_up_days"] = [int(day) for day in days]
        if self.escalate_to:
            fields["escalate"] = {"to": self.escalate_to, "why": self.escalate_why}
        return NewDisposition.model_validate(fields)


class SuppressionForm(BaseModel):
    """What the form for a suppression sends."""

    reason: Text = ""
    owner: ShortText = None
    days: Annotated[int, Field(ge=1, le=3650)]


@router.post("/alerts/{alert_id}/dispositions")
def record_disposition(
    *,
    alert_id: AlertId,
    request: Request,
    form: Annotated[DispositionForm, Form()],
    viewer: Decider,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> Response:
    """Record what was found and show the alert again.

    What cannot be recorded is shown with what was typed.
    """
    try:
        with session.begin_nested():
            dispositions.record_disposition(
                session,
                viewer=viewer,
                alert_id=alert_id,
                new=form.to_disposition(now),
                version=form.version,
                at=now,
                settings=services.settings,
                source="screen",
            )
    except (ProblemError, ValidationError, ValueError) as error:
        problem = error if isinstance(error, ProblemError) else form_problem(error)
        if problem.status not in {412, 422}:
            raise problem from None
        alert = alerts.alert_detail(session, viewer=viewer, alert_id=alert_id)
        typed = handling_of(session, viewer=viewer, alert=alert, services=services, at=now)
        context = {
            "viewer": viewer,
            "alert": alert,
            "handling": typed | {"typed": form},
            "problem": problem,
        }
        return render_page(request, "disposition.html", context, status=problem.status)
    return see_other(f"/alerts/{alert_id}")


@router.post("/alerts/{alert_id}/suppression")
def suppress_person(
    *,
    alert_id: AlertId,
    form: Annotated[SuppressionForm, Form()],
    viewer: Suppressor,
    session: Writing,
    now: Now,
    services: ServicesOfApp,
) -> Response:
    """Keep the person of an alert from being alerted for some days, to the end of the last one."""
    last = (now.astimezone(SHANGHAI) + timedelta(days=form.days)).date()
    until = datetime.combine(last, time(23, 59), SHANGHAI)
    try:
        new = NewSuppression(
            alert_id=alert_id, reason=form.reason, owner=form.owner, expires_at=until
        )
    except ValidationError as error:
        raise form_problem(error) from None
    longest = now + timedelta(days=services.settings.max_suppression_days)
    new.expires_at = min(until, longest)
    suppressions.suppress_person(
        session, viewer=viewer, new=new, at=now, settings=services.settings
    )
    return see_other(f"/alerts/{alert_id}")


def handling_of(
    session: Session, *, viewer: Viewer, alert: AlertDetail, services: Services, at: datetime
) -> dict[str, Any]:
    """Return what ``_disposition.html`` shows beside the alert itself."""
    row, _ = alerts.visible_alert(session, viewer=viewer, alert_id=alert.id)
    series = series_of(session, viewer=viewer, alert=row, settings=services.settings)
    return {
        "may_decide": viewer.role is not Role.ENGINEER,
        "may_suppress": viewer.role in {Role.ANALYST, Role.ADMIN},
        "settled": alert.status in SETTLED,
        "usual_days": follow_ups.usual_days(alert.scam_type, settings=services.settings),
        "follow_ups": follow_ups.follow_ups_of(session, alert_id=alert.id),
        "open_beside": [one for one, _ in unsettled_alerts(series, excluding=alert.id)],
        "earlier": [one for one, _ in series if one.issued_at < row.issued_at],
        "colleagues": eligible_colleagues(
            session, community_id=alert.community_id, excluding=viewer.name
        ),
        "suppression": suppressions.suppression_of(session, person=alert.person, at=at),
        "viewer_name": viewer.name,
        "typed": None,
    }
