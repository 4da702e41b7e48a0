"""Every measurement, one after the other: ``python -m benchmarks``."""

from benchmarks import run_to_paint

run_to_paint.main()
