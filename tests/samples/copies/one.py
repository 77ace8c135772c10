def has_close_elements(numbers, threshold):
    for i, first in enumerate(numbers):
        for j, second in enumerate(numbers):
            if i != j and abs(first - second) < threshold:
                return True
    return False


def separate_paren_groups(text):
    groups, current, depth = [], [], 0
    for char in text:
        if char == "(":
            depth += 1
            current.append(char)
        elif char == ")":
            depth -= 1
            current.append(char)
            if depth == 0:
                groups.append("".join(current))
                current.clear()
    return groups


def rolling_max(numbers):
    running, result = None, []
    for number in numbers:
        if running is None:
            running = number
        else:
            running = max(running, number)
        result.append(running)
    return result


def make_palindrome(string):
    if not string:
        return ""
    start = 0
    while string[start:] != string[start:][::-1]:
        start += 1
    return string + string[:start][::-1]


def word_counts(text):
    counts = {}
    for word in text.lower().split():
        word = word.strip(".,;:!?")
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def merge_intervals(intervals):
    merged = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def to_roman(number):
    values = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL")]
    values += [(10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    text = ""
    for value, letters in values:
        while number >= value:
            text += letters
            number -= value
    return text
