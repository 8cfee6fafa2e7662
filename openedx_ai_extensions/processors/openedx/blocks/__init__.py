"""How each kind of block reads as text: one module for each family of blocks, and what they share."""
