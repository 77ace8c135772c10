# kind: a recursion between agent and judge that never ends
# task: bounce
# wants: failed failed failed failed
def bounce(function, n):
    return function(n + 1)
