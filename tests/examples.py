"""How many examples a drawn test takes: as many as it says, in the profile ``fast`` a quarter."""

from hypothesis import HealthCheck, settings

__all__ = ["examples"]

FULL = 100  # what a test draws that says no number, in the full profile
LEAST = 2


def examples(number: int, *, suppressed: tuple[HealthCheck, ...] = ()) -> settings:
    """Settings of a test that draws ``number`` examples in the full profile, and in another as much
    fewer as that draws of every test. ``suppressed`` are health checks to leave out beside those of
    the profile.
    """
    profile = settings.default
    assert profile is not None
    drawn = -(-number * profile.max_examples // FULL)
    return settings(
        max_examples=max(min(LEAST, number), drawn),
        suppress_health_check=(*profile.suppress_health_check, *suppressed),
    )
