"""What follows from the other features of one person at one moment."""

from tests.naive.relationships import Values, to_hours


def derived_features(values: Values) -> Values:
    last, first = values["payee_last_cny"], values["payee_first_cny"]
    paid_at, heard_at = values["payee_first_started_at"], values["lead_started_at"]
    return {
        "new_debit_to_habit": values["new_debit_cny_24h"] / (values["debit_cny_30d"] / 30 + 50),
        "payee_escalation": last / first if last is not None and first is not None else None,
        "stranger_talk_to_habit": values["stranger_talk_s_24h"] / (values["talk_s_30d"] / 30 + 60),
        "call_to_payee_h": to_hours(paid_at - heard_at) if paid_at and heard_at else None,
    }
