"""Which model is in force: the MLflow record, the model store, the gates of promotion, the model
card.
"""
