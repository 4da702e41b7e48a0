"""Arrays -> arrays: what can be said of attention, one method a file, its paper in the head."""
