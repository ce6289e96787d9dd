"""From a fitted scikit-learn pipeline to a version that serves it: the same labels, decision values and probabilities.

`reading` loads the file, `features` (with `texts` and `categories`) turns its vectorizers into blocks, `linear` and
`calibrated` its classifier into weights and a calibration, `heads` puts them together, `checking` compares both on made-up
articles, `write` writes the version. What cannot be had exactly is refused by name.
"""
