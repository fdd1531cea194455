"""What an outcome of deliveries means, and what mends it."""

import re
from dataclasses import dataclass

from data_contracts.words.file_reasons import say_reason
from data_contracts.words.remedies import FILE_CODES, remedy_of
from serving.context.ports import ReasonExplainer, ReasonWords
from serving.http.errors import ProblemError
from serving.operations.service import Overview
from serving.operations.wording import DATASETS
from serving.vocabulary.languages import Language
from serving.vocabulary.reports import DeliveryOutcome, HeldFile, QualityReport

__all__ = [
    "KNOWN_DATASETS",
    "OutcomeHelp",
    "explain_outcome",
    "reason_of",
    "remedy_for",
    "title_of",
]

CODE = re.compile(r"[a-z_]{1,40}\.[a-z_]{1,40}")
NO_OUTCOME = 404
KNOWN_DATASETS = tuple(name for name in DATASETS if name != "unknown")


@dataclass(frozen=True, kw_only=True)
class OutcomeHelp:
    """An outcome in the reader's words.

    ``remedy`` sets what is typed at a terminal in backticks. ``words`` are the contract's,
    ``found`` says how often it happened last, ``files`` what waits for it.
    """

    code: str
    title: str
    remedy: str
    can_be_mapped: bool
    dataset: str
    source: str
    words: ReasonWords | None
    found: DeliveryOutcome | None
    files: tuple[HeldFile, ...]


def explain_outcome(
    overview: Overview,
    code: str,
    *,
    dataset: str,
    source: str,
    language: Language,
    explainer: ReasonExplainer | None,
) -> OutcomeHelp:
    """Return what the outcome ``code`` of a dataset's source means.

    Raises a 404 problem for a code that there is not.
    """
    remedy = remedy_of(code)
    is_of_file = code.startswith(FILE_CODES)
    if not CODE.fullmatch(code) or (is_of_file and remedy.title is None):
        raise ProblemError(NO_OUTCOME, "There is no such outcome.")
    is_known = dataset in KNOWN_DATASETS
    quality = overview.quality.report if overview.quality else None
    found = _outcome_in(quality, code, dataset=dataset, source=source)
    files = _files_in(quality, code, dataset=dataset, source=source)
    words = explainer(code, dataset=dataset) if explainer and is_known and not is_of_file else None
    named = remedy.title or words or found
    path = files[0].path if files else found.path if found else "PATH"
    return OutcomeHelp(
        code=code,
        title=getattr(named, language) if named else code,
        remedy=_remedy_text(code, path=path, source=source, language=language),
        can_be_mapped=remedy.mapping and is_known,
        dataset=dataset,
        source=source,
        words=words,
        found=found,
        files=files,
    )


def title_of(code: str, language: Language) -> str:
    """Return what an outcome of a whole file is called."""
    title = remedy_of(code).title
    return str(getattr(title, language)) if title else code


def reason_of(file: HeldFile, language: Language) -> str:
    """Return why a file waits, without a full stop."""
    return say_reason(file.reason, language)


def remedy_for(file: HeldFile, language: Language) -> str:
    """Return what to do about a file that waits: in English what was found out about it, in Chinese
    what helps with files of its kind.
    """
    if language == "en":
        return file.remedy
    return _remedy_text(file.code, path=file.path, source=file.source, language=language)


def _remedy_text(code: str, *, path: str, source: str, language: Language) -> str:
    text: str = getattr(remedy_of(code), language)
    return text.replace("PATH", path).replace("SOURCE", source or "SOURCE")


def _outcome_in(
    quality: QualityReport | None, code: str, *, dataset: str, source: str
) -> DeliveryOutcome | None:
    wanted = (code, dataset, source)
    outcomes = quality.outcomes if quality else ()
    return next((one for one in outcomes if (one.code, one.dataset, one.source) == wanted), None)


def _files_in(
    quality: QualityReport | None, code: str, *, dataset: str, source: str
) -> tuple[HeldFile, ...]:
    wanted = (code, dataset, source)
    files = quality.held if quality else ()
    return tuple(file for file in files if (file.code, file.dataset, file.source) == wanted)
