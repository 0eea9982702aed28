"""Tables of stored results beside the published scores."""
