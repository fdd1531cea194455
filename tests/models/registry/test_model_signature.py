"""A model that was changed is refused, whatever else was changed to fit it, and the last good one
is in force.
"""

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data_contracts.errors import ModelError
from models.learning.risk import model_digest
from models.registry.model_registry import ModelRegistry
from models.registry.model_signature import is_signed
from tests.models.registry.test_model_registry import record
from tests.models.small import AT


class Signer:
    def __init__(self, number: int = 1) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.public_key = self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes, /) -> bytes:
        return self.key.sign(message)


def signing(folder: Path, signer: Signer | None) -> ModelRegistry:
    return ModelRegistry(
        f"sqlite:///{folder / 'mlflow.db'}",
        artifacts=folder / "mlruns",
        store=folder / "models",
        signer=signer,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Two champions, one after the other: the first from before models were signed."""
    folder = tmp_path_factory.mktemp("signed")
    for rounds, signer in ((3, None), (4, Signer())):
        registry = signing(folder, signer)
        if signer:
            registry.sign_all()
        registry.promote(record(registry, rounds=rounds).version, at=AT)
    return folder


@pytest.fixture
def models(home, tmp_path) -> Path:
    """A copy of the store alone, which is what a list reads."""
    return Path(shutil.copytree(home / "models", tmp_path / "models"))


@pytest.fixture
def registry(models, home) -> ModelRegistry:
    return ModelRegistry(
        f"sqlite:///{home / 'mlflow.db'}",
        artifacts=home / "mlruns",
        store=models,
        signer=Signer(),
    )


def change(models: Path, version: str) -> str:
    """Change a model so that it still loads; return what is its digest now."""
    place = models / version / "model.json"
    facts = json.loads(place.read_text())
    facts["calibration"]["slope"] = 0.01
    place.write_text(json.dumps(facts))
    return model_digest(models / version)


def point_to(models: Path, alias: str, **changed: str) -> None:
    pointer = models / f"{alias}.json"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | changed))


def test_what_was_registered_is_signed_the_models_of_before_too(registry):
    champion, model = registry.load_in_force()
    assert (champion.version, model.calibration.slope) == ("2", 1.0)
    assert is_signed(champion, public_key=Signer().public_key)
    assert is_signed(registry.find("1"), public_key=Signer().public_key)
    assert not is_signed(champion, public_key=Signer(2).public_key)


def test_changed_files_are_fetched_anew_where_only_they_were_changed(registry, models):
    change(models, "2")
    champion, model = registry.load_in_force()
    assert (champion.version, model.calibration.slope) == ("2", 1.0)


@pytest.mark.parametrize("signature", ["", "of the other", None])
def test_a_pointer_that_was_made_to_fit_is_refused_and_the_champion_before_is_in_force(
    registry, models, caplog, signature
):
    other = json.loads((models / "former-champion.json").read_text())["signature"]
    changed = {"digest": change(models, "2")}
    if signature is not None:
        changed["signature"] = other if signature else ""
    point_to(models, "champion", **changed)
    with pytest.raises(ModelError, match="victim-risk/2 is not signed by this home"):
        registry.load(registry.champion())
    champion, _ = registry.load_in_force()
    assert champion.version == "1"
    assert "victim-risk/1 before it is in force" in caplog.text


def test_with_every_copy_changed_the_champion_before_is_in_force(registry, models, home, tmp_path):
    change(models, "2")
    away = home / "mlruns"
    away.rename(home / "elsewhere")
    try:
        champion, model = registry.load_in_force()
        assert (champion.version, model.calibration.slope) == ("1", 1.0)
        change(models, "1")
        with pytest.raises(ModelError):
            registry.load_in_force()
    finally:
        (home / "elsewhere").rename(away)


def test_without_a_champion_before_it_there_is_none_to_fall_back_on(registry, models):
    (models / "former-champion.json").unlink()
    point_to(models, "champion", digest=change(models, "2"))
    with pytest.raises(ModelError, match="is not signed"):
        registry.load_in_force()
