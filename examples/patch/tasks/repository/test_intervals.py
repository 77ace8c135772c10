from intervals import count, merge


def test_overlapping():
    assert merge([[1, 3], [2, 6]]) == [[1, 6]]


def test_touching():
    assert merge([[1, 2], [3, 4]]) == [[1, 4]]


def test_count():
    assert count([[1, 3], [3, 5]]) == 5
