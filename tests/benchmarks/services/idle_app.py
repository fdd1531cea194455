"""An application with one route that does nothing."""

from fastapi import FastAPI

__all__ = ["app"]

app = FastAPI()


@app.get("/")
def answer() -> dict[str, str]:
    """Answer with a constant."""
    return {"status": "idle"}
