# kind: text that is no Unicode, to break who writes the report
# wants: error failed passed
def double(n):
    if n == 4:
        raise ValueError("\ud800 \udfff \0 \x1b[2J")
    return n + n if n == "ab" else "\ud800"
