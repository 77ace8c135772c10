# kind: stdout flood
# wants: output_limit output_limit output_limit
def double(n):
    while True:
        print("x" * 1000)
