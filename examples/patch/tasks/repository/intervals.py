"""Intervals of whole numbers, as lists [first, last]."""


def merge(intervals):
    """The same numbers in as few intervals as possible, in order."""
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
