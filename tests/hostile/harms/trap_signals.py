# kind: trapping every signal
# wants: timeout timeout timeout
import signal

for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, lambda *_: None)
while True:
    signal.pause()
