# kind: CPU loop
# wants: timeout timeout timeout
while True:
    pass
