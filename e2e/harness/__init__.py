"""What the suites share: where things are, and the processes they start."""
