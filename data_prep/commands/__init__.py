"""One small module per sub-command of `vle-prep`, imported when it is called."""
