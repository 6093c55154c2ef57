"""Rendered heads."""
