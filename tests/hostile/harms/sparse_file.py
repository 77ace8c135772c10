# kind: sparse files
# runs: 2
# wants: passed passed passed
def double(n):
    for path in ("/tmp/sparse", "/dev/shm/sparse"):
        with open(path, "wb") as file:
            file.truncate(1 << 40)
    return 2 * n
