"""Making scores true: probabilities, filing thresholds, prediction sets, assigned labels, the chance of the top five; all
from scores of fits that did not see the articles."""
