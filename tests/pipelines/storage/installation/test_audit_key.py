"""The key of the audit trail is made once, and never in the place of one that is gone."""

from pathlib import Path

import pytest

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.clock import wall_clock
from pipelines.settings import Settings
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.storage.installation.signed_database import open_signed_database
from pipelines.webapp.accounts import (
    add_user,
    anchor_audit_trail,
    list_users,
    verify_audit_trail,
)
from serving.access.users.service import create_user
from serving.database.engine import write_transaction
from serving.vocabulary.roles import Role

GONE = ("audit.key",), ("audit.key", "audit.pub", "audit.head", "audit.lock")


def a_home(folder: Path) -> Settings:
    settings = Settings(home=folder)
    add_user(settings, name="li", role="analyst", communities=())
    return settings


@pytest.mark.parametrize("names", GONE)
def test_a_key_that_is_gone_is_not_made_anew(tmp_path: Path, names: tuple[str, ...]) -> None:
    settings = a_home(tmp_path)
    before = AuditKey.open(settings).public_key
    kept = {name: (settings.keys_folder / name).read_bytes() for name in names}
    for name in names:
        (settings.keys_folder / name).unlink()
    left = sorted(path.name for path in settings.keys_folder.iterdir())
    with pytest.raises(NotReadyError, match=r"audit\.key is gone") as refused:
        verify_audit_trail(settings)
    assert "forestall keys restore" in str(refused.value.remedy)
    with pytest.raises(NotReadyError, match=r"audit\.key is gone"):
        add_user(settings, name="wu", role="analyst", communities=())
    assert sorted(path.name for path in settings.keys_folder.iterdir()) == left
    (settings.keys_folder / "audit.key").write_bytes(kept["audit.key"])
    assert verify_audit_trail(settings).whole
    assert AuditKey.open(settings).public_key == before


def test_an_anchor_file_that_is_no_text_was_not_made_here(tmp_path: Path) -> None:
    settings = a_home(tmp_path / "home")
    line, _ = anchor_audit_trail(settings)
    anchor = tmp_path / "anchor"
    anchor.write_text(line + "\n")
    assert verify_audit_trail(settings, anchor=str(anchor)).whole
    anchor.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SettingsError, match="not made here"):
        verify_audit_trail(settings, anchor=str(anchor))


@pytest.mark.parametrize("text", ["[1]", "{", "7", '{"entry": 1}'])
def test_a_kept_head_that_cannot_be_read_stops_the_trail_until_somebody_looks(
    tmp_path: Path, text: str
) -> None:
    settings = a_home(tmp_path)
    kept = AuditKey.open(settings).kept_head()
    assert kept is not None
    (settings.keys_folder / "audit.head").write_text(text)
    with pytest.raises(NotReadyError, match="cannot be read"):
        verify_audit_trail(settings)
    with pytest.raises(NotReadyError, match="cannot be read"):
        add_user(settings, name="li.wei", role="analyst", communities=())
    (settings.keys_folder / "audit.head").rename(tmp_path / "looked-at")
    assert "li.wei" not in {user.name for user in list_users(settings)}
    add_user(settings, name="li.wei", role="analyst", communities=())
    assert verify_audit_trail(settings).whole


def test_without_the_folder_of_keys_nothing_is_written_in_part(tmp_path: Path) -> None:
    """A head that could not be kept after the commit left a row that nobody was told of."""
    settings = a_home(tmp_path)
    engine = open_signed_database(settings)
    settings.keys_folder.rename(tmp_path / "elsewhere")
    with (
        pytest.raises(NotReadyError, match=r"folder of keys .* is gone"),
        write_transaction(engine) as session,
    ):
        create_user(session, name="li.wei", role=Role.ANALYST, at=wall_clock(), actor="root")
    (tmp_path / "elsewhere").rename(settings.keys_folder)
    assert "li.wei" not in {user.name for user in list_users(settings)}
    with write_transaction(engine) as session:
        create_user(session, name="li.wei", role=Role.ANALYST, at=wall_clock(), actor="root")
    assert verify_audit_trail(settings).whole
