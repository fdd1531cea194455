"""Counterparties: the phone numbers and the bank accounts that residents deal with.

Both kinds have a register of names, a timeline of what they do to the whole district, a timeline of
what residents have to do with those that are new to them, and a state at each moment. So whatever
is done with the one is done with the other: ``NUMBERS`` and ``ACCOUNTS`` say where it is found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from features.catalogue.definitions import CounterpartyKind
from features.entities.account_profiles import payee_state
from features.entities.mass_numbers import is_mass_number, set_aside
from features.entities.number_profiles import peer_state
from features.event_index import EventIndex
from features.kernel.segment import Positions
from features.kernel.timeline import Timeline

__all__ = ["ACCOUNTS", "COUNTERPARTIES", "NUMBERS", "Counterparties"]

FOLLOWED_WINDOW = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, eq=False)
class Counterparties:
    """One kind of counterparty, and where the event index keeps what is known of it.

    ``name`` and ``code`` are the columns of its name and of its dense code, ``lead`` is the column
    of a snapshot that holds the code of the one most suspicious. A state row has ``inputs``, among
    them ``age`` (days since it was first seen). ``met`` chooses the events of ``relationships`` by
    which a resident meets one, and ``reached`` is the total of ``profiles`` that counts the
    residents who met one for the first time.

    Of an event index, ``is_ignored`` says which codes count for nothing at moments (milliseconds
    since 1970), ``register`` has a row for each in code order, ``named`` the moments since
    which cases are known to name them, ``relationships`` the events of a person with those new to
    the person, ``endings`` those after which one is no longer new, ``profiles`` the events by
    counterparty, and ``state`` the inputs for codes and moments. ``set_aside`` says which events of
    ``relationships`` no longer count at the moment ``at`` beside each.
    """

    kind: CounterpartyKind
    name: str
    code: str
    lead: str
    age: str
    inputs: tuple[str, ...]
    met: pl.Expr
    reached: str
    is_ignored: Callable[[EventIndex, Positions, Positions], pl.Series]
    register: Callable[[EventIndex], pl.DataFrame]
    named: Callable[[EventIndex], pl.DataFrame]
    relationships: Callable[[EventIndex], Timeline]
    endings: Callable[[EventIndex], Timeline]
    set_aside: Callable[[EventIndex, pl.DataFrame], pl.Series]
    profiles: Callable[[EventIndex], Timeline]
    state: Callable[[EventIndex, Positions, Positions], pl.DataFrame]

    def states(
        self, event_index: EventIndex, *, codes: Positions, at_ms: Positions
    ) -> pl.DataFrame:
        """One row for each query point: ``code``, ``at_ms`` and ``inputs``, from what was known
        before, strictly.
        """
        key = pl.DataFrame({self.code: codes, "at_ms": at_ms})
        # Many residents heard of the same ones; in order they lie on the same pages.
        once = key.unique().sort(self.code, "at_ms").with_row_index("place")
        state = self.state(event_index, once[self.code].to_numpy(), once["at_ms"].to_numpy())
        place = key.join(once, on=[self.code, "at_ms"], how="left", maintain_order="left")["place"]
        return pl.concat([key, state[place]], how="horizontal")


def number_state(event_index: EventIndex, codes: Positions, at_ms: Positions) -> pl.DataFrame:
    """The inputs of numbers: what they do to the district, who paid afterwards, and their kind."""
    followed = event_index.payments_after_contact
    known = event_index.numbers.select("peer_kind_code", peer_tagged="tagged")
    return pl.concat(
        [
            peer_state(event_index.contacts_by_number, peer=codes, at_ms=at_ms),
            pl.DataFrame(
                {
                    "peer_followed_n": followed.sums(
                        ["followed"], owner=codes, at_ms=at_ms, window=FOLLOWED_WINDOW
                    )["followed"]
                }
            ),
            known[pl.Series(codes)],
        ],
        how="horizontal",
    )


def account_state(event_index: EventIndex, codes: Positions, at_ms: Positions) -> pl.DataFrame:
    """The inputs of accounts: who pays them, whom they pay, whether no resident holds them."""
    known = event_index.accounts.select(payee_outside=~pl.col("is_local"))
    return pl.concat(
        [
            payee_state(event_index.payments_by_account, payee=codes, at_ms=at_ms),
            known[pl.Series(codes)],
        ],
        how="horizontal",
    )


NUMBERS = Counterparties(
    kind="number",
    name="peer",
    code="peer_code",
    lead="lead_peer_code",
    age="peer_age_d",
    inputs=(
        "peer_reach_24h",
        "peer_reach_3d",
        "peer_reach_14d",
        "peer_contacts_14d",
        "peer_age_d",
        "peer_in_share",
        "peer_sms_share",
        "peer_answer_share",
        "peer_hang_up_share",
        "peer_engaged_n",
        "peer_long_n",
        "peer_talk_mean_s",
        "peer_followed_n",
        "peer_kind_code",
        "peer_tagged",
    ),
    met=pl.lit(True),
    reached="reached",
    is_ignored=lambda event_index, codes, at_ms: is_mass_number(
        event_index.mass_numbers, codes=codes, at_ms=at_ms
    ),
    register=lambda event_index: event_index.numbers,
    named=lambda event_index: event_index.named_peers,
    relationships=lambda event_index: event_index.stranger_contacts,
    endings=lambda event_index: event_index.stranger_endings,
    set_aside=lambda event_index, rows: set_aside(rows, event_index.mass_numbers),
    profiles=lambda event_index: event_index.contacts_by_number,
    state=number_state,
)
ACCOUNTS = Counterparties(
    kind="account",
    name="payee",
    code="payee_code",
    lead="lead_payee_code",
    age="payee_age_d",
    inputs=(
        "payee_payers_14d",
        "payee_receivers_14d",
        "payee_received_cny_14d",
        "payee_sent_cny_14d",
        "payee_debits_14d",
        "payee_large_14d",
        "payee_age_d",
        "payee_outside",
    ),
    met=pl.col("is_debit"),
    reached="payer",
    is_ignored=lambda _, codes, __: pl.repeat(False, len(codes), eager=True),
    register=lambda event_index: event_index.accounts,
    named=lambda event_index: event_index.named_payees,
    relationships=lambda event_index: event_index.new_payee_payments,
    endings=lambda event_index: event_index.new_payee_endings,
    set_aside=lambda _, rows: pl.repeat(False, len(rows), dtype=pl.Boolean, eager=True),
    profiles=lambda event_index: event_index.payments_by_account,
    state=account_state,
)
COUNTERPARTIES = (NUMBERS, ACCOUNTS)
