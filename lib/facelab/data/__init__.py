"""Datasets: where they lie, whom they show, how they are split, and how they are cached."""
