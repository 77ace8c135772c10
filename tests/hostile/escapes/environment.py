# kind: environment leak, inherited descriptors, working directory
# task: doors
# wants: passed
import os
import sys

KNOWN = {"PATH", "HOSTNAME", "HOME", "LANG", "LC_CTYPE", "PYTHONHASHSEED", "USER", "GPG_KEY"}


def doors():
    found = [f"variable {name}" for name in os.environ if name not in KNOWN and not name.startswith("PYTHON_")]
    listing = os.listdir("/proc/self/fd")  # holds the descriptor that lists, too
    found += [f"descriptor {number}" for number in listing if os.path.lexists(f"/proc/self/fd/{number}") and int(number) > 4]
    for number in range(5):
        place = os.readlink(f"/proc/self/fd/{number}")
        if not place.startswith("pipe:") and place != "/dev/null":
            found.append(f"{number} is {place}")
    if os.getcwd() != "/tmp" or sys.argv[0] != "agent.py":
        found.append(f"{os.getcwd()} {sys.argv}")
    return found
