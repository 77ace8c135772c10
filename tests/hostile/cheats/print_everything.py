# kind: printing every candidate
# task: output
# wants: failed
for number in range(1000):
    print(number)
