"""What is mapped of the store is given back, and is the same when it is read again."""

import mmap
from pathlib import Path

from pipelines.storage.event_store.mapped_pages import release_pages

SIZE = 1 << 20


def resident_kib(path: Path) -> int:
    """How much of the file is in the memory of this process."""
    found, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(maxsplit=1)[0]:
            here = line.endswith(str(path))
        elif here and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


def test_pages_that_were_given_back_come_again_unchanged(tmp_path: Path) -> None:
    inside, outside = tmp_path / "store" / "segment", tmp_path / "other"
    inside.parent.mkdir()
    content = bytes(range(256)) * (SIZE // 256)
    for place in (inside, outside):
        place.write_bytes(content)
    with inside.open("rb") as one, outside.open("rb") as other:
        maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in (one, other)]
        assert [bytes(held) for held in maps] == [content, content]
        assert resident_kib(inside) == resident_kib(outside) == SIZE // 1024
        assert release_pages(inside.parent) == SIZE
        assert (resident_kib(inside), resident_kib(outside)) == (0, SIZE // 1024)
        assert bytes(maps[0]) == content
        for held in maps:
            held.close()
