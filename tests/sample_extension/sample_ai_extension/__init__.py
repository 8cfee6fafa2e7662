"""Study plans: a sample of an extension."""
