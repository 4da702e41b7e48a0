"""The experiments of “Step by step”: a slope is a power, and √d_k keeps softmax from saturating."""

import numpy as np
import pytest
import torch

from explorer.scratch.experiments import LENGTHS, fit_slope, measure_cost, measure_saturation


@pytest.mark.parametrize("power", [1, 2, 3])
def test_the_slope_of_a_power_is_its_exponent(power):
    seconds = [1e-9 * n**power for n in LENGTHS]
    assert fit_slope(LENGTHS, seconds) == pytest.approx(power)


def test_only_long_texts_count_for_the_slope():
    seconds = [1.0 if n < 1024 else 1e-9 * n**2 for n in LENGTHS]
    assert fit_slope(LENGTHS, seconds) == pytest.approx(2)


def test_the_cost_is_measured_for_every_length_and_can_be_ended():
    told = []
    cost = measure_cost(lambda doing, share: told.append(share))
    assert cost.lengths == LENGTHS
    assert len(told) == len(LENGTHS)
    assert min(cost.seconds) > 0
    assert cost.seconds[-1] > cost.seconds[0]
    assert cost.slope == fit_slope(cost.lengths, list(cost.seconds))

    class EnoughError(Exception):
        pass

    def stop(doing, share):
        raise EnoughError

    with pytest.raises(EnoughError):
        measure_cost(stop)


def test_saturation_is_what_numpy_finds():
    found = measure_saturation(n=16, seed=3)
    generator = torch.Generator().manual_seed(3)
    for width, scaled, unscaled in zip(found.widths, found.scaled, found.unscaled, strict=True):
        q, k = (
            torch.randn(512 // 16, 16, width, generator=generator).double().numpy() for _ in "qk"
        )
        scores = np.einsum("bqd,bkd->bqk", q, k)
        for values, got in ((scores / np.sqrt(width), scaled), (scores, unscaled)):
            powers = np.exp(values - values.max(-1, keepdims=True))
            sharpness = (powers / powers.sum(-1, keepdims=True)).max(-1).mean()
            assert got == pytest.approx(sharpness, abs=1e-5)  # float32, scores up to 60


def test_without_the_scale_softmax_saturates_as_heads_grow_and_with_it_does_not():
    found = measure_saturation()
    assert found.unscaled[-1] > 0.9
    assert max(found.scaled) < 0.25
    assert list(found.unscaled) == sorted(found.unscaled)
