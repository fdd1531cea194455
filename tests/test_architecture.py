"""How the rooms stand: nothing imports in a circle, and no folder grows into a corridor."""

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("data_contracts", "features", "models", "pipelines", "serving")
MODULES_A_FOLDER = 12
Edges = Mapping[str, AbstractSet[str]]


def imports_of(package: str) -> Edges:
    """Return which modules of ``package`` each of its modules imports, inside functions too."""
    graph = grimp.build_graph(package)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def between_folders(imports: Edges) -> Edges:
    """Return which folders each folder imports from.

    An ``__init__`` belongs to its own folder. A module directly below the package stands for
    itself: there it is a room beside the folders, as in the import rules.
    """
    folders: dict[str, set[str]] = defaultdict(set)
    for module, imported in imports.items():
        here = folder_of(module)
        folders[here] |= {folder_of(other) for other in imported} - {here}
    return folders


def folder_of(module: str) -> str:
    is_folder = (ROOT / module.replace(".", "/")).is_dir()
    return module if is_folder or module.count(".") == 1 else module.rpartition(".")[0]


def circle_in(edges: Edges) -> list[str]:
    """Return one circle, each name imported by the next, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_circle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_in_a_circle(package: str) -> None:
    assert circle_in(imports_of(package)) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folders_import_in_a_circle(package: str) -> None:
    assert circle_in(between_folders(imports_of(package))) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_holds_more_than_a_dozen_modules(package: str) -> None:
    folders = [ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())]
    modules = {
        str(folder.relative_to(ROOT)): sum(
            path.name != "__init__.py" for path in folder.glob("*.py")
        )
        for folder in folders
        if folder.name != "versions"  # migrations are a row of steps, not rooms
    }
    assert {folder: count for folder, count in modules.items() if count > MODULES_A_FOLDER} == {}
