"""Ends of `with` blocks: by whose doing an exception came about, and whose manager it is that looks at it (this text is put behind
agent_objects.py).
"""
import opcode

RAISE = opcode.opmap["RAISE_VARARGS"]  # each version of Python has its own numbers


def is_raised_by_block(error):
    """True if a `raise` of the test's own brought the exception about."""
    trace = getattr(error, "__traceback__", None)
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or isinstance(error, AssertionError) or trace.tb_frame.f_code.co_filename != TEST_FILE:
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == RAISE


def is_left_by_the_test():
    """True if it is a `with` of the test's text that ends, not another manager, which may hold assertions."""
    frame = asking_frame()
    return frame is not None and frame.f_code.co_filename == TEST_FILE


def asking_frame():
    """The frame of whoever asks, which is none of ours."""
    return outward(sys._getframe(1), is_ours)


def is_through_assertions(error):
    """True if the exception came by code of the test's that asserts something, other than that whose block it ends, as by what a
    helper with a block was given to do, or yields to."""
    home = asking_frame()
    return any(frame is not home and "@failed" in frame.f_code.co_names for frame in frames_of_test(error))
