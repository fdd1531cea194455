"""What a source always does, said by its mapping or by the settings."""

from datetime import timedelta

from pipelines.ingestion.source_habits import SourceHabits
from pipelines.settings import Settings
from tests.pipelines.conftest import counts
from tests.pipelines.landing import DAY, calls, put, transfers

CMCC, ICBC = f"calls/{DAY}/cmcc.parquet", f"transfers/{DAY}/icbc.parquet"


def declare(home, source: str, text: str) -> None:
    folder = home.settings.sources_folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{source}.yaml").write_text(text, encoding="utf-8")


def longer(rows: list[dict]) -> list[dict]:
    """The same records, each ten seconds longer."""
    return [row | {"duration_s": row["duration_s"] + 10} for row in rows]


def test_a_mapping_says_what_tells_records_apart(home):
    put(home.landing, CMCC, calls(30))
    home.ingest()
    put(home.landing, f"calls/{DAY}/cmcc-2359.parquet", longer(calls(3)))
    assert counts(home.ingest()[f"calls/{DAY}/cmcc-2359.parquet"]) == (3, 0, 3, 0, 0)

    declare(home, "cmcc", "calls: {record_key: [msisdn, record_id, duration_s]}\n")
    put(home.landing, f"calls/{DAY}/cmcc-2358.parquet", longer(calls(2)))
    assert counts(home.ingest()[f"calls/{DAY}/cmcc-2358.parquet"]) == (2, 2, 0, 0, 0)


def test_a_mapping_says_that_files_replace_earlier_ones(home):
    declare(home, "icbc", "transfers: {replaces: true}\n")
    put(home.landing, ICBC, transfers())
    home.ingest()
    put(home.landing, ICBC, [row | {"amount": row["amount"] * 2} for row in transfers()])
    assert counts(home.only()) == (40, 40, 0, 0, 0)
    assert home.table("transfers").height == 40


def test_the_settings_come_before_the_mapping(tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "icbc.yaml").write_text("transfers: {record_key: [amount], delay_s: 60}\n")
    ingest = {"record_keys": {"icbc": ["channel"]}, "replacing_sources": ["abc"]}
    habits = SourceHabits(Settings(home=tmp_path, sources_folder=folder, ingest=ingest))
    assert dict(habits.record_keys("transfers")) == {"icbc": ("channel",)}
    assert dict(habits.record_keys("calls")) == {"icbc": ("channel",)}
    assert [habits.replaces("transfers", name) for name in ("icbc", "abc", "boc")] == [
        *(False, True, False)
    ]
    assert habits.delay("transfers", "icbc") == timedelta(minutes=1)
