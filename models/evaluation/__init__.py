"""How good it was: figures of alerts, intervals of chance, fairness, drift, explanations."""
