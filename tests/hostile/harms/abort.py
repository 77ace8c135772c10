# kind: core dump
# task: output
# wants: failed
import os

os.abort()
