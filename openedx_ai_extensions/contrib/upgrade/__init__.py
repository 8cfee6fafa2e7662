"""Upgrades a site that ran the public implementation of this plugin: its tables and their rows."""
