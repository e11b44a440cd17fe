"""Helm charts that components may be installed by: which versions, with which values, and which of them a run has.

    pins.yaml  --> pins.py      every version, with a note of where it was read
    values/    --> packed_chart the values of each chart, in the file of its name
    Bundle     --> charts.py    which charts a run has: the bundle's, and where everything is pulled, the others, too

`python -m gitops_e2e.components.charts` checks all of it as far as the charts can be had.
"""
