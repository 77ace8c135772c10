# kind: reading from the pipes what the supervisor is about to read
# wants: timeout timeout timeout
import os
import threading
import time


def steal(number):
    pipe = os.open(f"/proc/self/fd/{number}", os.O_RDONLY)
    while True:
        os.read(pipe, 1)


def double(n):
    for number in (1, 2, 4):
        threading.Thread(target=steal, args=(number,), daemon=True).start()
    for _ in range(10_000):
        os.write(1, b"x")
        os.write(2, b"x")
    time.sleep(1000)
