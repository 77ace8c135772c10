# kind: a link, a pipe or a folder in place of a file that is written
# task: output
# runs: 2
# wants: passed
import os

os.unlink("/tmp/agent.py")
os.symlink("/proc/1/mem", "/tmp/agent.py")
print(42)
