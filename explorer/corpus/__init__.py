"""What heads do over many texts: a census in shards, its files, and what is asked of them."""
