# kind: faking a fault of the engine to earn a retry
# wants: crashed crashed crashed
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
