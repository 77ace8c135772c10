# kind: state kept between runs: files
# runs: 2
# wants: failed failed failed
import os

MARKS = ("/tmp/mark", "/dev/shm/mark", "/tmp/.hidden", "/dev/mqueue/mark", "/run/mark", "/var/tmp/mark")
before = [path for path in MARKS if os.path.lexists(path)]


def double(n):
    for path in MARKS:
        try:
            with open(path, "w") as file:
                file.write("seen")
        except OSError:
            pass
    return 2 * n if before else before
