"""One module per official raw format; each writes its files from a finished `World`."""
