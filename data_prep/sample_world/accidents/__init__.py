"""What goes wrong in real life, done on purpose and written down (`--hard`)."""
