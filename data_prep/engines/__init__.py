"""Ways to run many independent tasks: here, in local processes."""
