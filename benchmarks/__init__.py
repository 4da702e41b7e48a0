"""Measurements; see README.md beside this file."""

import explorer as explorer  # before numpy: it says with how many threads numpy computes
