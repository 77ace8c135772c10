# kind: memory bomb: mmap
# task: once
# wants: out_of_memory
import mmap


def double(n):
    area = mmap.mmap(-1, 1 << 31)
    for page in range(0, len(area), mmap.PAGESIZE):
        area[page] = 1
