"""A damaged vault says so, and what to do."""

from pathlib import Path

import pytest

from data_contracts.errors import NotReadyError
from pipelines.storage.installation.vault import Vault
from serving.http.errors import STATUSES


@pytest.mark.parametrize("from_byte", [0, 100])
def test_a_damaged_vault_is_told_from_one_without_the_person(
    tmp_path: Path, from_byte: int
) -> None:
    path = tmp_path / "vault.db"
    vault = Vault(path, key=bytes(32))
    payload = {"id_number": "11010119800101001X", "name": "张三", "address": ""}
    vault.put_people({"p1_a": payload})
    assert vault.reveal_people(["p1_a"])["p1_a"].name == "张三"
    content = path.read_bytes()
    path.write_bytes(content[:from_byte] + b"\xa5" * (len(content) - from_byte))
    with pytest.raises(NotReadyError, match=r"vault\.db is damaged") as refused:
        vault.reveal_people(["p1_a"])
    assert "restore it from a backup" in refused.value.remedy
    with pytest.raises(NotReadyError, match=r"vault\.db is damaged"):
        vault.holders_of(["n1_a"])
    assert STATUSES[NotReadyError] == 503
