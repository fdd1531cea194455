"""A small OpenID Connect provider on the loopback: discovery, keys, authorization code with PKCE,
signed ID tokens.

It is strict where a provider is: a code works once, for the client and address it was given to, and
only with the verifier of its challenge. What it signs can be bent, to see what a client believes.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "forestall", "a shared secret"


@cache
def a_key(whose: str) -> RSAKey:
    """Return a key of the provider, or of somebody else, always under the same name."""
    return RSAKey.generate_key(2048, parameters={"kid": "k1"})


class Provider:
    """What the provider knows: who is logged in (``claims``), and the codes it has given out."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.claims: dict[str, Any] = {
            "sub": "1001",
            "preferred_username": "wang.fang",
            "roles": ["forestall-analyst"],
        }
        self.bent: dict[str, Any] = {}
        self.key = a_key("provider")
        self.codes: dict[str, dict[str, str]] = {}
        self.address = ""

    def metadata(self) -> dict[str, Any]:
        """Return what discovery says."""
        endpoints = {name: f"{self.address}/{path}" for name, path in ENDPOINTS.items()}
        return {
            "issuer": self.address,
            **endpoints,
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where the browser goes once its person has agreed."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the tokens for a code, None where anything about it is wrong."""
        asked = self.codes.pop(form.get("code", ""), None)
        basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or authorization != basic or challenge != asked["code_challenge"]:
            return None
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        return {
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.signed(asked),
        }

    def signed(self, asked: dict[str, str]) -> str:
        """Return the ID token, as it should be but for what is bent."""
        now = self.clock()
        claims = {
            "iss": self.address,
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            **self.claims,
            **self.bent,
        }
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)


ENDPOINTS = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """Answer on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer discovery, keys and the authorization request."""
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/.well-known/openid-configuration":
                self.answer(200, provider.metadata())
            elif url.path == "/keys":
                self.answer(200, {"keys": [a_key("provider").as_dict(private=False)]})
            elif url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(asked))
                self.end_headers()
            else:
                self.answer(404, {})

        def do_POST(self) -> None:
            """Answer the token request."""
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            tokens = provider.token(form, self.headers.get("Authorization", ""))
            self.answer(200, tokens) if tokens else self.answer(400, {"error": "invalid_grant"})

        def answer(self, status: int, document: dict[str, Any]) -> None:
            """Send a JSON document."""
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
