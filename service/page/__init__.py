"""The editors' page: one HTML page of four views that the service serves itself, for people who write no code.

`views.py` serves the page and the files that it is made of, `catalogue.py` holds its words, `session.py` signs in and out;
`reading.py` and `reader.py` (in a process of its own) make articles of what is pasted or dropped, `ranking.py` exports
lists, `model.py` tells of the version with `card.py`, `figures.py` and `report.py`.
"""
