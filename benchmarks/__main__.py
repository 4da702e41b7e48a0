"""Every measurement, one after the other: ``python -m benchmarks``."""

from benchmarks import (
    analysis,
    attention,
    beside_bertviz,
    corpus,
    growth,
    interaction,
    load,
    run_to_paint,
    tap,
    training,
    transplant,
    writing,
)

for part in (
    attention,
    analysis,
    training,
    transplant,
    growth,
    run_to_paint,
    tap,
    writing,
    corpus,
    interaction,
    load,
    beside_bertviz,
):
    part.main()
    print()
