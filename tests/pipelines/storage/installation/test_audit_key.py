"""The key of the audit trail is made once, and never in the place of one that is gone."""

from pathlib import Path

import pytest

from data_contracts.errors import NotReadyError, SettingsError
from pipelines.settings import Settings
from pipelines.storage.installation.audit_key import AuditKey
from pipelines.webapp.accounts import add_user, anchor_audit_trail, verify_audit_trail

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


def test_a_kept_head_that_is_no_head_is_none(tmp_path: Path) -> None:
    settings = a_home(tmp_path)
    key = AuditKey.open(settings)
    assert key.kept_head() is not None
    (settings.keys_folder / "audit.head").write_text("[1]")
    assert key.kept_head() is None
    assert verify_audit_trail(settings).whole
