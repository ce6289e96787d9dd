"""Text to features: tokens, n-grams, TF-IDF, and the other feature blocks a head is made of."""
