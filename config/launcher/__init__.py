"""The set-up: everything up with one command, on a machine that has Python and nothing else.

Only the standard library is used here, so that a broken installation can still say what is wrong.
"""
