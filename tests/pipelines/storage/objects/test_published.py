"""The event store published and fetched: once or not at all, whole or not at all."""

import multiprocessing
import os
import pickle
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts.errors import ConflictError, LakeError
from pipelines.settings import Settings, Storage
from pipelines.storage.event_store.parts.manifest import Manifest
from pipelines.storage.event_store.published import fetching
from pipelines.storage.event_store.published.fetching import hold_fetched
from pipelines.storage.event_store.published.publications import Publications
from pipelines.storage.event_store.verification import describe_contents
from tests.features.districts import NOON
from tests.pipelines.crash import started
from tests.pipelines.storage.objects.proxy import Rule
from tests.pipelines.storage.objects.stores import DAYS, SmallHome, features_of, of_day

FILE, MANIFEST = r"/store/files/", r"/store/manifests/\d+\.json"


@pytest.fixture(params=["objects", "folder"])
def place(request, tmp_path) -> Storage:
    """An object store, and a folder on a shared file system."""
    if request.param == "objects":
        return request.getfixturevalue("bucket")
    return Storage(url=str(tmp_path / "shared"))


@pytest.fixture(scope="module")
def begun(object_server, tmp_path_factory) -> SmallHome:
    """A home that publishes into an object store, to be copied: one day is published, the second
    loaded.
    """
    found = SmallHome(tmp_path_factory.mktemp("begun"), object_server.new_bucket()).begin()
    found.add_day(DAYS[0])
    found.load_day(DAYS[1])
    return found


@pytest.fixture(scope="module")
def original(begun, object_server, tmp_path_factory) -> SmallHome:
    """The same with both days published, to be copied."""
    found = begun.copied(tmp_path_factory.mktemp("original"), object_server.copied(begun.storage))
    found.store.bring_forward()
    return found


@pytest.fixture
def home(original, object_server, tmp_path) -> SmallHome:
    """A home of its own with these two days."""
    return original.copied(tmp_path / "home", object_server.copied(original.storage))


def assert_fetched_whole(home: SmallHome, cache_folder: Path) -> None:
    found = features_of(home.pickled(), cache_folder)
    assert_frame_equal(found, home.features(), check_exact=True)


def test_the_same_streams_give_the_same_store_everywhere(place, tmp_path):
    """After each day, after a correction, and after days were merged."""
    local, remote = (
        SmallHome(tmp_path / "local").begin(),
        SmallHome(tmp_path / "far", place).begin(),
    )
    gone = of_day("calls", 2).head(1)
    changed = gone.with_columns(duration_s=pl.lit(5, pl.Int32))
    steps = (
        lambda home: home.load_day(3),
        lambda home: home.load_day(2),
        lambda home: home.load_day(1),
        lambda home: home.small.lake.amend("calls", changed, gone=gone, batch=20, at=NOON),
        lambda home: home.small.lake.append("calls", of_day("calls", 2).tail(1), batch=21),
        lambda home: home.small.lake.compact("calls"),
    )
    for step in steps:
        for home in (local, remote):
            step(home)
            home.store.bring_forward()
        assert_frame_equal(
            describe_contents(remote.store.folder), describe_contents(local.store.folder)
        )
        found = features_of(remote.pickled(), tmp_path / "cache")
        assert_frame_equal(found, local.features(), check_exact=True)
    assert remote.numbers() == [1, 2, 3, 4, 5, 6]
    assert remote.store.verify().is_empty()


def test_what_is_published_already_is_not_published_again(home):
    home.store.bring_forward()
    assert home.numbers() == [1, 2]


def test_another_process_opens_the_same_index_and_is_given_no_credentials(home, tmp_path):
    pickled = home.pickled()
    assert b"very-secret" not in pickled
    with multiprocessing.get_context("forkserver").Pool(3) as pool:
        work = [(pickled, tmp_path / "cache")] * 6
        found = pool.starmap(features_of, work, chunksize=1)
    for one in found:
        assert_frame_equal(one, home.features(), check_exact=True)
    (folder,) = (tmp_path / "cache").iterdir()
    assert not list(folder.glob(".*.part"))
    assert folder.stat().st_mode & 0o777 == 0o700
    held = {path.name for path in folder.glob("*.arrow")}
    assert held == Manifest.read(home.store.folder).files()


def test_only_what_is_missing_is_fetched(object_server, home, tmp_path):
    features_of(home.pickled(), tmp_path / "cache")
    before = Manifest.read(home.store.folder).files()
    home.add_day(DAYS[2])
    new = Manifest.read(home.store.folder).files() - before
    reference = pickle.loads(home.pickled())
    seen = object_server.with_faults(home.storage)
    # The endpoint is another, so its folder would be: what is there belongs to the same place.
    with hold_fetched(Publications(seen), next((tmp_path / "cache").iterdir())) as publication:
        assert publication.number == reference.number == 3
    fetched = {
        path.rpartition("/")[2]
        for method, path, _ in object_server.requests()
        if method == "GET" and "/store/files/" in path
    }
    assert fetched == new
    assert 0 < len(new) < len(Manifest.read(home.store.folder).files())


@pytest.mark.parametrize("fault", ["flipped", "cut", "busy", "reset", "broken", "late"])
def test_a_download_that_went_wrong_is_fetched_again(object_server, home, tmp_path, fault):
    wrong = object_server.with_faults(home.storage, Rule("GET", FILE, fault, seconds=0.5))
    with hold_fetched(Publications(wrong), tmp_path / "cache") as publication:
        assert publication.manifest == Manifest.read(home.store.folder)
    assert fault in {seen for *_, seen in object_server.requests()}
    for file in publication.manifest.files():
        assert (tmp_path / "cache" / file).read_bytes() == (home.store.folder / file).read_bytes()


def test_a_file_that_stays_damaged_is_named(object_server, home, tmp_path):
    wrong = object_server.with_faults(home.storage, Rule("GET", FILE, "flipped", times=999))
    with (
        pytest.raises(LakeError, match=r"store/files/[0-9a-f]{64}\.arrow .* is damaged"),
        hold_fetched(Publications(wrong), tmp_path / "cache"),
    ):
        pass
    assert not list((tmp_path / "cache").glob("*.arrow"))
    with hold_fetched(home.publications, tmp_path / "cache") as publication:
        assert publication.number == 2


def test_an_object_that_was_removed_since_it_was_damaged_is_uploaded_again(home, tmp_path):
    file = min(Manifest.read(home.store.folder).files())
    home.publications.remove(numbers=[], files=[file])
    with pytest.raises(LakeError, match="no longer there whole"):
        features_of(home.pickled(), tmp_path / "cache")
    home.store.bring_forward()
    assert home.numbers() == [1, 2]
    assert_fetched_whole(home, tmp_path / "cache")


def test_a_fetch_without_any_answer_is_said_plainly(object_server, home, tmp_path):
    dead = object_server.with_faults(home.storage, Rule("GET", FILE, "reset", times=999))
    with (
        pytest.raises(LakeError, match="did not answer"),
        hold_fetched(Publications(dead), tmp_path / "cache"),
    ):
        pass


def replaced_meanwhile(home: SmallHome, monkeypatch, *, days: list[int]) -> None:
    """Let a newer publication take the place of the newest each time its files are to be fetched:
    the older one is removed with its files.
    """
    fetch_files = fetching.fetch_files

    def replace_first(publications, manifest, *, folder):
        if days:
            home.add_day(days.pop())
            numbers = home.numbers()[:-1]
            newest = Manifest.read(home.store.folder).files()
            gone = sorted(manifest.files() - newest)
            home.publications.remove(numbers=numbers, files=gone)
        fetch_files(publications, manifest, folder=folder)

    monkeypatch.setattr(fetching, "fetch_files", replace_first)


def test_where_the_newest_is_replaced_meanwhile_the_newer_one_is_taken(home, tmp_path, monkeypatch):
    replaced_meanwhile(home, monkeypatch, days=[DAYS[2]])
    with hold_fetched(home.publications, tmp_path / "cache") as publication:
        assert publication.number == 3
        assert publication.manifest == Manifest.read(home.store.folder)


def test_what_was_referred_to_and_is_gone_is_said_plainly(home, tmp_path, monkeypatch):
    pickled = home.pickled()
    replaced_meanwhile(home, monkeypatch, days=[DAYS[2]])
    with pytest.raises(LakeError, match="no longer there whole"):
        features_of(pickled, tmp_path / "cache")
    with pytest.raises(LakeError, match="any more"):
        features_of(pickled, tmp_path / "other")


@pytest.mark.parametrize("fault", ["lost", "reset", "busy", "broken", "twice"])
def test_a_store_is_published_once_whatever_becomes_of_the_answer(
    object_server, home, tmp_path, fault
):
    faults = [Rule("PUT", MANIFEST, fault), Rule("PUT", FILE, fault, times=2)]
    bad = object_server.with_faults(home.storage, *faults)
    home.load_day(DAYS[2])
    replace(home.store, storage=bad).bring_forward()
    assert [seen for *_, seen in object_server.requests()].count(fault) == 3
    assert home.numbers() == [1, 2, 3]
    assert_fetched_whole(home, tmp_path / "cache")


def test_without_an_answer_the_list_before_stays_and_the_next_run_publishes(
    object_server, home, tmp_path
):
    before = home.features()
    dead = object_server.with_faults(home.storage, Rule("PUT", MANIFEST, "reset", times=999))
    home.load_day(DAYS[2])
    with pytest.raises(LakeError, match="did not answer"):
        replace(home.store, storage=dead).bring_forward()
    assert home.numbers() == [1, 2]
    with pytest.raises(ConflictError, match="not published as it is"):
        home.store.reference(at=NOON)
    assert not home.features().equals(before)  # the store below the home has gone on
    home.store.bring_forward()
    assert home.numbers() == [1, 2, 3]
    assert_fetched_whole(home, tmp_path / "cache")


def test_a_put_that_comes_after_it_was_given_up_is_known_again(object_server, home, tmp_path):
    """The store has gone on meanwhile: the late manifest stands under its number, the newer one
    under the next.
    """
    home.load_day(DAYS[2])
    late = Rule("PUT", MANIFEST, "reset", times=999)
    with pytest.raises(LakeError):
        replace(home.store, storage=object_server.with_faults(home.storage, late)).bring_forward()
    late_manifest = Manifest.read(home.store.folder).content()
    home.small.append("calls", of_day("calls", 1).with_columns(record_id=pl.lit("again")).head(1))
    add = Publications.add

    def add_after_late(publications, publication):
        home.publications.objects.put_once("manifests/0000000003.json", late_manifest)
        return add(publications, publication)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Publications, "add", add_after_late)
        home.store.bring_forward()
    assert home.numbers() == [1, 2, 3, 4]
    assert home.publications.find(3).content == late_manifest
    assert_fetched_whole(home, tmp_path / "cache")


def test_two_homes_cannot_publish_at_one_place(home, tmp_path):
    """The other one has a store of its own."""
    other = SmallHome(tmp_path / "other", Storage()).begin()
    other.load_day(DAYS[0])
    other.store.bring_forward()
    theirs = replace(other.store, storage=home.storage)
    contents = [home.publications.find(number).content for number in (1, 2)]
    with pytest.raises(LakeError, match="another home publishes") as caught:
        theirs.bring_forward()
    assert "remove the folder of this store" in caught.value.remedy
    assert home.numbers() == [1, 2]
    assert [home.publications.find(number).content for number in (1, 2)] == contents


def test_the_second_of_two_at_the_same_moment_is_refused(home, tmp_path, monkeypatch):
    home.load_day(DAYS[2])
    add = Publications.add

    def be_second(publications, publication):
        monkeypatch.setattr(Publications, "add", add)
        publications.objects.put_once("manifests/0000000003.json", b"theirs")
        return add(publications, publication)

    monkeypatch.setattr(Publications, "add", be_second)
    with pytest.raises(LakeError, match="another home publishes"):
        home.store.bring_forward()
    assert home.publications.find(3).content == b"theirs"


def test_a_new_machine_begins_with_what_was_published(home, tmp_path):
    contents = describe_contents(home.store.folder)
    shutil.rmtree(home.store.folder)
    assert home.store.bring_forward().days == 0
    assert_frame_equal(describe_contents(home.store.folder), contents)
    home.add_day(DAYS[2])
    assert home.numbers() == [1, 2, 3]
    assert home.store.verify().is_empty()


def test_a_home_with_files_of_old_names_opens_and_is_published(bucket, tmp_path):
    """As they were named before names said their digests."""
    home = SmallHome(tmp_path / "home").begin()
    home.add_day(DAYS[0])
    folder, manifest = home.store.folder, Manifest.read(home.store.folder)
    names = {file: f"{uuid4().hex}.arrow" for file in manifest.files()}
    for file, name in names.items():
        (folder / file).rename(folder / name)
    manifest.renamed(names).write(folder)
    before = home.features()
    moved = replace(home.store, storage=bucket)
    moved.bring_forward()
    assert_frame_equal(home.features(), before, check_exact=True)
    held = Manifest.read(folder).files()
    assert held == manifest.files()
    with hold_fetched(Publications(bucket), tmp_path / "cache") as publication:
        assert publication.manifest == Manifest.read(folder)
    for file in held:
        assert (tmp_path / "cache" / file).read_bytes() == (folder / file).read_bytes()
    home.load_day(DAYS[1])
    moved.bring_forward()
    assert {path.name for path in folder.glob("*.arrow")} == Manifest.read(folder).files()


def test_a_file_that_is_damaged_here_is_not_published(home):
    home.load_day(DAYS[2])
    whole = replace(home.store, storage=Storage())
    whole.bring_forward()
    there = home.publications.files()
    file = min(Manifest.read(home.store.folder).files() - there.keys())
    content = bytearray((home.store.folder / file).read_bytes())
    content[-1] ^= 1
    (home.store.folder / file).write_bytes(content)
    with pytest.raises(LakeError, match=f"{file} of the event store is damaged"):
        home.store.bring_forward()
    assert home.numbers() == [1, 2]


def test_old_files_are_swept_once_no_publication_of_the_last_day_names_them(tmp_path):
    """Four publications: what was the newest until a day ago or later is kept."""
    home = SmallHome(tmp_path / "home", Storage(url=str(tmp_path / "shared"))).begin()
    shared = tmp_path / "shared" / "store"
    newest = datetime(2026, 8, 4, 12, tzinfo=UTC)
    kept = {}
    for number, day in enumerate((3, 2, 1), start=1):
        home.add_day(day)
        kept[number] = Manifest.read(home.store.folder).files()
    assert home.numbers() == [1, 2, 3]
    ages = {1: timedelta(days=9), 2: timedelta(days=1), 3: timedelta(hours=1)}
    for number, age in ages.items():
        set_written(shared / "manifests" / f"{number:010d}.json", newest - age)
    for path in (shared / "files").iterdir():
        set_written(path, newest - timedelta(days=9))
    home.small.lake.compact("calls")
    home.small.append("calls", of_day("calls", 1).with_columns(record_id=pl.lit("new")).head(1))
    with pytest.MonkeyPatch.context() as patch:
        add = Publications.add

        def add_then(publications, publication):
            added = add(publications, publication)
            set_written(shared / "manifests" / "0000000004.json", newest)
            return added

        patch.setattr(Publications, "add", add_then)
        home.store.bring_forward()
    assert home.numbers() == [2, 3, 4]
    held = kept[2] | kept[3] | Manifest.read(home.store.folder).files()
    assert {path.name for path in (shared / "files").iterdir()} == held
    assert kept[1] - held


def set_written(path: Path, at: datetime) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.mark.parametrize(
    ("moment", "die_at"),
    [
        (("Manifest", "write"), 1),
        (("Objects", "upload"), 1),
        (("Objects", "upload"), 4),
        (("Objects", "put_once"), 1),
        (("Objects", "list_below"), 4),  # after the manifest was published
    ],
)
def test_killed_while_it_is_published_the_next_run_is_right(
    object_server, begun, original, tmp_path, moment, die_at
):
    settings = Settings(home=tmp_path / "home", storage=object_server.copied(begun.storage))
    home = begun.copied(settings.home, settings.storage)
    process = started(tmp_path, settings, die_before=moment, die_at=die_at, updates=True)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert home.numbers()[0] == 1
    home.store.bring_forward()
    assert home.numbers() == [1, 2]
    assert_frame_equal(
        describe_contents(home.store.folder), describe_contents(original.store.folder)
    )
    assert_fetched_whole(home, tmp_path / "cache")
