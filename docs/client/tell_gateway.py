"""What a message gateway does: hear of a red alert, check who says so, read the alert, claim it.

    FORESTALL_URL=http://127.0.0.1:8000 FORESTALL_TOKEN=fst_… FORESTALL_SECRET=whsec_… \\
        python tell_gateway.py

The secret is the one that `POST /api/v1/webhooks` shows once. Needs httpx and standardwebhooks.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from forestall_client import Forestall, ProblemError
from standardwebhooks import Webhook, WebhookVerificationError


def receive(
    body: bytes, headers: dict[str, str], *, secret: str, api: Forestall
) -> dict[str, Any] | None:
    """Return the alert that a message is about, claimed; None where somebody else has it already.

    Raises WebhookVerificationError for a message that does not come from forestall, or is older
    than five minutes.
    """
    data = Webhook(secret).verify(body, headers)["data"]
    try:
        api.claim_alert(data["alert_id"])
    except ProblemError as problem:
        if problem.status == 409:
            return None
        raise
    return api.read_alert(data["alert_id"])  # type: ignore[no-any-return]


def main() -> None:
    """Listen on port 9000 and print what there is to push."""
    api = Forestall(os.environ["FORESTALL_URL"], token=os.environ["FORESTALL_TOKEN"])
    secret = os.environ["FORESTALL_SECRET"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                alert = receive(body, headers, secret=secret, api=api)
            except WebhookVerificationError:
                self.send_response(403)
            else:
                self.send_response(204)  # anything else, and forestall sends it again
                if alert is not None:
                    print(alert["level"], alert["community_id"], alert["reasons"][0]["zh"])
            self.end_headers()

    HTTPServer(("127.0.0.1", 9000), Handler).serve_forever()


if __name__ == "__main__":
    main()
