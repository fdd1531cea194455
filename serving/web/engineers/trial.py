"""The page on which an engineer tries a delivered file, adjusts the mapping and saves it."""

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from data_contracts.errors import SettingsError
from serving.access.auth import allow_roles
from serving.access.dependencies import Now, ServicesOfApp, Writing
from serving.context.ports import Trial
from serving.operations import wording as words
from serving.operations.outcomes import KNOWN_DATASETS
from serving.operations.promotion import PROMOTERS
from serving.operations.trial import MappingText, SourceName, require_trial, save_mapping
from serving.presentation.templating import render_page, see_other
from serving.presentation.translations import N_
from serving.vocabulary.roles import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/operations/trial")
Engineer = Annotated[Viewer, Depends(allow_roles(*PROMOTERS))]
Dataset = Annotated[str, Field(pattern=f"^({'|'.join(KNOWN_DATASETS)})$")]
Named = Annotated[str, Query(max_length=60)]

NO_FILE = N_("Choose the file that is to be tried.")
NO_MAPPING = N_("There is no mapping to save. Write one first, or try a file to get a guess.")


class TrialForm(BaseModel):
    """What the form sends: a delivered file, whose it is, and the mapping to read it with."""

    model_config = ConfigDict(extra="ignore")

    file: UploadFile | None = None
    dataset: Dataset
    source: SourceName
    mapping: MappingText = ""


@router.get("")
def show_trial(
    *,
    request: Request,
    viewer: Engineer,
    services: ServicesOfApp,
    dataset: Named = "",
    source: Named = "",
    saved: bool = False,
) -> Response:
    """Show the form, with the mapping of the source that the address names."""
    own = require_trial(services.trial).mapping_of(source) if source else ""
    context = {"dataset": dataset, "source": source, "mapping": own, "saved": saved}
    return _page(request, viewer, context)


@router.post("")
def try_file(
    *,
    request: Request,
    viewer: Engineer,
    services: ServicesOfApp,
    form: Annotated[TrialForm, Form()],
) -> Response:
    """Show what the file would become; nothing of it is kept."""
    trial = require_trial(services.trial)
    content = form.file.file.read() if form.file else b""
    context: dict[str, Any] = {
        "dataset": form.dataset,
        "source": form.source,
        "mapping": form.mapping,
    }
    if form.file is None or not (form.file.filename or content):
        return _page(request, viewer, context, problem=NO_FILE)
    found = trial.try_file(
        content,
        name=form.file.filename or "",
        dataset=form.dataset,
        source=form.source,
        mapping=form.mapping,
    )
    mapping = form.mapping or trial.mapping_of(form.source)
    is_guessed = not mapping and (bool(found.problem) or found.rejected > found.taken)
    context |= {"mapping": found.guess if is_guessed else mapping, "is_guessed": is_guessed}
    return _page(request, viewer, context, found=found)


@router.post("/mapping")
def save(
    *,
    request: Request,
    viewer: Engineer,
    session: Writing,
    services: ServicesOfApp,
    now: Now,
    form: Annotated[TrialForm, Form()],
) -> Response:
    """Make the mapping the source's own; audited. A file that came along is not read."""
    context = {"dataset": form.dataset, "source": form.source, "mapping": form.mapping}
    if not form.mapping.strip():
        return _page(request, viewer, context, problem=NO_MAPPING)
    try:
        save_mapping(
            session,
            viewer=viewer,
            source=form.source,
            mapping=form.mapping,
            trial=services.trial,
            at=now,
        )
    except SettingsError as error:
        return _page(request, viewer, context, problem=f"{error} {error.remedy}".strip())
    query = urlencode({"dataset": form.dataset, "source": form.source, "saved": "1"})
    return see_other(f"/operations/trial?{query}")


def _page(
    request: Request,
    viewer: Viewer,
    context: dict[str, Any],
    *,
    found: Trial | None = None,
    problem: str = "",
) -> Response:
    return render_page(
        request,
        "trial.html",
        {
            "saved": False,
            "is_guessed": False,
            **context,
            "viewer": viewer,
            "found": found,
            "problem": problem,
            "datasets": KNOWN_DATASETS,
            "words": words,
            "address": "/operations/trial",
        },
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )
