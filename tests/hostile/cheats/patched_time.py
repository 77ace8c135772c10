# kind: stopping the clock
# wants: timeout timeout timeout
import signal
import time

time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
signal.alarm = signal.setitimer = lambda *_: 0


def double(n):
    while True:
        pass
