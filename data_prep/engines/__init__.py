"""Ways to run many independent tasks: local processes, or Ray."""
