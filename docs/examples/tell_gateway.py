"""What a message gateway does: receive a red alert, check the sender, claim the alert, read it.

    FORESTALL_URL=http://127.0.0.1:8000 FORESTALL_TOKEN=fst_… FORESTALL_SECRET=whsec_… \\
        python tell_gateway.py

The secret is the one that `POST /api/v1/webhooks` shows once. Needs httpx and standardwebhooks.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError


def receive(
    body: bytes, headers: dict[str, str], *, secret: str, api: httpx.Client
) -> dict[str, Any] | None:
    """Return the alert that a message is about, claimed; None where somebody else has it already.

    Raises WebhookVerificationError for a message that does not come from forestall, or is older
    than five minutes, and httpx.HTTPError where the API does not answer or refuses.
    """
    path = f"/api/v1/alerts/{Webhook(secret).verify(body, headers)['data']['alert_id']}"
    # Claiming again renews the own claim, so a message that comes twice does no harm
    claimed = api.post(f"{path}/claim")
    if claimed.status_code == httpx.codes.CONFLICT:
        return None
    claimed.raise_for_status()
    alert: dict[str, Any] = api.get(path).raise_for_status().json()
    return alert


def main() -> None:
    """Listen on port 9000 and print what there is to push."""
    token = os.environ["FORESTALL_TOKEN"]
    api = httpx.Client(
        base_url=os.environ["FORESTALL_URL"], headers={"Authorization": f"Bearer {token}"}
    )
    secret = os.environ["FORESTALL_SECRET"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                alert = receive(body, headers, secret=secret, api=api)
            except WebhookVerificationError:
                self.send_response(403)
            except httpx.HTTPError:
                self.send_response(503)  # anything but 2xx and 410, and forestall sends it again
            else:
                self.send_response(204)
                if alert is not None:
                    print(alert["level"], alert["community_id"], alert["reasons"][0]["zh"])
            self.end_headers()

    HTTPServer(("127.0.0.1", 9000), Handler).serve_forever()


if __name__ == "__main__":
    main()
