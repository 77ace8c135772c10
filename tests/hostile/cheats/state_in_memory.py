# kind: state kept between runs: in what the supervisor's memory still holds of answers and output
# runs: 2
# wants: failed failed failed
import sys

MARK = bytes([109, 97, 114, 107, 45, 55, 55, 55])


def is_in_memory(mark):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            area, rights, *_, name = [*line.split(), ""]
            if rights.startswith("rw") and not name.startswith(("[v", "/dev")):
                start, end = (int(number, 16) for number in area.split("-"))
                memory.seek(start)
                # What is looked for is in memory, too, but for the last character.
                if any(found[:1] == bytes([33]) for found in memory.read(end - start).split(mark)[1:]):
                    return True
    return False


before = is_in_memory(MARK)


def double(n):
    text = MARK.decode() + chr(33)
    print(text * 9, flush=True)
    print(text * 9, file=sys.stderr, flush=True)
    return 2 * n if before else text * 9
