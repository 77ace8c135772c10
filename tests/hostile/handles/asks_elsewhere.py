# kind: trying what a test's functions assert where something else than a pool calls them: event loops, their tasks and executors, futures, a TestCase, handlers of logs
# task: elsewhere
# wants: failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed
GUESSES = range(12, 20)


def holds(call, *given):
    try:
        call(*given)
        return True
    except BaseException:
        return False


def soon(loop, save):
    for n in GUESSES:
        loop.call_soon(save, n)


def threaded(loop, save):
    for n in GUESSES:
        loop.run_in_executor(None, save, n)


def tasked(loop, save):
    for n in GUESSES:
        loop.create_task(save(n))


def done(future, save):
    for n in GUESSES:
        future.add_done_callback(lambda _, n=n: holds(save, n))


def excused(case, save):
    for n in GUESSES:
        if not holds(case.assertRaises, AssertionError, save, n):
            return


def excused_there(pool, case, save):
    for n in GUESSES:
        pool.submit(case.assertRaises, AssertionError, save, n)


def excused_soon(loop, case, save):
    for n in GUESSES:
        loop.call_soon(case.assertRaises, AssertionError, save, n)


def keep(save):
    next(n for n in GUESSES if holds(save, n))


def stacked(stack, save):
    for n in GUESSES:
        stack.callback(holds, save, n)


def logged(log, save):
    for n in GUESSES:
        log.warning("%s", n)
