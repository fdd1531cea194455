"""All the pages."""

from fastapi import APIRouter

from serving.web import (
    access,
    account,
    alert,
    audit,
    dispositions,
    operations,
    outreach,
    queue,
    suspects,
    trends,
    users,
)

__all__ = ["router"]

router = APIRouter()
for area in (queue, alert, dispositions, suspects, outreach, trends, operations, access, account, users, audit):
    router.include_router(area.router)
