"""Results that are erased leave the trail whole; any other that is missing shows as before."""

import pytest
from sqlalchemy import Engine, delete
from sqlalchemy.exc import DatabaseError

from data_contracts.errors import ConflictError
from serving.database.audit_chain import record_action
from serving.database.engine import write_transaction
from serving.database.erasure import ErasedResults, erase_results
from serving.database.tables import DispositionRow
from tests.serving.database.test_audit_signature import a_key, fill, ruling, verdict_of
from tests.serving.published import MIDNIGHT


def erase(engine: Engine, *numbers: int) -> ErasedResults:
    with write_transaction(engine) as session:
        gone = erase_results(session, DispositionRow.id.in_(numbers))
        record_action(
            session,
            at=MIDNIGHT,
            actor="li",
            action="person-erased",
            subject="p1_a",
            results_erased=gone.numbers,
            results_digest=gone.digest,
        )
    return gone


def test_erased_results_are_rightly_gone_and_others_still_proven(engine: Engine) -> None:
    key = a_key()
    signing = fill(engine, key)  # results 1 to 3 are of before signing began
    assert erase(signing, 5, 6).digest is None
    assert erase(signing, 2, 7).digest is not None
    assert erase(signing, 1).numbers == (1,)
    assert verdict_of(engine, key).whole

    with pytest.raises(DatabaseError, match="append-only"), write_transaction(signing) as session:
        session.execute(delete(DispositionRow).where(DispositionRow.id == 8))
    with ruling(engine) as connection:
        connection.execute(delete(DispositionRow).where(DispositionRow.id == 8))
    assert verdict_of(engine, key).edited == ("result 8 was removed",)


def test_no_erasure_vouches_for_early_results_that_were_changed(engine: Engine) -> None:
    key = a_key()
    signing = fill(engine, key)
    with ruling(engine) as connection:
        connection.execute(DispositionRow.__table__.update().values(note="另一个"))
    with pytest.raises(ConflictError, match="not those of the audit trail"):
        erase(signing, 2)
    assert not verdict_of(engine, key).whole
