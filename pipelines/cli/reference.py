"""Commands to look things up: settings in force, description of the API, generated pages."""

from pathlib import Path

import typer

from pipelines.cli.arguments import AsJson, Home, load_settings
from pipelines.cli.printing.terminal import echo_text, print_json, print_table

__all__ = ["reference"]

reference = typer.Typer()


@reference.command("settings")
def print_settings(home: Home = None, as_json: AsJson = False) -> None:
    """The settings in force, and where each comes from."""
    from pipelines.settings.documentation import list_values

    values = list_values(load_settings(home))
    if as_json:
        print_json({"settings": values})
    else:
        print_table(("setting", "value", "from"), [(v.key, v.value, v.origin) for v in values])


@reference.command("openapi")
def print_api_document() -> None:
    """The OpenAPI document of the API, as a server gives it at /openapi.json."""
    from serving.app import api_document

    print_json(api_document())


@reference.command("docs")
def write_docs(folder: Path = Path("docs"), prefect_file: Path = Path("prefect.yaml")) -> None:
    """Write what is generated: contracts field by field, the feature catalogue, the settings, the
    endpoints, the schema of mappings, and Prefect's file of deployments.
    """
    from data_contracts.mappings.schema import schema_text
    from data_contracts.pages.docs import write_documentation
    from features.catalogue.definitions import feature_documentation
    from pipelines.orchestration.prefect_file import prefect_configuration
    from pipelines.settings.documentation import settings_documentation
    from serving.app import api_document
    from serving.http.endpoint_page import endpoint_page

    write_documentation(folder / "contracts")
    pages = {
        folder / "features.md": feature_documentation(),
        folder / "settings.md": settings_documentation(),
        folder / "endpoints.md": endpoint_page(api_document()),
        folder / "mapping.schema.json": schema_text(),
        prefect_file: prefect_configuration(),
    }
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    echo_text(f"wrote {folder / 'contracts'}, {', '.join(map(str, pages))}")
