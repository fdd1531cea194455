"""Objects by their names, in a bucket and in a folder."""

import sys
from datetime import UTC, datetime

import pytest

from data_contracts.errors import LakeError, SettingsError
from pipelines.settings import Storage
from pipelines.storage.places import objects as objects_module
from pipelines.storage.places.objects import ObjectGoneError, Objects
from tests.pipelines.storage.objects.proxy import Rule


@pytest.fixture(params=["objects", "folder"])
def storage(request, tmp_path) -> Storage:
    if request.param == "objects":
        return request.getfixturevalue("bucket")
    return Storage(url=str(tmp_path / "shared"))


@pytest.fixture
def objects(storage) -> Objects:
    return Objects(storage, "below")


def test_an_object_is_put_once(objects):
    assert objects.put_once("a/1", b"first")
    assert objects.put_once("a/1", b"first")
    assert not objects.put_once("a/1", b"second")
    assert objects.read("a/1") == b"first"
    assert objects.read("a/2") is None


def test_objects_are_listed_by_name_and_removed(objects):
    for name in ("a/2", "a/10", "a/1", "b/1"):
        objects.put_once(name, name.encode())
    found = objects.list_below("a")
    assert [(one.name, one.size) for one in found] == [("a/1", 3), ("a/10", 4), ("a/2", 3)]
    assert all(one.written_at > datetime(2026, 1, 1, tzinfo=UTC) for one in found)
    objects.remove(["a/1", "a/nothing", "a/2"])
    assert [one.name for one in objects.list_below("a")] == ["a/10"]
    assert objects.list_below("c") == []


def test_a_file_goes_there_and_comes_back_part_by_part(objects, tmp_path, monkeypatch):
    monkeypatch.setattr(objects_module, "PART_BYTES", 5 * 2**20)
    content = bytes(range(256)) * 50_000
    (tmp_path / "file").write_bytes(content)
    objects.upload(tmp_path / "file", "a/file")
    parts = list(objects.read_parts("a/file"))
    assert [len(part) for part in parts] == [5 * 2**20, 5 * 2**20, len(content) - 10 * 2**20]
    assert b"".join(parts) == content
    with pytest.raises(ObjectGoneError):
        next(objects.read_parts("a/other"))


@pytest.mark.parametrize("fault", ["lost", "reset", "busy"])
def test_a_file_in_parts_bears_bad_days(object_server, bucket, tmp_path, monkeypatch, fault):
    monkeypatch.setattr(objects_module, "PART_BYTES", 5 * 2**20)
    content = bytes(range(256)) * 50_000
    (tmp_path / "file").write_bytes(content)
    rules = [Rule("PUT", "partNumber=2", fault), Rule("POST", "uploadId=", fault)]
    bad = Objects(object_server.with_faults(bucket, *rules), "below")
    bad.upload(tmp_path / "file", "a/file")
    assert [seen for *_, seen in object_server.requests()].count(fault) == 2
    assert b"".join(Objects(bucket, "below").read_parts("a/file")) == content


def test_a_place_that_writes_over_objects_is_refused(objects, monkeypatch):
    objects.require_conditional_puts()
    assert objects.list_below("") == []
    monkeypatch.setattr(Objects, "put_once", lambda *_: True)
    with pytest.raises(LakeError, match="writes over an object"):
        objects.require_conditional_puts()


def test_without_the_library_it_is_said_what_to_install(storage, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(SettingsError) as caught:
        Objects(storage, "below").read("a")
    assert caught.value.remedy == 'Run `pip install "forestall[cluster]"`.'
