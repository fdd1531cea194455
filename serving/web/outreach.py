"""The pages of the outreach lists."""

from fastapi import APIRouter

__all__ = ["router"]

router = APIRouter()
