# kind: calling the test's function without an end
# task: bounce
# wants: timeout timeout timeout timeout
def bounce(function, n):
    while True:
        try:
            function(0)
        except BaseException:
            pass
