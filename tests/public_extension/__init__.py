"""An extension of our own in the shape that extensions of the public implementation have."""
