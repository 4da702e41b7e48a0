"""Attention Explorer: paste a text, see every head."""

from explorer.ui.frame import main

main()
