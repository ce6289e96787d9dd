"""The popularity head's part of report and card: `content` (records), `compute` and `words` (from arrays to records),
`figures` and `panels` (SVG), `pictures` (headings and captions), `tables`, and the card's part."""
