# kind: source that the compiler does not survive
# wants: refused
# repeat: -
