"""The page at which anybody reads, accepts and withdraws a notice, whatever their widget knows of notices."""
