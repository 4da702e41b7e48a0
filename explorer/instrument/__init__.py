"""The instrument: the client-side picture of attention, and what its hosts need to mount it."""
