"""All the pages."""

from fastapi import APIRouter

from serving.web import (
    alert,
    dispositions,
    follow_ups,
    outreach,
    queue,
    suppressions,
    suspects,
    trends,
)
from serving.web.accounts import account, audit, login, users
from serving.web.engineers import deliveries, operations, trial

__all__ = ["router"]

router = APIRouter()
worked = (queue, alert, dispositions, follow_ups, suppressions, suspects, outreach)
run = (trends, operations, deliveries, trial, login, account, users, audit)
for area in (*worked, *run):
    router.include_router(area.router)
