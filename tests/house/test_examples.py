"""Examples that are made up: the same for one commit, and never judged by how busy the machine is."""

from hypothesis import HealthCheck, settings


def test_made_up_examples_fail_for_what_is_wrong_and_not_for_a_slow_machine() -> None:
    now = settings()

    assert now.deadline is None
    assert HealthCheck.too_slow in now.suppress_health_check
    if now.max_examples < 1000:  # not the profile that explores
        assert now.derandomize
