"""Pictures for the README, and the program that makes them."""
