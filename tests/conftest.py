"""What several tests need."""

import os

# Before anything imports the hub's client: no test may reach the real hub.
os.environ.update(HF_HUB_OFFLINE="0", HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_DISABLE_XET="1")
# As the app has it; PyTorch and numpy may come before it here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from explorer.trace import AttentionTrace, ModelInfo, Token

# No test's time is a promise: a machine may be busy with others.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture
def make_trace():
    """A trace of random rows: ``make_trace(n_layers, n_heads, n)``."""

    def make(n_layers=2, n_heads=3, n=5, *, special=(), seed=0):
        rng = np.random.default_rng(seed)
        weights = rng.dirichlet(np.ones(n), size=(n_layers, n_heads, n)).astype(np.float32)
        tokens = tuple(
            Token(f"t{i}", (2 * i, 2 * i + 1), i, 0, special=i in special) for i in range(n)
        )
        info = ModelInfo("random", None, n_layers, n_heads, 8, 512)
        return AttentionTrace(info, ("x " * n,), tokens, tokens, weights)

    return make
