# kind: waiting for nothing
# wants: timeout timeout timeout
import signal


def double(n):
    signal.pause()
