"""Mutants: small, plausible faults in the code, each with the tests that should detect it.

The list is maintained by hand in `tests/tools/mutants/*.yaml`, one file per area. Each fault that is found
is added.
The driver is our own. mutmut and cosmic-ray apply all of their operators: thousands of mutants here, where a
test with PostgreSQL takes seconds. Both change only Python, but our SQL can be wrong too. Neither supports
a list of changes, each with its fault and the tests that should detect it.
"""
