import sqlite3

import pytest

from data_contracts.errors import LakeError
from pipelines.settings import Settings
from pipelines.storage.installation.vault import Identity, Vault


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "vault.db", key=bytes(range(32)))


def test_what_was_put_is_revealed(vault):
    assert vault.put_identifiers("number", {"n1_a": "13800000001", "n1_b": "008521234567"}) == 2
    assert vault.reveal("number", ["n1_b", "n1_a", "n1_none"]) == {
        "n1_a": "13800000001",
        "n1_b": "008521234567",
    }
    assert vault.reveal("account", ["n1_a"]) == {}


def test_only_new_keys_are_written(vault):
    vault.put_identifiers("account", {"a1_a": "6200"})
    assert vault.put_identifiers("account", {"a1_a": "changed", "a1_b": "6201"}) == 1
    assert vault.reveal("account", ["a1_a", "a1_b"]) == {"a1_a": "6200", "a1_b": "6201"}


def test_people_are_revealed_with_their_numbers(vault):
    vault.put_people(
        {"p1_a": {"id_number": "110101199003070134", "name": "王一", "address": "第1网格"}}
    )
    vault.put_identifiers(
        "number", {"n1_a": "13800000001", "n1_b": "13800000002", "n1_c": "13800000003"}
    )
    vault.put_numbers_of([("p1_a", "n1_b"), ("p1_a", "n1_a"), ("p1_other", "n1_c")])
    assert vault.reveal_people(["p1_a", "p1_none"]) == {
        "p1_a": Identity(
            id_number="110101199003070134",
            name="王一",
            address="第1网格",
            msisdns=("13800000001", "13800000002"),
        )
    }
    assert vault.reveal("person", ["p1_a"]) == {"p1_a": "110101199003070134"}


def test_a_person_who_moved_has_the_new_address(vault):
    vault.put_people({"p1_a": {"id_number": "1", "name": "王一", "address": "old"}})
    vault.put_people({"p1_a": {"id_number": "1", "name": "王一", "address": "new"}})
    assert vault.reveal_people(["p1_a"])["p1_a"].address == "new"


def test_the_file_holds_ciphertext_only(vault, tmp_path):
    vault.put_identifiers("number", {"n1_a": "13800000001"})
    vault.put_people(
        {"p1_a": {"id_number": "110101199003070134", "name": "王一", "address": "第1网格"}}
    )
    content = (tmp_path / "vault.db").read_bytes()
    for raw in ("13800000001", "110101199003070134", "王一", "第1网格"):
        assert raw.encode() not in content


def test_another_key_opens_nothing(vault, tmp_path):
    vault.put_identifiers("number", {"n1_a": "13800000001"})
    with pytest.raises(LakeError, match="does not open"):
        Vault(tmp_path / "vault.db", key=bytes(32)).reveal("number", ["n1_a"])


def test_a_value_moved_to_another_key_does_not_open(vault, tmp_path):
    vault.put_identifiers("number", {"n1_a": "13800000001", "n1_b": "13800000002"})
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        connection.execute(
            "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE key = 'n1_a')"
        )
    with pytest.raises(LakeError, match="does not open"):
        vault.reveal("number", ["n1_b"])


def test_the_same_value_is_never_sealed_alike(vault):
    assert vault.seal("13800000001", bound_to="n1_a") != vault.seal("13800000001", bound_to="n1_a")


def test_the_vault_of_a_home_keeps_its_key_outside_the_data(tmp_path):
    settings = Settings(home=tmp_path / "home", keys=tmp_path / "safe")
    Vault.open(settings).put_identifiers("number", {"n1_a": "13800000001"})
    assert Vault.open(settings).reveal("number", ["n1_a"]) == {"n1_a": "13800000001"}
    assert (tmp_path / "safe" / "vault.key").exists()
