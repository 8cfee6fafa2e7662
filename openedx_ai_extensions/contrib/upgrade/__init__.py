"""Takes over a site that ran the public implementation of the same contract: its tables and their rows."""
