"""Converts blocks to text: one module for each family of blocks, and shared helpers."""
