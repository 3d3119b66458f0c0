"""Small, plausible changes of the code, each with the tests that should notice it.

The list is kept by hand in `tests/tools/mutants/*.yaml`, one file an area. It grows with each fault that is
found.
The driver is our own. mutmut and cosmic-ray make every change that their operators know: thousands here,
where a test that needs PostgreSQL takes seconds. Both change Python alone, but our SQL can be wrong too.
Neither has a list of changes, each with the fault that it stands for and the tests that should notice it.
"""
