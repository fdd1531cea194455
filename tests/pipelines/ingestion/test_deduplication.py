import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingestion.deduplication import classify_duplicates
from tests.examples import examples

SCHEMA = {"key": pl.String, "value": pl.Int64}


def frame(rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_first_is_kept_equals_are_duplicates_others_conflict():
    rows = frame([("a", 1), ("b", None), ("a", 1), ("a", 2), ("c", 3), ("b", None), ("b", 0)])
    known = frame([("c", 4)])
    verdicts = classify_duplicates(rows, known=known, key=["key"], values=["value"])
    assert verdicts.to_list() == [
        "accepted",
        "accepted",
        "duplicate",
        "conflict",
        "conflict",
        "duplicate",
        "conflict",
    ]


def test_a_record_in_the_lake_is_the_reference():
    rows = frame([("a", 1), ("a", 2)])
    assert classify_duplicates(
        rows, known=frame([("a", 2)]), key=["key"], values=["value"]
    ).to_list() == [
        "conflict",
        "duplicate",
    ]


def test_where_all_columns_are_the_key_there_are_no_conflicts():
    rows = frame([("a", 1), ("a", 2), ("a", 1)])
    verdicts = classify_duplicates(rows, known=rows.clear(), key=["key", "value"], values=[])
    assert verdicts.to_list() == ["accepted", "accepted", "duplicate"]


def test_no_rows_no_verdicts():
    assert (
        classify_duplicates(
            frame([]), known=frame([("a", 1)]), key=["key"], values=["value"]
        ).to_list()
        == []
    )


def naive(rows, known):
    reference, verdicts = dict(known), []
    for key, value in rows:
        if key not in reference:
            reference[key] = value
            verdicts.append("accepted")
        else:
            verdicts.append("duplicate" if reference[key] == value else "conflict")
    return verdicts


ROWS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 2))), max_size=20
)


@given(
    rows=ROWS,
    known=st.dictionaries(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 2))),
)
@examples(150)
def test_agrees_with_reading_row_by_row(rows, known):
    verdicts = classify_duplicates(
        frame(rows), known=frame(list(known.items())), key=["key"], values=["value"]
    )
    assert verdicts.to_list() == naive(rows, known)
