"""The tables of the serving database.

What was published (watchlists, alerts, suspects), dispositions and audit entries are never changed
after they were written; a list that is published anew is superseded, not overwritten, so what a
reader saw can always be shown again.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from serving.vocabulary.times import SHANGHAI

__all__ = [
    "AlertRow",
    "AuditRow",
    "Base",
    "DispositionRow",
    "InstallationRow",
    "KeptAnswerRow",
    "LockoutRow",
    "RecoveryCodeRow",
    "ScoreRow",
    "SecondFactorRow",
    "SuspectListRow",
    "SuspectRow",
    "TokenRow",
    "UserCommunityRow",
    "UserRow",
    "WatchlistRow",
]


class Moment(TypeDecorator[datetime]):
    """A moment with a zone: kept in UTC, handed out in Asia/Shanghai.

    A time without a zone is refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn the moment into UTC; SQLite has no zones and gets it without."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn what the database keeps into Asia/Shanghai time."""
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(SHANGHAI)


class Base(DeclarativeBase):
    """Names constraints by rule, so that migrations can address them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment(),
        float: Double(),
        str: Text,
        list[dict[str, Any]]: JSON,
        list[str]: JSON,
        dict[str, Any]: JSON,
    }


def one_current(name: str, *columns: str) -> Index:
    """Of the rows with the same ``columns`` at most one is not superseded."""
    not_superseded = text("superseded_at IS NULL")
    return Index(
        name, *columns, unique=True, sqlite_where=not_superseded, postgresql_where=not_superseded
    )


class WatchlistRow(Base):
    """One published list.

    Of each (at, kind) exactly one revision is current: the one not superseded.
    """

    __tablename__ = "watchlists"
    __table_args__ = (
        UniqueConstraint("at", "kind", "revision"),
        one_current("uq_watchlists_current", "at", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    revision: Mapped[int]
    content_digest: Mapped[str]
    model_version: Mapped[str]
    model_digest: Mapped[str]
    data_version: Mapped[str]
    contract_version: Mapped[str]
    budget: Mapped[int]
    residents_scored: Mapped[int]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
    superseded_at: Mapped[datetime | None]

    alerts: Mapped[list["AlertRow"]] = relationship(
        back_populates="watchlist", order_by="AlertRow.rank"
    )


class AlertRow(Base):
    """One person on one published list.

    ``alert_id`` is the same in every revision of the list, so links and dispositions outlive a new
    revision.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("watchlist_id", "person"),
        Index("ix_alerts_community_id_issued_at", "community_id", "issued_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str] = mapped_column(index=True)
    watchlist_id: Mapped[int] = mapped_column(ForeignKey("watchlists.id"))
    person: Mapped[str] = mapped_column(index=True)
    rank: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(index=True)
    score: Mapped[float]
    baseline_score: Mapped[float]
    level: Mapped[str]
    urgency: Mapped[int]  # 0 for red … 3 for blue, so that the database can sort by level
    scam_type: Mapped[str]
    community_id: Mapped[str]
    grid_id: Mapped[str]
    at_stake_cny: Mapped[float | None]
    saving_cny: Mapped[float | None]
    already_paid_cny: Mapped[float | None]
    base_value: Mapped[float]
    realert: Mapped[bool]
    age_band: Mapped[str | None]
    reasons: Mapped[list[dict[str, Any]]]
    contributions: Mapped[list[dict[str, Any]]]
    missing: Mapped[list[str]]
    suspect_numbers: Mapped[list[str]]
    suspect_accounts: Mapped[list[str]]
    first_contact_at: Mapped[datetime | None]
    # Long, and asked for by the page of one alert only: read when asked for.
    timeline: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]", deferred=True)
    touched: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]", deferred=True)

    watchlist: Mapped[WatchlistRow] = relationship(back_populates="alerts")


class ScoreRow(Base):
    """How likely somebody was in an episode at the moment of a list."""

    __tablename__ = "scores"

    watchlist_id: Mapped[int] = mapped_column(ForeignKey("watchlists.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    score: Mapped[float]


class SuspectListRow(Base):
    """The suspect numbers and accounts of one moment.

    Of each moment exactly one revision is current.
    """

    __tablename__ = "suspect_lists"
    __table_args__ = (
        UniqueConstraint("at", "revision"),
        one_current("uq_suspect_lists_current", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    revision: Mapped[int]
    content_digest: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())
    superseded_at: Mapped[datetime | None]

    suspects: Mapped[list["SuspectRow"]] = relationship(back_populates="suspect_list")


class SuspectRow(Base):
    """One number or account on one published list; ``rank`` counts within its kind, the likeliest
    first.
    """

    __tablename__ = "suspects"
    __table_args__ = (
        UniqueConstraint("list_id", "key"),
        UniqueConstraint("list_id", "kind", "rank"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("suspect_lists.id"))
    kind: Mapped[str]
    rank: Mapped[int]
    key: Mapped[str] = mapped_column(index=True)
    score: Mapped[float]
    peer_kind: Mapped[str]
    first_seen_at: Mapped[datetime | None]
    residents_reached: Mapped[int]
    residents_7d: Mapped[int]
    alerts: Mapped[int]
    named_in_case: Mapped[bool]
    facts: Mapped[dict[str, Any]]

    suspect_list: Mapped[SuspectListRow] = relationship(back_populates="suspects")


class DispositionRow(Base):
    """What somebody found about an alert.

    Versions of an alert count up from 1; a version is written once.

    ``decided_by`` wrote it down at ``decided_at``; it was found at ``found_at`` (null: then), by
    ``met_by``. ``level`` is the level the alert was raised to, ``merged_into`` the earlier alert
    that it repeats, ``copied_from`` the alert of the same series whose result this is, ``list_id``
    the outreach list that it was entered from.
    """

    __tablename__ = "dispositions"
    __table_args__ = (UniqueConstraint("alert_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[str]
    version: Mapped[int]
    person: Mapped[str] = mapped_column(index=True)
    result: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    snoozed_until: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="screen")
    found_at: Mapped[datetime | None]
    paid_cny: Mapped[float | None]
    prevented_cny: Mapped[float | None]
    channel: Mapped[str | None]
    met_by: Mapped[str | None]
    level: Mapped[str | None]
    escalated_to: Mapped[str | None]
    escalated_why: Mapped[str | None]
    merged_into: Mapped[str | None]
    copied_from: Mapped[str | None]
    list_id: Mapped[str | None]


class InstallationRow(Base):
    """The id of this database, in a single row; see serving.database.identity."""

    __tablename__ = "installation"

    id: Mapped[str] = mapped_column(primary_key=True)


class UserRow(Base):
    """Somebody, or some machine, who may come in.

    ``password_hash`` is argon2id; ``subject`` is who they are to the identity provider, for those
    who come from there.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    subject: Mapped[str | None] = mapped_column(index=True, unique=True)

    communities: Mapped[list["UserCommunityRow"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin"
    )


class UserCommunityRow(Base):
    """A community that an officer looks after."""

    __tablename__ = "user_communities"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    community_id: Mapped[str] = mapped_column(primary_key=True)


class TokenRow(Base):
    """A secret somebody holds, kept as its SHA-256 digest only.

    Kinds: ``bearer`` (for machines, with a name), ``session`` (a cookie), ``renewal`` (a cookie
    that only lets its holder choose a password), ``enrolment`` (set up a second factor), ``factor``
    (a cookie that waits for the code of one), ``login`` and ``invitation`` (links that work
    once). A bearer token may be narrower than its user: another ``role``, or ``read_only``. Only
    what ``manages`` gives out users, passwords and tokens. ``parent_id`` is the bearer token that
    it came of, with which it ends.
    """

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    name: Mapped[str | None]
    role: Mapped[str | None]
    read_only: Mapped[bool] = mapped_column(default=False, server_default=false())
    manages: Mapped[bool] = mapped_column(default=False, server_default=false())
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"), index=True)

    user: Mapped[UserRow] = relationship(lazy="joined")
    parent: Mapped["TokenRow | None"] = relationship(
        lazy="joined", remote_side="TokenRow.id", join_depth=1
    )


class SecondFactorRow(Base):
    """What makes the codes of a user's device, sealed with the vault's key.

    It counts from ``confirmed_at`` on. ``last_step`` is the half minute of the last code that was
    taken: none of before is taken again.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sealed: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int]


class RecoveryCodeRow(Base):
    """A code that takes the place of a lost device once; ``code_hash`` is argon2id."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class LockoutRow(Base):
    """Failed logins of one account or from one address, by the digest of its name
    (serving.access.users.lockout).
    """

    __tablename__ = "lockouts"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_failed_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class AuditRow(Base):
    """Who did what to which subject, chained by digests and signed; see
    serving.database.audit_chain. ``state`` is the digest of the row that the entry speaks of.

    The database itself refuses to change or delete an entry.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]
    previous_digest: Mapped[str]
    digest: Mapped[str] = mapped_column(index=True, unique=True)
    # Null in entries of before signing began
    state: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    signed_by: Mapped[str | None]
    signature: Mapped[str | None]


class KeptAnswerRow(Base):
    """The answer to a write that carried a key.

    Of the key only a digest is kept. The answer is sealed with the key and the sender's secret,
    neither of which the database holds: it can contain a token or a number that is shown once.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("actor", "key_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    key_digest: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    sealed: Mapped[bytes]
    kept_at: Mapped[datetime] = mapped_column(index=True)
