"""Dave's agent: bad. It is accepted and runs, but answers wrongly, raises, and lacks a function."""


def reverse_string(s):
    return s.upper()


def parse_duration(text):
    return int(text)  # "90m" is no int


# merge_intervals: to do

print("Hello from Dave!")
