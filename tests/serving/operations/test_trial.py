"""Trying a file on the page, adjusting its mapping, and saving it."""

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from data_contracts.errors import SettingsError
from pipelines.webapp.reason_words import explain_reason
from serving.app import create_app
from serving.context.ports import Trial, TriedReason, TriedRow
from serving.context.settings import ServingSettings
from tests.serving.conftest import Client, a_client, audited
from tests.serving.published import MORNING

FORM = {"dataset": "calls", "source": "cmcc", "mapping": ""}
FILE = {"file": ("cmcc.csv", "主叫号码,时长\n13800000001,60\n".encode(), "text/csv")}
TRIED = Trial(
    layout={"encoding": "gb18030"},
    format_zh="移动详单",
    format_en="China Mobile's list of calls",
    filled_by={"msisdn": "主叫号码"},
    ignored=("备注",),
    rows=12,
    taken=10,
    rejected=1,
    columns=("msisdn", "duration_s"),
    first_rows=(TriedRow(number=1, values=("138…01", "60")),),
    reasons=(
        TriedReason(
            code="duration_s.negative", zh="通话时长为负", en="below zero", rows=1, first=(7,)
        ),
    ),
    skipped={"total line": 1},
    warnings=("3 columns are ignored",),
    guess="headings: {calls: {主叫号码: msisdn}}",
)


class Trials:
    """Reads every file alike, and keeps mappings in memory."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, str, str, str, str]] = []
        self.mappings: dict[str, str] = {}
        self.answer = TRIED

    def try_file(
        self, content: bytes, /, *, name: str, dataset: str, source: str, mapping: str
    ) -> Trial:
        self.asked.append((content, name, dataset, source, mapping))
        return self.answer

    def mapping_of(self, source: str, /) -> str:
        return self.mappings.get(source, "")

    def save_mapping(self, source: str, mapping: str, /) -> None:
        if "durations" in mapping:
            raise SettingsError("line 1: durations is no key", remedy="Write duration.")
        self.mappings[source] = mapping


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture
def client(settings: ServingSettings, engine: Engine, trials: Trials) -> Client:
    settings = settings.model_copy(update={"max_trial_bytes": 100_000})
    app = create_app(
        settings=settings, trial=trials, explainer=explain_reason, clock=lambda: MORNING
    )
    return a_client(app, engine)


def test_only_engineers_try_and_save(client: Client, trials: Trials) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    assert client.get("/operations/trial").headers["location"] == "/login"
    for path in ("/operations/trial", "/operations/trial/mapping"):
        anonymous = client.post(path, data=FORM, files=FILE, headers=own)
        assert anonymous.headers["location"] == "/login"
    for role in ("analyst", "officer"):
        assert client.get("/operations/trial", headers=client.as_(role)).status_code == 403
        for path in ("/operations/trial", "/operations/trial/mapping"):
            sent = client.post(path, data=FORM, files=FILE, headers=client.as_(role))
            assert sent.status_code == 403
    assert (trials.asked, trials.mappings) == ([], {})
    for role in ("engineer", "admin"):
        assert client.get("/operations/trial", headers=client.as_(role)).status_code == 200


def test_a_file_is_shown_as_it_is_understood(client: Client, trials: Trials) -> None:
    answer = client.post(
        "/operations/trial?lang=en", data=FORM, files=FILE, headers=client.as_("engineer")
    )
    assert answer.status_code == 200
    assert trials.asked == [(FILE["file"][1], "cmcc.csv", "calls", "cmcc", "")]
    for text in (
        "encoding: gb18030",
        "China Mobile&#39;s list of calls",
        "备注",
        "138…01",
        "below zero",
        "Left out: total line",
        "3 columns are ignored",
        "/operations/deliveries/duration_s.negative?dataset=calls",
    ):
        assert text in answer.text, text
    # Most of it is understood as it is: the guess is there for whoever wants it.
    assert TRIED.guess not in textarea_of(answer.text)
    assert TRIED.guess in answer.text


def test_who_has_no_mapping_yet_gets_a_guess_to_adjust(client: Client, trials: Trials) -> None:
    trials.answer = Trial(problem="cmcc.csv lacks the columns msisdn.", guess=TRIED.guess)
    sent = {"data": FORM, "files": FILE, "headers": client.as_("engineer")}
    assert TRIED.guess in textarea_of(client.post("/operations/trial", **sent).text)
    trials.mappings["cmcc"] = "delimiter: ';'"
    assert "delimiter" in textarea_of(client.post("/operations/trial", **sent).text)


def textarea_of(page: str) -> str:
    return page.partition("<textarea")[2].partition("</textarea>")[0]


def test_the_adjusted_mapping_is_tried_and_stays(client: Client, trials: Trials) -> None:
    adjusted = FORM | {"mapping": "delimiter: ';'\r\nencoding: gb18030"}
    answer = client.post(
        "/operations/trial", data=adjusted, files=FILE, headers=client.as_("engineer")
    )
    assert trials.asked[0][-1] == "delimiter: ';'\nencoding: gb18030"
    assert "encoding: gb18030" in answer.text


def test_a_file_that_cannot_be_read_says_why(client: Client, trials: Trials) -> None:
    trials.answer = Trial(problem="cmcc.csv lacks the columns msisdn.", remedy="Map it.")
    answer = client.post("/operations/trial", data=FORM, files=FILE, headers=client.as_("engineer"))
    assert answer.status_code == 200
    assert "cmcc.csv lacks the columns msisdn." in answer.text


def test_a_saved_mapping_is_audited_and_shown(
    client: Client, engine: Engine, trials: Trials
) -> None:
    mapping = "headings: {calls: {主叫号码: msisdn}}\n"
    answer = client.post(
        "/operations/trial/mapping",
        data=FORM | {"mapping": mapping},
        files=FILE,
        headers=client.as_("engineer"),
    )
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/operations/trial?dataset=calls&source=cmcc&saved=1",
    )
    assert trials.mappings == {"cmcc": mapping}
    assert trials.asked == []
    assert audited(engine, "mapping-saved") == [("engineer-1", "mapping cmcc")]
    shown = client.get(answer.headers["location"] + "&lang=en", headers=client.as_("engineer"))
    assert "The mapping of cmcc is saved." in shown.text
    assert "主叫号码: msisdn" in shown.text


def test_a_wrong_mapping_is_not_saved(client: Client, engine: Engine, trials: Trials) -> None:
    answer = client.post(
        "/operations/trial/mapping",
        data=FORM | {"mapping": "durations: x"},
        files=FILE,
        headers=client.as_("engineer"),
    )
    assert answer.status_code == 422
    assert "line 1: durations is no key Write duration." in answer.text
    assert trials.mappings == {}
    assert audited(engine, "mapping-saved") == []


@pytest.mark.parametrize("source", ["", "../icbc", "a/b", ".hidden", "x" * 61])
def test_a_source_is_a_name(client: Client, trials: Trials, source: str) -> None:
    sent = client.post(
        "/operations/trial/mapping",
        data=FORM | {"source": source, "mapping": "delimiter: ';'"},
        headers=client.as_("engineer"),
    )
    assert sent.status_code == 422
    assert trials.mappings == {}


def test_without_a_file_or_a_mapping_the_page_says_so(client: Client, trials: Trials) -> None:
    for path, words in (
        ("/operations/trial", "Choose the file"),
        ("/operations/trial/mapping", "no mapping to save"),
    ):
        answer = client.post(f"{path}?lang=en", data=FORM, headers=client.as_("engineer"))
        assert answer.status_code == 422
        assert words in answer.text
    assert trials.asked == []


def test_a_large_file_is_refused(client: Client, trials: Trials) -> None:
    for size, status in ((90_000, 200), (120_000, 413)):
        file = {"file": ("cmcc.csv", b"x" * size, "text/csv")}
        answer = client.post(
            "/operations/trial", data=FORM, files=file, headers=client.as_("engineer")
        )
        assert answer.status_code == status


def test_another_sites_form_is_refused(client: Client, trials: Trials) -> None:
    own, foreign = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
    client.post("/login", data={"token": client.tokens["engineer"]}, headers=own)
    form = FORM | {"mapping": "delimiter: ';'"}
    for path in ("/operations/trial", "/operations/trial/mapping"):
        assert client.post(path, data=form, files=FILE, headers=foreign).status_code == 403
    assert trials.asked == []
    assert trials.mappings == {}


def test_a_process_without_a_lake_tries_nothing(app: FastAPI, engine: Engine) -> None:
    client = a_client(app, engine)
    sent = client.post("/operations/trial", data=FORM, files=FILE, headers=client.as_("engineer"))
    assert sent.status_code == 503
