"""Learners' feedback on answers: what they say about one, and how staff review it."""
