"""What goes between the server and the browser: one form for all payloads, and what a page asks."""
