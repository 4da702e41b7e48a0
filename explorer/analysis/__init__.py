"""Arrays -> arrays: what can be said of attention weights, one method a file, numpy alone."""
