"""A real web server on a real port, for tests that need more than the application."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep

import uvicorn
from fastapi import FastAPI

from serving.app import server_config


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve ``app`` for the length of the block; give its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = server_config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended"
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()
