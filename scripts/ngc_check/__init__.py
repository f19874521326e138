"""The judge: reads a submission (or one file) and reports where it departs from a profile.

Shares nothing with the writer of submissions but the profile (`ngc_profile`).
"""
