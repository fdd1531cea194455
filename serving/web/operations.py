"""The page of the engineers."""

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter()
