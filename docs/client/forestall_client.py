"""A client of forestall 0.1.0.

`forestall docs` writes this file from the description of the API: do not edit it.

    api = Forestall("http://127.0.0.1:8000", token="fst_…")
    for alert in api.pages(api.list_alerts, level="red", status="open"):
        print(alert["id"], alert["score"])

Methods are named after the operations of /openapi.json and return what is answered: JSON as Python
values, everything else as bytes. A refusal raises ProblemError, which says what to do. Each write
carries an Idempotency-Key, so that a lost one can be sent again without being done twice.
It needs httpx.
"""

from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

ATTEMPTS = 3
JSON = ("application/json", "application/problem+json")


class ProblemError(Exception):
    """What the API refused, why (``detail``), and what to do about it (``remedy``)."""

    def __init__(self, document: dict[str, Any]) -> None:
        parts = (f"{document.get('status')}:", document.get("detail"), document.get("remedy"))
        super().__init__(" ".join(str(part) for part in parts if part))
        self.status = document.get("status")
        self.detail = document.get("detail")
        self.remedy = document.get("remedy")
        self.document = document


def _given(values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}


def _quoted(value: object) -> str:
    return quote(str(value), safe="")


class Forestall:
    """The operations of the API. Use it in a with block, or close it."""

    def __init__(self, base_url: str, *, token: str, timeout_s: float = 30) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def pages(
        self, operation: Callable[..., Any], /, *args: Any, **query: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page after page."""
        cursor = None
        while True:
            page = operation(*args, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        arguments: dict[str, Any] = {"params": _given(query), "headers": _given(headers)}
        if method != "GET":
            arguments["headers"].setdefault("idempotency-key", str(uuid4()))
        if body is not None:
            arguments["json"] = body
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.http.request(method, path, **arguments)
                break
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    raise
        is_json = answer.headers.get("content-type", "") in JSON
        if answer.is_error:
            raise ProblemError(answer.json() if is_json else {"status": answer.status_code})
        return answer.json() if is_json and answer.content else answer.content or None

    def add_disposition(
        self,
        alert_id: str,
        body: dict[str, Any],
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Record what was found. 412 if somebody else recorded a result since the alert was read:
        nothing is overwritten.

        `If-Match` is the ETag of the alert's dispositions, `"0"` before the first one.
        """
        return self._send(
            "POST",
            f"/api/v1/alerts/{_quoted(alert_id)}/dispositions",
            headers={
                "If-Match": if_match,
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def add_suppression(
        self,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Keep a person from being alerted until it expires, unless new money moves. 409 if one is
        in force.
        """
        return self._send(
            "POST",
            "/api/v1/suppressions",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def add_user(
        self,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Add a user; the token in the answer is shown this once."""
        return self._send(
            "POST",
            "/api/v1/users",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def add_webhook(
        self,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Add a receiver of messages about new alerts; the secret in the answer is shown this once.

        Messages are signed after the Standard Webhooks scheme and hold no personal data. They
        are sent again, with growing pauses, until the receiver answers with a 2xx status or they
        are given up.
        """
        return self._send(
            "POST",
            "/api/v1/webhooks",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def assign_alert(
        self,
        alert_id: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Give an alert to a colleague."""
        return self._send(
            "PUT",
            f"/api/v1/alerts/{_quoted(alert_id)}/assignee",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def change_user(
        self,
        name: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Change a user's role, communities, or whether they may come in."""
        return self._send(
            "PATCH",
            f"/api/v1/users/{_quoted(name)}",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def claim_alert(
        self,
        alert_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Claim one alert, or renew the own claim. 409 names whoever else has it."""
        return self._send(
            "POST",
            f"/api/v1/alerts/{_quoted(alert_id)}/claim",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def draw_alert(
        self,
        alert_id: str,
        *,
        lang: str | None = None,
    ) -> Any:
        """Draw the SHAP waterfall of one alert."""
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}/chart.svg",
            query={
                "lang": lang,
            },
        )

    def draw_scores(
        self,
        alert_id: str,
        *,
        lang: str | None = None,
    ) -> Any:
        """Draw how likely the person was in an episode over time."""
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}/scores.svg",
            query={
                "lang": lang,
            },
        )

    def draw_timeline(
        self,
        alert_id: str,
        *,
        lang: str | None = None,
    ) -> Any:
        """Draw the calls, texts and movements of money before one alert."""
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}/timeline.svg",
            query={
                "lang": lang,
            },
        )

    def enter_results(
        self,
        list_id: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Enter what came back on paper.

        An entry whose alert has moved on is refused; the others are recorded.
        """
        return self._send(
            "POST",
            f"/api/v1/outreach-lists/{_quoted(list_id)}/results",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def export_alerts_as_csv(
        self,
        *,
        level: str | None = None,
        scam_type: str | None = None,
        community_id: str | None = None,
        status: str | None = None,
        since: str | None = None,
        sort: str | None = None,
    ) -> Any:
        """Take the chosen alerts away as CSV; a stream of any length. Every call is audited."""
        return self._send(
            "GET",
            "/api/v1/alerts/export.csv",
            query={
                "level": level,
                "scam_type": scam_type,
                "community_id": community_id,
                "status": status,
                "since": since,
                "sort": sort,
            },
        )

    def export_alerts_as_ndjson(
        self,
        *,
        level: str | None = None,
        scam_type: str | None = None,
        community_id: str | None = None,
        status: str | None = None,
        since: str | None = None,
        sort: str | None = None,
    ) -> Any:
        """Take the chosen alerts away as JSON, one to a line; a stream of any length.

        Every call is audited.
        """
        return self._send(
            "GET",
            "/api/v1/alerts/export.ndjson",
            query={
                "level": level,
                "scam_type": scam_type,
                "community_id": community_id,
                "status": status,
                "since": since,
                "sort": sort,
            },
        )

    def finish_follow_up(
        self,
        follow_up_id: int,
        body: dict[str, Any],
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Close a follow-up with what was found."""
        return self._send(
            "POST",
            f"/api/v1/follow-ups/{_quoted(follow_up_id)}/done",
            headers={
                "If-Match": if_match,
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def get_user(
        self,
        name: str,
    ) -> Any:
        """Return one user."""
        return self._send(
            "GET",
            f"/api/v1/users/{_quoted(name)}",
        )

    def invite_user(
        self,
        name: str,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Take a user's password and return the path of a link, shown this once, with which they
        choose a new one.
        """
        return self._send(
            "POST",
            f"/api/v1/users/{_quoted(name)}/invitation",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def issue_token(
        self,
        name: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Issue a token for a machine; its secret is shown this once."""
        return self._send(
            "POST",
            f"/api/v1/users/{_quoted(name)}/tokens",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def lift_suppression(
        self,
        suppression_id: int,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """End a suppression before its time. 409 if it is over already."""
        return self._send(
            "POST",
            f"/api/v1/suppressions/{_quoted(suppression_id)}/lift",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def list_alerts(
        self,
        *,
        level: str | None = None,
        scam_type: str | None = None,
        community_id: str | None = None,
        status: str | None = None,
        since: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Any:
        """List current alerts page by page; an officer sees only the own communities."""
        return self._send(
            "GET",
            "/api/v1/alerts",
            query={
                "level": level,
                "scam_type": scam_type,
                "community_id": community_id,
                "status": status,
                "since": since,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def list_deliveries(
        self,
        webhook_id: int,
        *,
        state: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List the messages to a receiver, the newest first, and what became of them."""
        return self._send(
            "GET",
            f"/api/v1/webhooks/{_quoted(webhook_id)}/deliveries",
            query={
                "state": state,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_dispositions(
        self,
        alert_id: str,
    ) -> Any:
        """List what was found about an alert, oldest first.

        The ETag is what the next one has to name as If-Match.
        """
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}/dispositions",
        )

    def list_entries(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        day: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Any:
        """List who did what, the newest first."""
        return self._send(
            "GET",
            "/api/v1/audit",
            query={
                "actor": actor,
                "action": action,
                "subject": subject,
                "day": day,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def list_follow_ups(
        self,
        *,
        due_by: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List whom to ask again: open follow-ups that are due, the longest due first."""
        return self._send(
            "GET",
            "/api/v1/follow-ups",
            query={
                "due_by": due_by,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_outreach_lists(
        self,
        *,
        community_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List the lists that left the house: who took them, when, until when they hold.

        The newest first.
        """
        return self._send(
            "GET",
            "/api/v1/outreach-lists",
            query={
                "community_id": community_id,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_suppressions(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List who is not alerted for a while, why, until when and who answers for it.

        The newest first.
        """
        return self._send(
            "GET",
            "/api/v1/suppressions",
            query={
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_suspects(
        self,
        *,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List the latest suspect numbers or accounts, the likeliest first."""
        return self._send(
            "GET",
            "/api/v1/suspects",
            query={
                "kind": kind,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_tokens(
        self,
        *,
        user: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List the machines' tokens that are good: one's own, to an administrator those of all."""
        return self._send(
            "GET",
            "/api/v1/tokens",
            query={
                "user": user,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_users(
        self,
        *,
        role: str | None = None,
        active: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Any:
        """List the users by name."""
        return self._send(
            "GET",
            "/api/v1/users",
            query={
                "role": role,
                "active": active,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def list_watchlists(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List what was published, the newest first."""
        return self._send(
            "GET",
            "/api/v1/watchlists",
            query={
                "cursor": cursor,
                "limit": limit,
            },
        )

    def list_webhooks(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Any:
        """List the receivers, the first added first."""
        return self._send(
            "GET",
            "/api/v1/webhooks",
            query={
                "cursor": cursor,
                "limit": limit,
            },
        )

    def move_follow_up(
        self,
        follow_up_id: int,
        body: dict[str, Any],
        *,
        if_match: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Move a follow-up to another day."""
        return self._send(
            "POST",
            f"/api/v1/follow-ups/{_quoted(follow_up_id)}/move",
            headers={
                "If-Match": if_match,
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def read_alert(
        self,
        alert_id: str,
    ) -> Any:
        """Read one alert with its reasons, its SHAP contributions and what was found about it."""
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}",
        )

    def read_follow_up(
        self,
        follow_up_id: int,
    ) -> Any:
        """Read one follow-up. Its ETag is what a change has to name as If-Match."""
        return self._send(
            "GET",
            f"/api/v1/follow-ups/{_quoted(follow_up_id)}",
        )

    def read_latest(
        self,
    ) -> Any:
        """Read the latest list with every alert of its day so far, the most urgent first."""
        return self._send(
            "GET",
            "/api/v1/watchlists/latest",
        )

    def read_operations(
        self,
        *,
        lang: str | None = None,
    ) -> Any:
        """Read how runs, deliveries and models do, and what of it needs action."""
        return self._send(
            "GET",
            "/api/v1/operations",
            query={
                "lang": lang,
            },
        )

    def read_outreach(
        self,
        community_id: str,
        *,
        day: str | None = None,
        format_: str | None = None,
        lang: str | None = None,
        accept: str | None = None,
    ) -> Any:
        """Read whom to reach in a community on a day (default: the day of the latest list).

        Every call makes a list with an id of its own, which is audited. The form is `format`,
        else what the Accept header asks for, else JSON.
        """
        return self._send(
            "GET",
            f"/api/v1/outreach/{_quoted(community_id)}",
            query={
                "day": day,
                "format": format_,
                "lang": lang,
            },
            headers={
                "accept": accept,
            },
        )

    def read_outreach_list(
        self,
        list_id: str,
    ) -> Any:
        """Read a list without names: what was found since about each of its people."""
        return self._send(
            "GET",
            f"/api/v1/outreach-lists/{_quoted(list_id)}",
        )

    def read_queue(
        self,
        *,
        level: str | None = None,
        scam_type: str | None = None,
        community_id: str | None = None,
        status: str | None = None,
        assignee: str | None = None,
        since: int | None = None,
        page: int | None = None,
    ) -> Any:
        """Read what waits for somebody, the most urgent first, and what changed since the last
        list.
        """
        return self._send(
            "GET",
            "/api/v1/queue",
            query={
                "level": level,
                "scam_type": scam_type,
                "community_id": community_id,
                "status": status,
                "assignee": assignee,
                "since": since,
                "page": page,
            },
        )

    def read_scores(
        self,
        alert_id: str,
    ) -> Any:
        """Read how likely the person was in an episode since a month before the alert, oldest
        first.
        """
        return self._send(
            "GET",
            f"/api/v1/alerts/{_quoted(alert_id)}/scores",
        )

    def read_suspect(
        self,
        key: str,
    ) -> Any:
        """Read what was last published about a number or an account."""
        return self._send(
            "GET",
            f"/api/v1/suspects/{_quoted(key)}",
        )

    def read_talk(
        self,
        scam_type: str,
    ) -> Any:
        """Read what to ask and what to say.

        A scam type without a script of its own gets the one of `unknown`.
        """
        return self._send(
            "GET",
            f"/api/v1/talks/{_quoted(scam_type)}",
        )

    def read_trends(
        self,
        *,
        days: str | None = None,
    ) -> Any:
        """Read where, when and of which kind alerts were, how many were right, and what warnings
        prevented.
        """
        return self._send(
            "GET",
            "/api/v1/trends",
            query={
                "days": days,
            },
        )

    def read_watchlist(
        self,
        watchlist_id: int,
    ) -> Any:
        """Read one list with exactly the alerts it was published with, by rank."""
        return self._send(
            "GET",
            f"/api/v1/watchlists/{_quoted(watchlist_id)}",
        )

    def redeliver(
        self,
        webhook_id: int,
        delivery_id: int,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Send a message again from the start, whatever became of it."""
        return self._send(
            "POST",
            f"/api/v1/webhooks/{_quoted(webhook_id)}/deliveries/{_quoted(delivery_id)}/redeliver",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def release_alert(
        self,
        alert_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Give an alert back."""
        return self._send(
            "DELETE",
            f"/api/v1/alerts/{_quoted(alert_id)}/claim",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def remove_webhook(
        self,
        webhook_id: int,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Remove a receiver at once; what waits for it is given up."""
        return self._send(
            "DELETE",
            f"/api/v1/webhooks/{_quoted(webhook_id)}",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def rescore_person(
        self,
        person: str,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Score one person afresh from all that is known now; nothing is published by it.

        Every call is audited.
        """
        return self._send(
            "POST",
            f"/api/v1/people/{_quoted(person)}/rescore",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def reveal_person(
        self,
        alert_id: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Read who the person of an alert is. Every call is audited with its reason."""
        return self._send(
            "POST",
            f"/api/v1/alerts/{_quoted(alert_id)}/reveal",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def reveal_suspect(
        self,
        key: str,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Read the number or account behind a pseudonym. Every call is audited with its reason."""
        return self._send(
            "POST",
            f"/api/v1/suspects/{_quoted(key)}/reveal",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def revoke_token(
        self,
        token_id: int,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Revoke a machine's token: one's own, or as an administrator anybody's."""
        return self._send(
            "DELETE",
            f"/api/v1/tokens/{_quoted(token_id)}",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def revoke_user(
        self,
        name: str,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Disable a user at once, with every token they hold."""
        return self._send(
            "DELETE",
            f"/api/v1/users/{_quoted(name)}",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def search(
        self,
        body: dict[str, Any],
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Find alerts and suspects by a real number or ID.

        It is kept nowhere; that somebody searched is.
        """
        return self._send(
            "POST",
            "/api/v1/search",
            headers={
                "idempotency-key": idempotency_key,
            },
            body=body,
        )

    def take_next(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Claim the most urgent alert that nobody has. Two who ask at once get different ones."""
        return self._send(
            "POST",
            "/api/v1/queue/next",
            headers={
                "idempotency-key": idempotency_key,
            },
        )

    def who_am_i(
        self,
    ) -> Any:
        """Say who the token belongs to and what they may see."""
        return self._send(
            "GET",
            "/api/v1/me",
        )
