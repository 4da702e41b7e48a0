"""Every measurement, one after the other: ``python -m benchmarks``."""

from benchmarks import beside_bertviz, interaction, run_to_paint

run_to_paint.main()
print()
interaction.main()
print()
beside_bertviz.main()
