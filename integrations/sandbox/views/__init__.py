"""Pages of the sandbox: virtual phones, numbers with an outcome, dials."""
