"""Ablations: named variants, each one factor away from its parent, trained alike and compared picture by picture.

Taught in: lesson 05.
"""
