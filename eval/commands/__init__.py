"""One module a command of `vle-eval`; imported only when the command runs."""
