"""Intervals of whole numbers, as lists [first, last]."""


def merge(intervals):
    """Merges intervals into as few as possible, in order, that hold the same numbers."""
    merged = []
    for first, last in sorted(intervals):
        if merged and first < merged[-1][1]:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    return merged


def count(intervals):
    """How many numbers are in any of the intervals."""
    return sum(last - first for first, last in merge(intervals))
