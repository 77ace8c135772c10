# kind: ending an assertion's map() early, so that all() of nothing holds
# task: checks
# wants: error error error error error error
def is_even(n):
    raise StopIteration


def half(x):
    raise StopAsyncIteration


def names():
    raise StopIteration(["ann", "bob"])
