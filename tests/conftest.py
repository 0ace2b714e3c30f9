"""What every test shares."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Examples are the same in every run, so that a red test is red for everybody; no deadlines,
# because a shared machine is slow now and then. CHANFP_EXAMPLES=10000 searches harder.
settings.register_profile(
    "chanfp",
    deadline=None,
    derandomize="CHANFP_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("CHANFP_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("chanfp")


@pytest.fixture(scope="session")
def judged_matches():
    """Matches of a made-up carrier, judged by a model; made once, for it takes seconds."""
    import chanfp

    carrier = chanfp.simulate(1500, seed=2)
    fingerprints = chanfp.build_fingerprints(carrier.cdrs, carrier.subscribers, new_days=90)
    return chanfp.Matcher().fit(fingerprints).match()
