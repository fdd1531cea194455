"""The pages of the map and the trends."""

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter()
