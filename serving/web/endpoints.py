"""All the pages."""

from fastapi import APIRouter

from serving.web import access, alert, dispositions, operations, outreach, queue, suspects, trends

__all__ = ["router"]

router = APIRouter()
for area in (queue, alert, dispositions, suspects, outreach, trends, operations, access):
    router.include_router(area.router)
