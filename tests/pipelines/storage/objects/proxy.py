"""A proxy in front of an object store that has bad days, in a process of its own: the libraries
that speak to it hold Python's lock meanwhile.

It reads lines of JSON: a list of rules takes the place of the one before, ``null`` asks for the
requests so far. Of the rules that fit a request the first that is not used up says what goes wrong.
"""

import http.client
import json
import re
import socket
import struct
import sys
import threading
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Rule:
    """``fault`` befalls the next ``times`` requests of this method whose address has ``path``.

    - ``late``: the answer comes ``seconds`` later.
    - ``busy``: it is 503, and nothing is done.
    - ``broken``: it is 500, and nothing is done.
    - ``reset``: the connection is reset, and nothing is done.
    - ``lost``: what was asked is done, and the connection is reset.
    - ``twice``: what was asked is done twice, the second answer is given.
    - ``flipped``: a bit of the answer is another.
    - ``cut``: half of the answer comes, then the connection ends.
    - ``refused``: it is 403.
    """

    method: str
    path: str
    fault: str
    times: int = 1
    seconds: float = 0

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and method == self.method and bool(re.search(self.path, path))


RULES: list[Rule] = []
SEEN: list[tuple[str, str, str]] = []
LOCK = threading.Lock()
ANSWERS = {"busy": 503, "broken": 500, "refused": 403}


def fault_of(method: str, path: str) -> Rule:
    """What goes wrong with a request; it is written down."""
    with LOCK:
        rule = next((one for one in RULES if one.fits(method, path)), Rule(method, path, "none"))
        rule.times -= 1
        SEEN.append((method, path, rule.fault))
        return rule


class Handler(BaseHTTPRequestHandler):
    """Hands requests on."""

    protocol_version = "HTTP/1.1"
    store: tuple[str, int]

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        rule = fault_of(self.command, self.path)
        if rule.fault in ANSWERS:
            self.answer(ANSWERS[rule.fault], {}, b"")
            return
        if rule.fault == "reset":
            self.reset()
            return
        status, headers, content = self.ask(body)
        if rule.fault == "twice":
            status, headers, content = self.ask(body)
        if rule.fault == "lost":
            self.reset()
            return
        time.sleep(rule.seconds)
        if rule.fault == "flipped":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.answer(status, headers, content, cut=rule.fault == "cut")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = hand_on  # noqa: N815

    def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(*self.store)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        length = answer.headers.get("Content-Length", "0")
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        connection.close()
        return answer.status, headers | {"Content-Length": length}, content

    def answer(
        self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in (headers | {"Content-Length": length or str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = cut

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.wfile = self.rfile = open("/dev/null", "r+b", buffering=0)  # noqa: SIM115, PTH123

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    Handler.store = ("127.0.0.1", int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    for line in sys.stdin:
        with LOCK:
            rules = json.loads(line)
            if rules is None:
                print(json.dumps(SEEN), flush=True)
            else:
                RULES[:] = [Rule(**one) for one in rules]
                SEEN.clear()
                print(json.dumps([asdict(one) for one in RULES]), flush=True)


if __name__ == "__main__":
    main()
