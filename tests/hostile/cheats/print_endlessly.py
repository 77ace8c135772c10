# kind: printing every candidate
# task: output
# wants: output_limit
number = 0
while True:
    print(number)
    number += 1
