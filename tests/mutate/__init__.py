"""`make mutate`: small wrong changes of diagnosis and actions, each of which a unit test must notice.

Why none of the libraries: mutmut 3 changes nothing that runs at import (limits, tables of causes,
patterns), no decorated function or property, deletes no statement, forces no condition and
numbers its mutants, so that a reason given for one moves to another with the next commit.
cosmic-ray starts a pytest of its own for each mutant and runs all tests in it: days here.
mutatest takes samples and ended with Python 3.8. This is the standard library and pytest, in under a thousand lines.
"""
