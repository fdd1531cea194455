"""The part of the command line that says who comes in, and shows that the record of it is whole."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import SettingsError
from data_contracts.words.counts import choose_form, count_things
from pipelines.cli.arguments import AsJson, Home, load_installation, load_settings
from pipelines.cli.printing.terminal import echo_text, print_json, print_table, to_json_value

__all__ = ["audit", "users"]

LONGEST_PURPOSE = 60

users = typer.Typer(
    help="People and machines that may read what is published.", no_args_is_help=True
)
audit = typer.Typer(help="The record of who did what.", no_args_is_help=True)


class Role(StrEnum):
    """What a user may do."""

    analyst = "analyst"
    officer = "officer"
    engineer = "engineer"
    admin = "admin"


@users.command("add")
def users_add(
    name: str,
    role: Annotated[Role, typer.Option()],
    community: Annotated[
        list[str] | None,
        typer.Option(help="A community an officer may see; give it again for more."),
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="Print only the token.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add a user and print the token, which is shown this once."""
    from pipelines.webapp.accounts import add_user

    issued = add_user(
        load_settings(home), name=name, role=role.value, communities=tuple(community or ())
    )
    if as_json:
        print_json(
            {"name": name, "role": role.value, "communities": community or [], "token": issued}
        )
    else:
        echo_text(
            issued
            if token
            else f"{name} ({role.value}) may now log in with this token, shown only once:\n{issued}"
        )


@users.command("list")
def users_list(home: Home = None, as_json: AsJson = False) -> None:
    """Who may come in, as what, and when they were last here."""
    from pipelines.webapp.accounts import list_users

    found = list_users(load_installation(home))
    if as_json:
        print_json({"users": found})
        return
    rows = [
        (
            user.name,
            user.role.value,
            " ".join(user.communities) or "–",
            f"{user.last_seen_at:%Y-%m-%d %H:%M}" if user.last_seen_at else "never",
            "disabled" if user.disabled_at else "active",
        )
        for user in found
    ]
    print_table(("name", "role", "communities", "last seen", "state"), rows)


@users.command("link")
def users_link(name: str, home: Home = None) -> None:
    """Print a link with which the user chooses a password; it works once. The password of before
    ends.
    """
    from pipelines.webapp.accounts import invitation_link

    echo_text(invitation_link(load_settings(home), name=name))


@users.command("token")
def users_token(
    name: str,
    purpose: Annotated[str, typer.Option("--for", help="What the token is for.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
    read_only: Annotated[bool, typer.Option("--read-only", help="It can change nothing.")] = False,
    manages: Annotated[
        bool, typer.Option("--manages", help="It may give out users and tokens, if an admin's.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Issue a machine's token and print it, this once."""
    from pipelines.webapp.accounts import issue_token

    if not purpose.strip() or not purpose.isprintable() or len(purpose) > LONGEST_PURPOSE:
        raise SettingsError(
            "a token is known by what it is for",
            remedy=f'Say it in up to {LONGEST_PURPOSE} characters: --for "message gateway".',
        )

    issued = issue_token(
        load_settings(home),
        user=name,
        name=purpose,
        days=days,
        read_only=read_only,
        manages=manages,
    )
    if as_json:
        print_json(issued)
    else:
        echo_text(issued.secret)


@users.command("reset-second-factor")
def users_reset_second_factor(name: str, home: Home = None) -> None:
    """Remove the second factor of a user whose device is lost; every session of theirs ends."""
    from pipelines.webapp.accounts import reset_second_factor

    reset_second_factor(load_settings(home), name=name)
    echo_text(f"{name} comes in without a second factor, or sets up a new one")


@users.command("disable")
def users_disable(
    name: str,
    restore: Annotated[bool, typer.Option("--restore", help="Enable the user again.")] = False,
    home: Home = None,
) -> None:
    """Disable a user at once, with every token and session."""
    from pipelines.webapp.accounts import disable_user

    disable_user(load_settings(home), name=name, restore=restore)
    echo_text(f"{name} is enabled again" if restore else f"{name} is disabled")


@audit.callback()
def main() -> None:
    """The record of who did what."""


@audit.command("verify")
def audit_verify(
    head: Annotated[
        str | None,
        typer.Option(help="The head that an earlier run printed: was anything cut off since?"),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(help="A file, or a code, that `forestall audit anchor` made earlier."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no entry was changed, forged, removed or slipped in, and no result changed; exits
    with 1 where one was.
    """
    from pipelines.webapp.accounts import verify_audit_trail

    verdict = verify_audit_trail(load_installation(home), head=head, anchor=anchor)
    if as_json:
        print_json(to_json_value(verdict) | {"whole": verdict.whole})
    elif verdict.broken:
        echo_text(f"broken at entry {verdict.broken.entry_id}: {verdict.broken.reason}")
        whole = count_things(verdict.entries, "entry", "entries")
        echo_text(f"{whole} before it {choose_form(verdict.entries, 'is', 'are')} whole")
    elif verdict.head_missing:
        echo_text("cut off: an entry that was kept as head is gone, though what is left is whole")
    elif verdict.edited:
        echo_text("the trail is whole, but not the results that it speaks of:")
        for line in verdict.edited:
            echo_text(f"  {line}")
    else:
        echo_text(
            f"whole: {count_things(verdict.entries, 'entry', 'entries')}, {verdict.signed} of them "
            f"signed\nhead: {verdict.head}\n"
            "keep the head elsewhere, with `forestall audit anchor`"
        )
    raise typer.Exit(0 if verdict.whole else 1)


@audit.command("anchor")
def audit_anchor(
    file: Annotated[
        Path | None, typer.Argument(help="Append a signed line to FILE, else print a short code.")
    ] = None,
    home: Home = None,
) -> None:
    """Keep how far the trail goes where nobody who rules the database can change it."""
    from pipelines.webapp.accounts import anchor_audit_trail

    line, code = anchor_audit_trail(load_installation(home))
    if file is None:
        echo_text(code)
        return
    with file.open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")
    echo_text(f"anchored in {file}; `forestall audit verify --anchor {file}` holds the trail to it")
