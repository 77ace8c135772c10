from functools import reduce


def has_close_elements(numbers, threshold):
    n = len(numbers)
    i = 0
    while i < n:
        j = i + 1
        while j < n:
            if -threshold < numbers[i] - numbers[j] < threshold:
                return True
            j += 1
        i += 1
    return False


def separate_paren_groups(text):
    out = [""]
    for c in text:
        if c in "()":
            out[-1] += c
            if out[-1].count("(") == out[-1].count(")"):
                out.append("")
    return out[:-1]


def rolling_max(numbers):
    return [max(numbers[: k + 1]) for k in range(len(numbers))]


def make_palindrome(string):
    k = next(k for k in range(len(string) + 1) if string[k:] == string[k:][::-1])
    return string + string[:k][::-1]


def word_counts(text):
    def clean(w):
        return "".join(filter(str.isalnum, w))

    words = [clean(w) for w in text.lower().split()]
    pairs = {(w, words.count(w)) for w in words}
    return sorted(pairs, key=lambda p: (0 - p[1], p[0]))


def merge_intervals(intervals):
    def step(done, nxt):
        if not done or done[-1][1] < nxt[0]:
            return done + [nxt]
        lo, hi = done[-1]
        return done[:-1] + [(lo, hi if hi > nxt[1] else nxt[1])]

    return reduce(step, sorted(intervals), [])


def to_roman(number):
    ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    tens = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    hundreds = ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"]
    return "M" * (number // 1000) + hundreds[number // 100 % 10] + tens[number // 10 % 10] + ones[number % 10]
