import itertools
import re
from collections import Counter


def has_close_elements(numbers, threshold):
    ordered = sorted(numbers)
    return any(b - a < threshold for a, b in zip(ordered, ordered[1:]))


def separate_paren_groups(text):
    text = text.replace(" ", "")
    result = []
    level = begin = 0
    for position, letter in enumerate(text):
        level += 1 if letter == "(" else -1
        if not level:
            result.append(text[begin:position + 1])
            begin = position + 1
    return result


def rolling_max(numbers):
    return list(itertools.accumulate(numbers, max))


def make_palindrome(string):
    for cut in range(len(string) + 1):
        candidate = string + "".join(reversed(string[:cut]))
        if candidate == "".join(reversed(candidate)):
            return candidate


def word_counts(text):
    words = re.findall(r"[\w'-]+", text.lower())
    tally = Counter(words)
    return [(word, tally[word]) for word in sorted(tally, key=lambda w: (-tally[w], w))]


def merge_intervals(intervals):
    stack = sorted(map(tuple, intervals), reverse=True)
    done = []
    while stack:
        a, b = stack.pop()
        while stack and stack[-1][0] <= b:
            b = max(b, stack.pop()[1])
        done.append((a, b))
    return done


def to_roman(number):
    def digit(count, one, five, ten):
        if count == 9:
            return one + ten
        if count == 4:
            return one + five
        return five * (count >= 5) + one * (count % 5)

    thousands, rest = divmod(number, 1000)
    hundreds, rest = divmod(rest, 100)
    tens, ones = divmod(rest, 10)
    return "M" * thousands + digit(hundreds, "C", "D", "M") + digit(tens, "X", "L", "C") + digit(ones, "I", "V", "X")
